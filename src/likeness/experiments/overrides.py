"""Which faces a command is asked for, as Hydra overrides that say so whatever characters a path holds."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from likeness.data.source_location import MIRROR_VARIABLE, variants_in
from likeness.errors import SourceError


def source_overrides(source: str | None, mirror: str | None, home: str = "lfw-a") -> list[str]:
    """Overrides of `data` and, where a mirror is named, of `data.mirror`.

    Args:
        source: a file of conf/data; None for the form of LFW that the mirror holds.
        mirror: folder, archive or URL, as a person typed it; None or "" for none.
        home: the form where the mirror does not say, or holds it among others.

    Raises:
        SourceError: the mirror is not there, is needed and not named, or holds several forms of LFW.
    """
    if source == "folder" and not mirror and not os.environ.get(MIRROR_VARIABLE):
        raise SourceError(
            "expected MIRROR=<folder or archive with one folder of photographs a person>, found none; "
            f"name it, such as MIRROR=~/photos, or set the environment variable {MIRROR_VARIABLE}"
        )
    place = absolute_mirror(mirror) if mirror else None
    overrides = [f"data={source or lfw_variant(place, home)}"]
    return overrides if place is None else [*overrides, f"data.mirror={quoted(place)}"]


def absolute_mirror(mirror: str) -> str:
    """A mirror for programs that run elsewhere: a URL as it is, a path without `~` and absolute.

    Raises:
        SourceError: there is no such path, or its name is no UTF-8, which params.yaml cannot hold.
    """
    if mirror.startswith(("http://", "https://")):
        return mirror
    try:
        path = Path(mirror).expanduser().absolute()
    except RuntimeError as error:  # `~name` of nobody
        raise SourceError(f"{mirror}: {error}; write the folder's whole path") from error
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise SourceError(f"{str(path)!r}: this name is no UTF-8; rename the folder, or link to it") from error
    if not path.exists():
        raise SourceError(
            f"{path}: there is no such folder or archive (from MIRROR={mirror}); nothing was started"
        )
    return str(path)


def lfw_variant(mirror: str | None, home: str) -> str:
    """Which official form of LFW a folder holds; `home` where there is nothing to look into, or this one too.

    Raises:
        SourceError: it holds several others.
    """
    found = variants_in(Path(mirror)) if mirror and Path(mirror).is_dir() else []
    if home in found:
        return home
    if len(found) > 1:
        raise SourceError(f"{mirror} holds {', '.join(found)}; say which, such as DATA={found[0]}")
    return found[0] if found else home


def quoted(value: str) -> str:
    """A text as Hydra reads it back, in single quotes.

    Backslashes count only before a quote, before `${` and at the end; there they are doubled.
    """
    value = re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", value)
    value = re.sub(r"(\\*)(?='|$)", lambda found: found[1] * 2, value)
    return "'" + value.replace("'", r"\'") + "'"


def set_options(overrides: Sequence[str]) -> list[str]:
    """The overrides as arguments of `dvc exp run`."""
    return [part for override in overrides for part in ("-S", override)]
