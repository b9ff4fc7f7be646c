"""Part of the training's chapter: the steps of a plan, what was frozen, what was fitted, who the members are."""

from __future__ import annotations

from likeness.artifacts.training_summary import HoldoutMetrics, MemberFacts, TrainingFacts
from likeness.reporting.document import Block, Column, Prose, Table
from likeness.reporting.inline import quoted
from likeness.reporting.wording import count, decimal, percent

_FIGURES = (Column("holdout accuracy", True), Column("holdout AUC", True))


def plan_blocks(trained: TrainingFacts) -> list[Block]:
    """What a training did beside one run of gradient descent; often nothing.

    Args:
        trained: of the model's card.
    """
    return [*_parts(trained), *_frozen(trained), *_fit(trained), *_members(trained), *_cohort(trained)]


def _parts(trained: TrainingFacts) -> list[Block]:
    rows = [
        [quoted(name), count(part.epochs), count(part.best_epoch), *_figures(part.holdout)]
        for name, part in trained.parts.items()
    ]
    columns = [Column("step"), Column("epochs", True), Column("weights of", True), *_FIGURES]
    return [Table(columns, rows, "Steps of the training, one after another.")] if rows else []


def _frozen(trained: TrainingFacts) -> list[Block]:
    return [
        Prose(
            f"In {quoted(name)} {count(frozen.values)} values in {count(frozen.tensors)} tensors were "
            f"frozen, batch-norm statistics included, and found **bit-identical** before and after (sha256 "
            f"{quoted(frozen.sha256[:16])}…)."
        )
        for name, frozen in trained.frozen.items()
    ]


def _fit(trained: TrainingFacts) -> list[Block]:
    fit = trained.fit
    if fit is None:
        return []
    before = "the trained network" if trained.epochs else "the descriptions, of which nothing is learnt"
    return [
        Prose(
            f"Behind {before}, a map was fitted on training faces: "
            f"**{fit.kind}**. On the held-out pairs, without the map, the accuracy was "
            f"{percent(fit.before.accuracy)} and the AUC {decimal(fit.before.auc)}; the map changes them by "
            f"{_signed(100 * fit.gain.accuracy, 1)} points and {_signed(fit.gain.auc, 3)}."
        )
    ]


def _members(trained: TrainingFacts) -> list[Block]:
    gain, together = trained.gain, trained.cohort.before if trained.cohort else trained.holdout
    if gain is None or together is None:
        return []
    rows = [
        [
            quoted(name),
            _peculiarities(member),
            *_figures(member.holdout),
        ]
        for name, member in trained.members.items()
    ]
    rows.append(["all together", "mean of the cosines", *_figures(together)])
    text = (
        f"On the held-out pairs the ensemble exceeds its best member, {quoted(gain.over)}, by "
        f"{_signed(100 * gain.holdout.accuracy, 1)} points of accuracy and "
        f"{_signed(gain.holdout.auc, 3)} of AUC."
    )
    columns = [Column("member"), Column("how it differs", room=16), *_FIGURES]
    return [Table(columns, rows, "Members of the ensemble.", strong=frozenset({len(rows) - 1})), Prose(text)]


def _cohort(trained: TrainingFacts) -> list[Block]:
    cohort = trained.cohort
    if cohort is None:
        return []
    return [
        Prose(
            "How near a face is to everybody is its mean cosine to the nearest of a cohort of training people, "
            "whose embeddings are part of the model; the mean of both faces' is taken off their cosine. On the "
            f"held-out pairs, without the cohort, the accuracy was {percent(cohort.before.accuracy)} and the AUC "
            f"{decimal(cohort.before.auc)}; it changes them by {_signed(100 * cohort.gain.accuracy, 1)} points "
            f"and {_signed(cohort.gain.auc, 3)}."
        )
    ]


def _peculiarities(member: MemberFacts) -> str:
    return ", ".join(f"{key} {value}" for key, value in member.params.items())


def _figures(holdout: HoldoutMetrics) -> list[str]:
    return [percent(holdout.accuracy), decimal(holdout.auc)]


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")
