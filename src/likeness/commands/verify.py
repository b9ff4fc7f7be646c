"""`likeness verify`: do two photographs show the same person?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from likeness.commands.common import (
    ALL_FACES,
    AlignedOption,
    Exit,
    FaceOption,
    JsonOption,
    ModelOption,
    ThresholdOption,
    batches,
    emit,
    finite,
    load_verifier,
    photographs,
    print_notice,
    remarks_on,
)
from likeness.errors import ImageError

if TYPE_CHECKING:
    from likeness.faces import Face
    from likeness.serving.verifier import Verification, Verifier


@dataclass(frozen=True)
class Outcome:
    """What became of one photograph: a verdict, or the reason that there is none."""

    photo: Path
    result: Verification | ImageError


def verify(
    reference: Annotated[
        Path | None, typer.Argument(help="The photograph that the others are compared with.", show_default=False)
    ] = None,
    others: Annotated[
        list[str] | None,
        typer.Argument(help="Photographs, folders or patterns.", metavar="PHOTO...", show_default=False),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Instead of photographs: a CSV file of two paths a row, each a pair."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the verdicts on --pairs there, not to the terminal.")
    ] = None,
    model: ModelOption = None,
    fmr: Annotated[
        float | None,
        typer.Option(
            "--fmr",
            "--far",  # deprecated
            help="Decide at this false match rate, the share of pairs of different people that is accepted, "
            "such as 0.01 (--far: deprecated name).",
            callback=finite,
        ),
    ] = None,
    threshold: ThresholdOption = None,
    face: FaceOption = 1,
    reference_face: Annotated[
        int, typer.Option(min=1, metavar="N", help="Which face of the reference, numbered as for --face.")
    ] = 1,
    aligned: AlignedOption = False,
    explain: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Write what decided: both faces under heat maps (one pair).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Whether photographs show the same person as a reference, or each pair of a list one person.

    With --face all a photograph shows the person where one of its faces does; each face has its own verdict.

    Exit code: 0 all show the same person, 1 one of them shows another, 2 something went wrong.
    """
    if pairs is not None:
        if reference is not None or explain is not None or face == ALL_FACES:
            raise typer.BadParameter("takes no photographs, no --explain and no --face all", param_hint="--pairs")
        raise typer.Exit(
            _verify_pairs(pairs, out, model, fmr, threshold, (reference_face, face), aligned, as_json)
        )
    if reference is None or not others or out is not None:
        raise typer.BadParameter("expected a photograph and others to compare with it, or --pairs [--out]")
    paths = photographs(others)
    alone = len(paths) == 1 and face != ALL_FACES
    if explain is not None and not alone:
        raise typer.BadParameter("explains one pair of faces at a time", param_hint="--explain")
    verifier = load_verifier(model)
    if not alone and not as_json:
        print_notice(f"model: {verifier.name}")
    outcomes: list[Outcome] = []
    known = verifier.face(reference, aligned=aligned, number=reference_face)
    for outcome in compare(verifier, known, paths, fmr, threshold, aligned, face or None):
        if not alone and not as_json:
            _show_reference(outcomes, outcome, reference)
        outcomes.append(outcome)
        _show(outcome, reference, verifier.name, alone=alone, as_json=as_json)
    if explain is not None and not isinstance(outcomes[0].result, ImageError):
        _explain(verifier, outcomes[0].result, explain)
    raise typer.Exit(exit_code(outcomes))


def _verify_pairs(
    path: Path,
    out: Path | None,
    model: str | None,
    fmr: float | None,
    threshold: float | None,
    numbers: tuple[int, int],
    aligned: bool,
    as_json: bool,
) -> Exit:
    """Decides a list of pairs and writes a row for each, as CSV or JSON lines."""
    from likeness.commands.pairs import decisions_text, read_pairs, worst
    from likeness.files import write_text
    from likeness.serving.pair_list import decide_pairs

    listed = read_pairs(path)
    verifier = load_verifier(model)
    decisions = decide_pairs(
        verifier, listed, fmr=fmr, threshold=threshold, aligned=aligned, numbers=numbers, shown="comparing"
    )
    text = decisions_text(listed, decisions, verifier.name, as_json)
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_text(out, text)
    failed = sum(decision.error is not None for decision in decisions)
    said = f", {failed} of which could not be compared" if failed else ""
    print_notice(f"{len(decisions)} pairs{said}, by the model {verifier.name}")
    return worst(decisions)


