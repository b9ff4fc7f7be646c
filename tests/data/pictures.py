"""Small real image files and archives of them, for the tests of everything that reads such."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Files = Mapping[str, bytes]


def picture(seed: int, height: int = 60, width: int = 50) -> npt.NDArray[np.uint8]:
    """A smooth random colour picture, uint8 [height, width, 3]; two seeds are as different as two photographs."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def encoded(pixels: npt.NDArray[np.uint8], form: str = "JPEG", mode: str = "RGB", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, form, **options)
    return stream.getvalue()


def jpeg(seed: int, height: int = 60, width: int = 50) -> bytes:
    return encoded(picture(seed, height, width), quality=90)


def lfw_files(people: Mapping[str, int], root: str = "lfw2/") -> dict[str, bytes]:
    """Files in the form of LFW, in the order of the people given."""
    names = [(person, number) for person, count in people.items() for number in range(1, count + 1)]
    return {f"{root}{person}/{person}_{number:04d}.jpg": jpeg(seed) for seed, (person, number) in enumerate(names)}


def write_tar(path: Path, files: Files, mode: str = "w:gz") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def write_zip(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_folder(folder: Path, files: Files) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
