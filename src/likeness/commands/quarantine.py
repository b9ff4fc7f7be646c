"""`likeness quarantine`: the files that the nightly intake kept out, why, and what is to become of them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likeness.commands.common import JsonOption, emit
from likeness.errors import SourceError

if TYPE_CHECKING:  # imported where they are used, because every command would wait for them
    from likeness.data.quarantine import Quarantined

QUARANTINE = Path("data/quarantine")
INCOMING = Path("data/incoming")

quarantine_app = typer.Typer(help="The files that the nightly intake kept out.", no_args_is_help=True)

_Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Files or folders as `list` shows them, or patterns: 'Ann_Lee/*'."),
]
_Reason = Annotated[str, typer.Option(help="Only files whose reason holds this text, such as drifted.")]
_All = Annotated[bool, typer.Option("--all", help="Every file.")]


@quarantine_app.command("list")
def list_files(names: _Names = None, reason: _Reason = "", as_json: JsonOption = False) -> None:
    """Each file in quarantine, and why it is there."""
    for file in _selected(names or [], reason):
        if as_json:
            emit({"name": file.name, "reason": file.reason, "person": file.person or None})
        else:
            typer.echo(f"{file.name}: {file.reason}")


@quarantine_app.command("release")
def release_files(names: _Names = None, reason: _Reason = "", everything: _All = False) -> None:
    """Put files back into data/incoming, where the next run examines them again."""
    from likeness.data.quarantine import release

    count = release(_chosen(names, reason, everything), INCOMING)
    typer.echo(
        f"{_files(count)} back in {INCOMING}; `make nightly-now ARGS=--no-settle` takes them in at once "
        "(with --accept-drift where the batch had drifted)"
    )


@quarantine_app.command("drop")
def drop_files(names: _Names = None, reason: _Reason = "", everything: _All = False) -> None:
    """Delete files in quarantine for good."""
    from likeness.data.quarantine import drop

    typer.echo(f"{_files(drop(_chosen(names, reason, everything)))} deleted")


def _chosen(names: list[str] | None, reason: str, everything: bool) -> list[Quarantined]:
    """What is to be changed, which has to be said."""
    if not (names or reason or everything):
        raise SourceError("say which files: their names, --reason TEXT, or --all")
    return _selected(names or [], reason)


def _selected(names: list[str], reason: str) -> list[Quarantined]:
    from likeness.data.quarantine import listed

    files = [file for file in listed(QUARANTINE) if reason.casefold() in file.reason.casefold()]
    unknown = [name for name in names if not any(_matches(file, name) for file in files)]
    if unknown:
        raise SourceError(
            f"{QUARANTINE} holds no file {', '.join(map(repr, unknown))}{' of that reason' if reason else ''}; "
            "`likeness quarantine list` shows what it holds"
        )
    return [file for file in files if not names or any(_matches(file, name) for name in names)]


def _matches(file: Quarantined, name: str) -> bool:
    wanted = name.removeprefix(f"{QUARANTINE.as_posix()}/").rstrip("/")
    return file.name == wanted or file.name.startswith(f"{wanted}/") or fnmatchcase(file.name, wanted)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
