"""`likeness faces`: every face of a photograph, where it is and how well it can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from likeness.commands.common import Exit, JsonOption, emit, photographs, print_notice
from likeness.errors import ImageError

if TYPE_CHECKING:
    from likeness.faces.listing import ListedFace
    from likeness.images import Pixels


def faces(
    photos: Annotated[list[str], typer.Argument(help="Photographs, folders or patterns.", metavar="PHOTO...")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="Write the photograph with its faces drawn in (one photograph)."),
    ] = None,
    crops: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write each face there, aligned, 112×112 pixels, as PNG.")
    ] = None,
    smallest: Annotated[
        int | None,
        typer.Option(
            min=12,
            metavar="PIXELS",
            help="Side of the smallest face; by default a tenth of the shorter side, 20 or more.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Lists the faces of photographs, the largest first: box, landmarks, pose and quality.

    Exit code: 0 all photographs show a face, 1 one of them shows none, 2 one of them cannot be read.
    """
    from likeness.faces.listing import list_faces

    paths = photographs(photos)
    if out is not None and len(paths) != 1:
        raise typer.BadParameter("draws one photograph at a time", param_hint="--out")
    worst = Exit.YES
    for path in paths:
        photograph = _read(path, as_json)
        if photograph is None:
            worst = Exit.ERROR
            continue
        found = list_faces(photograph, smallest)
        written = [None] * len(found) if crops is None else _write_crops(photograph, found, crops, path)
        _show(path, photograph, found, written, as_json)
        if out is not None:
            _draw(photograph, found, out)
        worst = worst if found else max(worst, Exit.NO)
    raise typer.Exit(worst)


def _read(path: Path, as_json: bool) -> Pixels | None:
    """The photograph in colour; None where it cannot be read, which is said."""
    from likeness.images import read_image

    try:
        return read_image(path, colour=True)
    except ImageError as error:
        if as_json:
            emit({"photo": str(path), "error": str(error)})
        else:
            print_notice(str(error))
        return None


def as_mapping(face: ListedFace, crop: Path | None) -> dict[str, Any]:
    """What `--json` says about one face."""
    return {
        "box": asdict(face.box),
        "score": round(face.score, 6),
        "landmarks": face.landmarks.round(3).tolist(),
        "quality": {name: round(value, 6) for name, value in asdict(face.quality).items()},
        "crop": None if crop is None else str(crop),
    }


def _show(
    path: Path, photograph: Pixels, found: Sequence[ListedFace], crops: Sequence[Path | None], as_json: bool
) -> None:
    height, width = photograph.shape[:2]
    if as_json:
        listed = [as_mapping(face, crop) for face, crop in zip(found, crops, strict=True)]
        emit({"photo": str(path), "width": width, "height": height, "faces": listed})
        return
    typer.echo(f"{path}: {len(found) or 'no'} face{'' if len(found) == 1 else 's'} ({width}×{height} pixels)")
    for number, face in enumerate(found, start=1):
        box, quality = face.box, face.quality
        typer.echo(
            f"  {number}  {box.side} pixels at {box.left}, {box.top}; quality {quality.score:.2f}; "
            f"yaw {quality.yaw:+.0f}°, pitch {quality.pitch:+.0f}°, roll {quality.roll:+.0f}°"
        )


def _write_crops(photograph: Pixels, found: Sequence[ListedFace], folder: Path, path: Path) -> list[Path | None]:
    """Files NAME-1.png and so on; an existing one is replaced."""
    from likeness.faces.listing import crop

    written: list[Path | None] = []
    for number, face in enumerate(found, start=1):
        target = folder / f"{path.stem}-{number}.png"
        _write_png(target, crop(photograph, face))
        written.append(target)
    return written


def _draw(photograph: Pixels, found: Sequence[ListedFace], target: Path) -> None:
    from likeness.faces.listing import draw_faces

    _write_png(target, draw_faces(photograph, found))
    print_notice(f"{target}: the faces, numbered as they are listed")


def _write_png(target: Path, picture: Pixels) -> None:
    from likeness.files import atomic_path
    from likeness.serving.png import png

    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as temporary:
        temporary.write_bytes(png(picture))
