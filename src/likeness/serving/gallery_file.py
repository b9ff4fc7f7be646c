"""A gallery on disk: one safetensors file, never a pickle, safe against two writers and a kill in mid-write.

Whatever the file holds is checked in every respect, and against a digest, before any of it is used. It is
biometric data: readable by its owner alone, replaced as a whole by an atomic rename, and without the people who
were removed (the blocks of the former file are freed by the file system, not overwritten).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from likeness.artifacts.source_card import Framing
from likeness.errors import GalleryError, OutputError
from likeness.faces import FRAME
from likeness.files import atomic_path
from likeness.serving.gallery import Gallery

_FORMAT = "likeness-gallery-1"
_FIRST_FRAMING = "lfw-frame"  # of galleries that name none, because there was no other
_LOCK_SECONDS = 30.0
_PRIVATE = 0o600
_TENSORS = {  # name: (type, possible numbers of axes)
    "names": (np.uint8, (1,)),  # UTF-8 JSON list
    "enrolled": (np.int64, (1,)),  # [N] seconds since 1970, UTC
    "embeddings": (np.float32, (2,)),  # [P, D]
    "owners": (np.int64, (1,)),  # [P] person of each embedding
    "frames": (np.uint8, (3, 4)),  # [K, 250, 250] or RGB [K, 250, 250, 3], kept photographs
    "frame_rows": (np.int64, (1,)),  # [K] embedding of each kept photograph
}


@contextmanager
def editing(path: Path) -> Iterator[None]:
    """Keeps every other writer out while the block reads, changes and writes the gallery at `path`.

    Raises:
        GalleryError: another program has kept the lock for half a minute, or the folder cannot be written.
    """
    lock = FileLock(_lock_path(path), timeout=_LOCK_SECONDS, mode=_PRIVATE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise GalleryError(f"{path}: another program is changing it and does not finish; try again") from error
    except OSError as error:
        raise GalleryError(f"{path}: its folder cannot be written ({error.strerror})") from error
    try:
        _remove_leftovers(path)
        yield
    finally:
        lock.release()


def save_gallery(path: Path, gallery: Gallery) -> None:
    """Writes the gallery in place of the former one, at once as a whole, readable by its owner alone.

    Call it inside `editing`.

    Raises:
        OutputError: the file cannot be written; the former one is intact.
    """
    names = json.dumps(gallery.names, ensure_ascii=False).encode()
    tensors = {
        "names": np.frombuffer(names, dtype=np.uint8),
        **{name: np.ascontiguousarray(getattr(gallery, name)) for name in _TENSORS if name != "names"},
    }
    metadata = {
        "format": _FORMAT,
        "model": gallery.model,
        "framing": gallery.framing,
        "sha256": _digest(gallery.model, gallery.framing, tensors),
    }
    mode = path.stat().st_mode & 0o777 if path.exists() else _PRIVATE
    try:
        # Not save_file, which writes beside its target under a name of its own: a kill would leave that there.
        with atomic_path(path, mode) as temporary, temporary.open("wb") as stream:
            stream.write(save(tensors, metadata=metadata))
            stream.flush()
            os.fsync(stream.fileno())  # a rename that survives a power cut must not name a file that did not
    except SafetensorError as error:
        raise OutputError(f"{path}: cannot be written ({error}); the former gallery is intact") from error


def remove_people(path: Path, names: Sequence[str]) -> None:
    """Removes people with every trace of their embeddings and photographs.

    Raises:
        GalleryError: there is no gallery, or somebody is not in it; nobody is removed then.
    """
    if not path.is_file():
        raise _absent(path)
    with editing(path):
        save_gallery(path, load_gallery(path).without(names))


def load_gallery(path: Path) -> Gallery:
    """Reads a gallery and checks it in every respect.

    Raises:
        GalleryError: there is none at `path`, or what is there is no gallery, damaged or edited by hand.
    """
    if not path.is_file():
        raise _absent(path)
    try:
        with safe_open(path, framework="np") as stored:
            metadata = stored.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise GalleryError(f"{path}: is no gallery of this version (expected {_FORMAT})")
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise GalleryError(f"{path}: is no gallery, or a damaged one ({error}); restore it from a copy") from error
    try:
        return _checked(metadata, tensors)
    except (ValueError, KeyError, TypeError) as error:
        raise GalleryError(
            f"{path}: is damaged or was edited by hand ({error}); restore it from a copy"
        ) from error


def _checked(metadata: Mapping[str, str], tensors: Mapping[str, npt.NDArray[np.generic]]) -> Gallery:
    """The gallery that tensors describe.

    Raises:
        ValueError: anything about them is not as this module writes it.
    """
    for name, (kind, axes) in _TENSORS.items():
        tensor = tensors.get(name)
        if tensor is None or tensor.dtype != kind or tensor.ndim not in axes:
            raise ValueError(f"{name}: expected {np.dtype(kind)} with {' or '.join(map(str, axes))} axes")
    framing = metadata.get("framing", _FIRST_FRAMING)
    if framing not in get_args(Framing):
        raise ValueError(f"framing: expected one of {', '.join(get_args(Framing))}, found {framing!r}")
    if metadata.get("sha256") != _digest(metadata["model"], framing, tensors):
        raise ValueError("its content does not have the digest that it states")
    names = json.loads(tensors["names"].tobytes())
    rest = {name: tensor for name, tensor in tensors.items() if name != "names" and name in _TENSORS}
    gallery = Gallery(model=metadata["model"], names=tuple(names), framing=framing, **rest)  # type: ignore[arg-type]
    people, photos = len(gallery.names), len(gallery.embeddings)
    sound = (
        len(set(gallery.names)) == people == len(gallery.enrolled)
        and len(gallery.owners) == photos
        and np.array_equal(np.unique(gallery.owners), np.arange(people))
        and len(np.unique(gallery.frame_rows)) == len(gallery.frame_rows) == len(gallery.frames)
        and bool(((gallery.frame_rows >= 0) & (gallery.frame_rows < photos)).all())
        and gallery.frames.shape[1:] in ((FRAME, FRAME), (FRAME, FRAME, 3))
        and bool(np.isfinite(gallery.embeddings).all())
    )
    if not sound:
        raise ValueError("its parts do not fit together")
    return gallery


def _digest(model: str, framing: str, tensors: Mapping[str, npt.NDArray[np.generic]]) -> str:
    """Over everything that the gallery says; catches damage and edits, not a forger who computes it again."""
    digest = hashlib.sha256(model.encode())
    if framing != _FIRST_FRAMING:
        digest.update(framing.encode())
    for name in _TENSORS:
        digest.update(f"{name}{tensors[name].shape}".encode())
        digest.update(np.ascontiguousarray(tensors[name]).data)
    return digest.hexdigest()


def _absent(path: Path) -> GalleryError:
    return GalleryError(f"{path}: no gallery here yet; `likeness enroll NAME PHOTO` begins one")


def _remove_leftovers(path: Path) -> None:
    """Half-written files of writers that were killed: they may hold embeddings. The lock keeps living ones out."""
    for file in path.parent.iterdir():
        if file.name.startswith(f".{path.name}.") and file.suffix == ".part":
            file.unlink(missing_ok=True)


def _lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")
