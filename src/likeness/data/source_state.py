"""What a source holds at this moment, in one small file that DVC can depend on.

A mirror is outside the project, and it may be named by an environment variable, so that DVC sees neither
people who were added or removed nor another folder. The stage `source` writes this file at each `dvc repro`;
the ingest stage depends on it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from likeness.artifacts.source_state import SOURCE_STATE, SourceState
from likeness.data.directory_walk import files_below
from likeness.data.layout import is_system
from likeness.data.source_location import MIRROR_VARIABLE, place_of, source_paths
from likeness.data.sources import DataParams
from likeness.errors import DataError

log = logging.getLogger(__name__)


def source_state(params: DataParams, environ: Mapping[str, str], before: Path) -> SourceState:
    """The state of the source that is asked for; no file's content is read, and nothing is downloaded.

    Args:
        params: which source.
        environ: the environment, for the mirror variable.
        before: file of the state that was found the last time. It is kept where the mirror is not there, as in a
            clone whose data set was pulled.
    """
    if params.source == "synthetic":
        return SourceState(params.source)
    mirror = params.mirror or environ.get(MIRROR_VARIABLE) or None
    paths = source_paths(params, mirror)
    if paths is not None:
        return _listed(params.source, place_of(mirror), paths)
    known = _read(before)
    if known is None or known.source != params.source or (mirror is None and params.source != "folder"):
        return SourceState(params.source, place_of(mirror))
    log.warning("%s is not there: the data set that was made from it before counts as current", mirror or "mirror")
    return known


def _listed(source: str, place: str | None, paths: list[Path]) -> SourceState:
    lines = sorted(line for path in paths for line in _lines(path))
    digest = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return SourceState(source, place, len(lines), digest)


def _lines(top: Path) -> Iterator[str]:
    """Path, size and time of every file that may count; a line too for what cannot be read."""
    if top.is_file():
        yield _line(top, top.name)
        return
    unread: list[str] = []

    def note(path: Path, reason: str) -> None:
        unread.append(f"{path.relative_to(top).as_posix()}\0{reason}")

    for path in files_below(top, note):
        name = path.relative_to(top).as_posix()
        if not is_system(name):
            yield _line(path, name)
    yield from unread


def _line(path: Path, name: str) -> str:
    try:
        status = path.stat()
    except OSError as error:
        return f"{name}\0{error.strerror}"
    return f"{name}\0{status.st_size}\0{status.st_mtime_ns}"


def _read(path: Path) -> SourceState | None:
    try:
        return SOURCE_STATE.find(path)
    except DataError:
        return None
