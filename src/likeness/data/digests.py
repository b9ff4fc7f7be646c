"""Digests of what a stage left in a folder, so that an edit, or damage, is noticed by the stage that reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from likeness.artifacts.digests import DIGESTS, Digests
from likeness.errors import DataError
from likeness.files import file_sha256


def write_digests(folder: Path) -> None:
    """Notes the digests of every file below a folder, beside them.

    Raises:
        OutputError: the folder cannot be written.
    """
    DIGESTS.write(folder / DIGESTS.name, Digests(_digests_below(folder)))


def check_digests(folder: Path, stage: str) -> None:
    """Refuses a folder of which a file was edited, added or removed since the stage wrote it.

    Raises:
        DataError: every such file is named, or the digests are missing.
    """
    remedy = f"`dvc checkout {folder}` restores what DVC knows, `dvc repro --force {stage}` makes it again"
    noted = replace(DIGESTS, stage=stage).read(folder / DIGESTS.name).sha256
    found = _digests_below(folder)
    if altered := sorted(name for name in noted.keys() | found.keys() if noted.get(name) != found.get(name)):
        raise DataError(f"{folder}: not what the {stage} stage wrote there: {', '.join(altered)}; {remedy}")


def _digests_below(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: file_sha256(path) for name, path in named.items() if name != DIGESTS.name}
