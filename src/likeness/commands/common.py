"""What the subcommands share: options, files from the command line, exit codes and output."""

from __future__ import annotations

import glob
import json
import math
import sys
from collections.abc import Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from likeness.errors import ImageError

if TYPE_CHECKING:
    from likeness.faces import Face
    from likeness.serving.verifier import Verifier


class Exit(IntEnum):
    """What a script learns without reading: of several photographs, the worst."""

    YES = 0  # the same person; a known person
    NO = 1  # different people; an unknown person
    ERROR = 2


ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        envvar="LIKENESS_MODEL",
        metavar="SOURCE",
        help="A model's folder, its weights file, models:/NAME@ALIAS of the registry, or packaged: the model that "
        "comes with Likeness. Without it: models/model of this folder where it is there, else packaged.",
        show_default=False,
    ),
]
GalleryOption = Annotated[
    Path, typer.Option("--gallery", "-g", envvar="LIKENESS_GALLERY", metavar="FILE", help="The gallery's file.")
]


def finite(value: float | None) -> float | None:
    """Checks a number of the command line, which may be written as nan or inf.

    Raises:
        BadParameter: it is not finite.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"expected a finite number, found {value}")
    return value


ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold", help="Accept from this score on, whatever the model's card says.", callback=finite
    ),
]
AlignedOption = Annotated[
    bool, typer.Option("--aligned", help="The photographs are framed like LFW's already: search for no face.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]

MODEL = "models/model"
GALLERY = Path(".likeness/gallery.safetensors")


def face_number(text: str) -> int:
    """What `--face` says, as a number; 0 for all of them.

    Raises:
        BadParameter: it is something else.
    """
    if text in ("largest", "all"):
        return 1 if text == "largest" else ALL_FACES
    if not (text.isdecimal() and int(text) > 0):
        raise typer.BadParameter(f"expected largest, all or a number from 1, found {text!r}")
    return int(text)


ALL_FACES = 0
FaceOption = Annotated[
    int,
    typer.Option(
        "--face",
        parser=lambda text: face_number(str(text)),  # the default is a number already
        metavar="largest|all|N",
        show_default="largest",
        help="Which face of a photograph that shows several: largest (the largest clear one, number 1), "
        "a number (the others follow by size), or all, each by itself.",
    ),
]


def remarks_on(face: Face) -> str:
    """Says which of several faces was taken, that the photograph was turned, and what its quality is short of."""
    which = "the largest" if face.number == 1 else f"number {face.number}"
    taken = f"{which} of {face.others + 1} faces was compared" if face.others else ""
    turned = f"turned by {face.turned}° to be upright" if face.turned else ""
    return "; ".join(filter(None, [taken, turned, *face.warnings]))


def load_verifier(model: str | None) -> Verifier:
    """The model's verifier; prints a notice where its verdicts cannot be about people."""
    from likeness.serving.verifier import Verifier

    verifier = Verifier.load(model)
    if verifier.model.card.synthetic:
        print_notice(
            "this model was trained on drawn faces: what it says about photographs of people means nothing"
        )
    if verifier.model.card.source == "folder" and verifier.model.card.align == "none":
        print_notice(
            "this model was trained on pictures that were framed before: frame others alike, and pass --aligned"
        )
    return verifier


def photographs(arguments: Sequence[str]) -> list[Path]:
    """The files that arguments name: files, folders (searched throughout), and patterns the shell did not resolve.

    Pictures of a format that is not read, and files and folders below a folder that cannot be read, are among
    them: the reason is reported where they are read.

    Raises:
        ImageError: a folder or pattern holds no image; a file that is absent is reported when it is read.
    """
    from likeness.data.picture_files import pictures_below
    from likeness.images import SUFFIXES

    found: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            inside = pictures_below(path)
        elif glob.has_magic(argument) and not path.exists():
            inside = sorted(p for p in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if p.is_file())
        else:
            inside = [path]
        if not inside:
            raise ImageError(f"{argument}: no image is there (looked for {', '.join(sorted(SUFFIXES))})")
        found += inside
    return found


def batches(items: Sequence[Path], what: str, size: int = 64) -> Iterator[Sequence[Path]]:
    """The items, some at a time, under a progress bar."""
    from likeness.progress import progress

    for start in progress(range(0, len(items), size), what, unit=f"x{size} photos"):
        yield items[start : start + size]


def print_notice(message: str) -> None:
    """Prints a sentence to standard error, apart from the output proper."""
    typer.echo(message, err=True)


def json_line(value: Any) -> str:
    """One JSON object on one line."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def emit(value: Any) -> None:
    """One JSON object on one line; what standard output cannot encode is escaped as JSON does it."""
    line = json_line(value)
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        line = json.dumps(value, allow_nan=False)
    sys.stdout.write(line + "\n")
