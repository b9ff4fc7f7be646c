"""Writing files so that nobody ever sees half of one: beside the target first, then an atomic rename."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import json
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from likeness.errors import OutputError

_MAX_JSON = 64 << 20
_UNFINISHED = re.compile(r"\..+\.[a-z0-9_]{8}\.part", re.DOTALL)  # as mkstemp names them
_SETTLED = 5.0  # seconds within which a new file may not be locked yet


@contextlib.contextmanager
def atomic_path(target: Path, mode: int | None = None) -> Iterator[Path]:
    """Yields a temporary path beside `target` that takes its place when the block ends well.

    Args:
        target: the file.
        mode: its permissions, from the first byte on; None: what the umask grants.

    Raises:
        OutputError: the folder cannot be made or written, or the disk is full; `target` is untouched.
    """
    temporary: Path | None = None
    handle: int | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(target.parent)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        temporary = Path(name)
        _lock(handle)
        yield temporary
        temporary.chmod(_granted() if mode is None else mode)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written ({error.strerror or error}); the previous file is intact. "
            "Free some space or make the folder writable, then run again"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


@functools.cache
def _remove_unfinished(folder: Path) -> None:
    """Removes what writers that were killed left in a folder; looks once in the life of this process.

    A writer that is alive holds a lock on its file.
    """
    for path in folder.glob(".*.part"):
        with contextlib.suppress(OSError):
            if not _UNFINISHED.fullmatch(path.name) or time.time() - path.stat().st_mtime < _SETTLED:
                continue
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                if _lock(handle):
                    path.unlink()
            finally:
                os.close(handle)


def _lock(handle: int) -> bool:
    """Locks an open file until it is closed; False where somebody else did, or the file system cannot."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def write_text(target: Path, text: str) -> None:
    """Writes UTF-8 text atomically, and so that a power failure leaves the former file or the new one."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
        sync_file(temporary)
    sync_folder(target.parent)


def write_json(target: Path, value: Any) -> None:
    """Writes JSON atomically: sorted keys, two-space indent, no NaN, so that equal values are equal files."""
    write_text(target, json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The value that a JSON file holds.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is no UTF-8.
        json.JSONDecodeError: it is no JSON, nested too deeply, too long, or holds numbers that JSON has not.
    """
    if path.stat().st_size > _MAX_JSON:
        raise json.JSONDecodeError(f"longer than {_MAX_JSON >> 20} MB", "", 0)
    text = path.read_text(encoding="utf-8")
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", "", 0) from None
    except ValueError as error:  # such as a whole number of thousands of digits
        raise json.JSONDecodeError(str(error).partition(";")[0], "", 0) from None


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


@contextlib.contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Yields an empty folder beside `target` that takes its place when the block ends well.

    A kill leaves that folder behind; the next call empties it.

    Raises:
        OutputError: the folder cannot be made or written, or the disk is full; `target` is untouched.
    """
    temporary = target.with_name(f".{target.name}.part")
    try:
        _remove(temporary)
        temporary.mkdir(parents=True)
        yield temporary
        _swap(temporary, target)
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written ({error.strerror or error}); what it held before is intact. "
            "Free some space or make the folder writable, then run again"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap(fresh: Path, target: Path) -> None:
    """Renames `fresh` to `target`; a full folder cannot be renamed over: it steps aside first."""
    aside = target.with_name(f".{target.name}.old")
    _remove(aside)
    if target.exists():
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
    _remove(aside)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def file_sha256(path: Path, chunk: int = 1 << 20) -> str:
    """Hex sha256 of a file, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(chunk):
            digest.update(block)
    return digest.hexdigest()


def _granted() -> int:
    """What the umask grants: mkstemp makes files for the owner alone."""
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def sync_file(path: Path) -> None:
    """Waits until the content of a file is on the disk.

    Raises:
        OutputError: the disk reports that it is not.
    """
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Waits until the names in a folder are on the disk.

    Raises:
        OutputError: the disk reports that they are not.
    """
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    try:
        handle = os.open(path, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that has no such operation
            raise OutputError(f"{path}: does not reach the disk ({error.strerror}); check the disk") from error
