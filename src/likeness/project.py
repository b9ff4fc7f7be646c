"""Where a project is, seen from whichever copy of it a program runs in."""

from __future__ import annotations

from pathlib import Path

_EXPERIMENT_COPIES = (".dvc", "tmp", "exps")


def main_repository(start: Path) -> Path:
    """Root of the project that `start` belongs to, seen through the copies that DVC experiments run in.

    Such a copy is `<root>/.dvc/tmp/exps/<place>/<name>`, so the root is what precedes it. Elsewhere the
    nearest folder upwards with `.dvc`, else with `.git`, else `start` itself.
    """
    folder = start.resolve()
    parts = folder.parts
    for at in range(1, len(parts) - len(_EXPERIMENT_COPIES) + 1):
        if parts[at : at + len(_EXPERIMENT_COPIES)] == _EXPERIMENT_COPIES:
            return Path(*parts[:at])
    for mark in (".dvc", ".git"):
        for candidate in (folder, *folder.parents):
            if (candidate / mark).exists():
                return candidate
    return folder


def resolved(path: str, start: Path) -> Path:
    """A folder that a user named: `~` expanded, and relative to the project's root rather than to a copy of it."""
    return main_repository(start) / Path(path).expanduser()