def compare(
    verifier: Verifier,
    reference: Face,
    paths: Sequence[Path],
    fmr: float | None = None,
    threshold: float | None = None,
    aligned: bool = False,
    number: int | None = 1,
) -> Iterator[Outcome]:
    """The verdict on each photograph, in order, or on each of its faces where `number` is None.

    Raises:
        ModelError: the model's card does not support the false match rate.
    """
    point = verifier.decision_point(fmr, threshold)
    embedding = verifier.embed_faces([reference])
    for batch in batches(paths, "comparing"):
        read = list(verifier.faces_in_each(batch, aligned=aligned, number=number))
        usable = [face for faces in read if not isinstance(faces, ImageError) for face in faces]
        scores = iter(verifier.model.comparator.pairs(embedding, verifier.embed_faces(usable)))
        for path, faces in zip(batch, read, strict=True):
            if isinstance(faces, ImageError):
                yield Outcome(path, faces)
                continue
            for face in faces:
                yield Outcome(path, verifier.verdict(float(next(scores)), (reference, face), point))


def exit_code(outcomes: Sequence[Outcome]) -> Exit:
    """The worst of all photographs; of several faces of one, the best."""
    if any(isinstance(outcome.result, ImageError) for outcome in outcomes):
        return Exit.ERROR
    missing = {outcome.photo for outcome in outcomes} - {each.photo for each in outcomes if _same(each)}
    return Exit.NO if missing else Exit.YES


def _same(outcome: Outcome) -> bool:
    return not isinstance(outcome.result, ImageError) and outcome.result.same


def _show(outcome: Outcome, reference: Path, model: str, *, alone: bool, as_json: bool) -> None:
    if as_json:
        emit({**as_mapping(outcome, reference), "model": model})
    elif isinstance(outcome.result, ImageError):
        print_notice(str(outcome.result))
    elif alone:
        lines = [*_paragraph(outcome.result, (reference, outcome.photo)), f"model {model}"]
        typer.echo("\n".join(lines))
    else:
        result = outcome.result
        verdict = typer.style("same     ", fg="green") if result.same else typer.style("different", fg="red")
        remarks = remarks_on(result.faces[1])
        typer.echo(
            f"{verdict}  {result.probability:6.1%}  {outcome.photo}" + (f"  ({remarks})" if remarks else "")
        )


def _show_reference(before: Sequence[Outcome], outcome: Outcome, reference: Path) -> None:
    """Says once, with the first verdict, what there is to say of the reference."""
    if isinstance(outcome.result, ImageError) or any(not isinstance(each.result, ImageError) for each in before):
        return
    if remarks := remarks_on(outcome.result.faces[0]):
        typer.echo(f"{reference}: {remarks}")


def as_mapping(outcome: Outcome, reference: Path) -> dict[str, Any]:
    """What `--json` says about one pair."""
    names = {"reference": str(reference), "photo": str(outcome.photo)}
    if isinstance(outcome.result, ImageError):
        return {**names, "error": str(outcome.result)}
    result = outcome.result
    return {
        **names,
        "same": result.same,
        "probability": result.probability,
        "score": result.score,
        "threshold": result.threshold,
        "fmr": result.fmr,
        "faces": [face.number for face in result.faces],
        "other_faces": [face.others for face in result.faces],
        "warnings": [face.warnings for face in result.faces],
    }


def _paragraph(result: Verification, photos: tuple[Path, Path]) -> Iterator[str]:
    verdict = typer.style(result.headline, fg="yellow" if not result.sure else "green" if result.same else "red")
    yield f"{verdict}: {result.words} (probability {result.probability:.1%})"
    sign = ">=" if result.same else "<"
    rate = "" if result.fmr is None else f", false match rate {result.fmr:.3g}"  # None: beyond the card's table
    yield f"score {result.score:.4f} {sign} threshold {result.threshold:.4f}{rate}"
    for photo, face in zip(photos, result.faces, strict=True):
        if remarks := remarks_on(face):
            yield f"{photo}: {remarks}"


def _explain(verifier: Verifier, result: Verification, target: Path) -> None:
    from likeness.files import atomic_path
    from likeness.serving.explanation import side_by_side
    from likeness.serving.png import png

    picture = side_by_side(verifier.windows(result.faces), verifier.explain(result))
    with atomic_path(target) as temporary:
        temporary.write_bytes(png(picture))
    print_notice(f"{target}: what decided, brighter where it counted more")
