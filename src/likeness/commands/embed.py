"""`likeness embed`: the faces of many photographs as a table of embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likeness.commands.common import (
    AlignedOption,
    Exit,
    FaceOption,
    ModelOption,
    batches,
    load_verifier,
    photographs,
    print_notice,
)

if TYPE_CHECKING:
    from likeness.serving.face_rows import EmbeddedFace
    from likeness.serving.verifier import Verifier


def embed(
    photos: Annotated[list[str], typer.Argument(help="Folders, photographs or patterns.", metavar="FOLDER...")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Write there: a .parquet, .csv or .npz file.")],
    model: ModelOption = None,
    face: FaceOption = 1,
    aligned: AlignedOption = False,
) -> None:
    """Write the faces of photographs as a table: path, box, landmarks, quality, embedding, and why there is none.

    Exit code: 0 every photograph gave a face, 1 one of them did not and is a row with the reason, 2 nothing was
    written.
    """
    from likeness.serving.face_table import table_writer

    write = table_writer(out)
    paths = photographs(photos)
    verifier = load_verifier(model)
    counted = _Count()
    write(out, counted.all_of(_embedded(verifier, paths, aligned, face or None)), verifier.dim, verifier.digest)
    failed = f", {counted.failed} of {len(paths)} photographs without one" if counted.failed else ""
    print_notice(f"{out}: {counted.faces} faces{failed}; whoever can read it can recognise these people")
    raise typer.Exit(Exit.NO if counted.failed else Exit.YES)


def _embedded(
    verifier: Verifier, paths: Sequence[Path], aligned: bool, number: int | None
) -> Iterator[EmbeddedFace]:
    from likeness.serving.face_rows import embed_photographs

    for batch in batches(paths, "embedding"):
        yield from embed_photographs(verifier, batch, aligned=aligned, number=number)


class _Count:
    """Counts rows while they pass."""

    faces = 0
    failed = 0

    def all_of(self, rows: Iterator[EmbeddedFace]) -> Iterator[EmbeddedFace]:
        for row in rows:
            self.faces += not row.error
            self.failed += bool(row.error)
            yield row
