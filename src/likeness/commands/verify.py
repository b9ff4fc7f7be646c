"""`likeness verify`: do two photographs show the same person?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from likeness.commands.common import (
    AlignedOption,
    Exit,
    JsonOption,
    ModelOption,
    ThresholdOption,
    batches,
    choice_among_faces,
    emit,
    finite,
    load_verifier,
    photographs,
    tell,
)
from likeness.errors import ImageError

if TYPE_CHECKING:
    from likeness.serving.verifier import Verification, Verifier


@dataclass(frozen=True)
class Outcome:
    """What became of one photograph: a verdict, or the reason that there is none."""

    photo: Path
    result: Verification | ImageError


def verify(
    reference: Annotated[Path, typer.Argument(help="The photograph that the others are compared with.")],
    others: Annotated[list[str], typer.Argument(help="Photographs, folders or patterns.", metavar="PHOTO...")],
    model: ModelOption = None,
    far: Annotated[
        float | None,
        typer.Option(
            help="Decide where this share of pairs of different people is accepted, such as 0.01.", callback=finite
        ),
    ] = None,
    threshold: ThresholdOption = None,
    aligned: AlignedOption = False,
    explain: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Write what decided: both faces under heat maps (one pair).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Whether photographs show the same person as a reference.

    Exit code: 0 all show the same person, 1 one of them shows another, 2 something went wrong.
    """
    paths = photographs(others)
    if explain is not None and len(paths) != 1:
        raise typer.BadParameter("explains one pair of photographs at a time", param_hint="--explain")
    verifier = load_verifier(model)
    if len(paths) > 1 and not as_json:
        tell(f"model: {verifier.name}")
    outcomes: list[Outcome] = []
    for outcome in compare(verifier, reference, paths, far, threshold, aligned):
        if len(paths) > 1 and not as_json:
            _show_reference(outcomes, outcome, reference)
        outcomes.append(outcome)
        _show(outcome, reference, verifier.name, alone=len(paths) == 1, as_json=as_json)
    if explain is not None and not isinstance(outcomes[0].result, ImageError):
        _explain(verifier, outcomes[0].result, explain)
    raise typer.Exit(exit_code(outcomes))


def compare(
    verifier: Verifier,
    reference: Path,
    paths: Sequence[Path],
    far: float | None,
    threshold: float | None,
    aligned: bool,
) -> Iterator[Outcome]:
    """The verdict on each photograph, in order; the reference is embedded once.

    Raises:
        ImageError: the reference cannot be used.
        ModelError: the model's card does not support the false-accept rate.
    """
    cut, rate = verifier.threshold(far, threshold)
    face = verifier.face(reference, aligned=aligned)
    embedding = verifier.embed_faces([face])
    for batch in batches(paths, "comparing"):
        read = list(verifier.faces(batch, aligned=aligned))
        usable = [other for other in read if not isinstance(other, ImageError)]
        scores = iter(verifier.model.comparator.pairs(embedding, verifier.embed_faces(usable)))
        for path, other in zip(batch, read, strict=True):
            if isinstance(other, ImageError):
                yield Outcome(path, other)
            else:
                yield Outcome(path, verifier.verdict(float(next(scores)), (face, other), cut, rate))


def exit_code(outcomes: Sequence[Outcome]) -> Exit:
    """The worst of all."""
    if any(isinstance(outcome.result, ImageError) for outcome in outcomes):
        return Exit.ERROR
    return Exit.YES if all(_same(outcome) for outcome in outcomes) else Exit.NO


def _same(outcome: Outcome) -> bool:
    return not isinstance(outcome.result, ImageError) and outcome.result.same


def _show(outcome: Outcome, reference: Path, model: str, *, alone: bool, as_json: bool) -> None:
    if as_json:
        emit({**as_mapping(outcome, reference), "model": model})
    elif isinstance(outcome.result, ImageError):
        tell(str(outcome.result))
    elif alone:
        lines = [*_paragraph(outcome.result, (reference, outcome.photo)), f"model {model}"]
        typer.echo("\n".join(lines))
    else:
        result = outcome.result
        verdict = typer.style("same     ", fg="green") if result.same else typer.style("different", fg="red")
        choice = choice_among_faces(result.faces[1])
        typer.echo(f"{verdict}  {result.probability:6.1%}  {outcome.photo}" + (f"  ({choice})" if choice else ""))


def _show_reference(before: Sequence[Outcome], outcome: Outcome, reference: Path) -> None:
    """Says once, with the first verdict, that the reference shows several faces."""
    if isinstance(outcome.result, ImageError) or any(not isinstance(each.result, ImageError) for each in before):
        return
    if choice := choice_among_faces(outcome.result.faces[0]):
        typer.echo(f"{reference}: {choice}")


def as_mapping(outcome: Outcome, reference: Path) -> dict[str, Any]:
    """What a program is told about one pair."""
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
        "far": result.far,
        "other_faces": [face.others for face in result.faces],
    }


def _paragraph(result: Verification, photos: tuple[Path, Path]) -> Iterator[str]:
    verdict = typer.style(result.headline, fg="yellow" if not result.sure else "green" if result.same else "red")
    yield f"{verdict}: {result.words} (probability {result.probability:.1%})"
    sign = ">=" if result.same else "<"
    rate = "" if result.far is None else f", false-accept rate {result.far:.3g}"  # None: beyond the card's table
    yield f"score {result.score:.4f} {sign} threshold {result.threshold:.4f}{rate}"
    for photo, face in zip(photos, result.faces, strict=True):
        if choice := choice_among_faces(face):
            yield f"{photo}: {choice}"


def _explain(verifier: Verifier, result: Verification, target: Path) -> None:
    from likeness.files import atomic_path
    from likeness.serving.explanation import side_by_side
    from likeness.serving.pictures import png

    picture = side_by_side(verifier.windows(result.faces), verifier.explain(result))
    with atomic_path(target) as temporary:
        temporary.write_bytes(png(picture))
    tell(f"{target}: what decided, brighter where it counted more")
