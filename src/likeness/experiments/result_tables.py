"""The table of results: one line a recipe, over its seeds, or over the folds of View 2."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from likeness.artifacts.metrics import METRICS, Metrics
from likeness.artifacts.recipe_table import RecipeRecord
from likeness.artifacts.training_summary import SUMMARY, TrainingSummary
from likeness.errors import DataError
from likeness.experiments.experiment_plan import FOLDS
from likeness.experiments.trials import TrialFolder
from likeness.files import write_text
from likeness.metrics.intervals import Estimate, mean_over_folds

_HEADER = (
    "recipe",
    "protocol",
    "seeds",
    "test accuracy",
    "AUC",
    "TMR at FMR 1 %",
    "holdout AUC",
    "parameters",
    "MMACs",
    "training",
)

_RIVALS = {"points over it": "baseline", "over the better member": "best_member"}


@dataclass(frozen=True)
class MeasuredTrial:
    """The results of one trial.

    Attributes:
        trial: its folder.
        metrics: of the evaluate stage.
        summary: of the train stage.
        mmacs: million multiply-accumulates of one embedding, mirror averaging included.
    """

    trial: TrialFolder
    metrics: Metrics
    summary: TrainingSummary
    mmacs: float

    @property
    def protocol(self) -> str:
        """Restricted or unrestricted, and outside data where there is any."""
        protocol = self.metrics.protocol
        outside = "" if protocol.outside_data == "none" else f", outside data: {protocol.outside_data}"
        return protocol.name + outside

    @property
    def fold(self) -> int | None:
        """Of View 2, or None."""
        return self.metrics.protocol.fold

    @property
    def recipe(self) -> str:
        """Its recipe's name."""
        return self.metrics.protocol.recipe

    def figure(self, name: str, system: str = "model", side: Literal["test", "holdout"] = "test") -> Estimate:
        """A figure with its interval."""
        measured = self.metrics.systems[system]
        figures = measured.test if side == "test" else measured.holdout
        return {"accuracy": figures.accuracy, "auc": figures.auc, **figures.tmr}[name]


def measured(trials: Sequence[TrialFolder]) -> list[MeasuredTrial]:
    """Those trials that have been measured."""
    return [_read(trial) for trial in trials if trial.state == "measured"]


def _read(trial: TrialFolder) -> MeasuredTrial:
    evaluation, training = trial.folder / "evaluation", trial.folder / "train"
    with (evaluation / "layers.csv").open(encoding="utf-8") as file:
        mmacs = sum(float(layer["mmacs"]) for layer in csv.DictReader(file))
    doubled = 2 if trial.read_params()["train"]["mirror_average"] else 1
    metrics, summary = METRICS.read(evaluation / METRICS.name), SUMMARY.read(training / SUMMARY.name)
    return MeasuredTrial(trial, metrics, summary, mmacs * doubled)


def view1_table(rows: Sequence[MeasuredTrial]) -> str:
    """Markdown, best first; of several seeds the mean of figures and intervals, and the range in parentheses."""
    cells = (_cells(seeds) for seeds in _by_recipe(rows))
    lines = [_line(_HEADER), _line(["---"] * len(_HEADER)), *(_line(each) for each in cells)]
    return "\n".join([*lines, *_baselines(rows)])


def recipe_records(rows: Sequence[MeasuredTrial]) -> list[RecipeRecord]:
    """The same for `reports/recipes.csv`, in the same order."""
    return [_record(seeds) for seeds in _by_recipe(rows)]


def _by_recipe(rows: Sequence[MeasuredTrial]) -> list[list[MeasuredTrial]]:
    """View 1's rows of each recipe and length of training, the most accurate first."""
    groups: dict[tuple[str, int], list[MeasuredTrial]] = {}
    for row in rows:
        if row.fold is None:
            groups.setdefault((row.recipe, row.summary.epochs), []).append(row)
    return sorted(groups.values(), key=lambda seeds: -_mean(seeds, "accuracy"))


def _record(seeds: Sequence[MeasuredTrial]) -> RecipeRecord:
    first = seeds[0]
    low, high = _ends([row.figure("accuracy") for row in seeds])
    return RecipeRecord(
        first.recipe,
        first.metrics.data.source,
        first.protocol,
        len(seeds),
        round(_mean(seeds, "accuracy"), 4),
        round(low, 4),
        round(high, 4),
        first.summary.epochs,
        first.summary.parameters,
        round(first.mmacs, 1),
        round(_minutes(seeds), 1),
    )


def _cells(seeds: Sequence[MeasuredTrial]) -> list[str]:
    first = seeds[0]
    return [
        f"`{first.recipe}`",
        first.protocol,
        str(len(seeds)),
        f"**{_mean(seeds, 'accuracy'):.3f}** {_spread(seeds, 'accuracy')}",
        f"{_mean(seeds, 'auc'):.3f} {_spread(seeds, 'auc')}",
        f"{_mean(seeds, 'tmr_at_fmr_1e-2'):.3f} {_spread(seeds, 'tmr_at_fmr_1e-2')}",
        f"{_mean(seeds, 'auc', side='holdout'):.3f}",
        f"{first.summary.parameters / 1e6:.2f} M",
        f"{first.mmacs:.0f}",
        f"{_epochs(first)}, {_minutes(seeds):.0f} min, {first.summary.device}",
    ]


def _minutes(seeds: Sequence[MeasuredTrial]) -> float:
    """Of one training."""
    return statistics.mean(row.summary.seconds for row in seeds) / 60


def _epochs(row: MeasuredTrial) -> str:
    return f"{row.summary.epochs} epochs" if row.summary.epochs else "closed form"


def _baselines(rows: Sequence[MeasuredTrial]) -> Iterable[str]:
    """One line for each protocol and store that a classical baseline was measured on."""
    first: dict[tuple[str, str], MeasuredTrial] = {}
    for row in rows:
        if row.fold is None:
            first.setdefault((row.protocol.split(",")[0], _seen(row.trial.read_params()["data"])), row)
    for (protocol, seen), row in sorted(first.items()):
        cells = [
            f"{figure.value:.3f} {_interval(figure.low, figure.high)}"
            for figure in (row.figure(name, "baseline") for name in ("accuracy", "auc", "tmr_at_fmr_1e-2"))
        ]
        held_out = f"{row.figure('auc', 'baseline', 'holdout').value:.3f}"
        yield _line([f"classical baseline, {seen}", protocol, "–", *cells, held_out, "–", "–", "seconds"])


def _seen(data: Mapping[str, Any]) -> str:
    """The window of a picture that a store holds, and its size there."""
    crop, size = ("×".join(map(str, data[name] or [])) for name in ("crop", "size"))
    return f"{crop or 'all'} as {size}"


def view2_table(rows: Sequence[MeasuredTrial]) -> str:
    """Markdown: mean ± standard error over the folds, a line for each recipe and what it was trained on."""
    groups: dict[tuple[str, str], list[MeasuredTrial]] = {}
    for row in rows:
        if row.fold is not None:
            groups.setdefault((row.recipe, trained_on(row)), []).append(row)
    header = (
        "recipe",
        "protocol",
        "trained on",
        "folds",
        "accuracy",
        "AUC",
        "classical baseline",
        *_RIVALS,
        "each fold",
    )
    lines = [_line(_fold_cells(folds)) for _, folds in sorted(groups.items()) if len(folds) > 1]
    return "\n".join([_line(header), _line(["---"] * len(header)), *lines]) if lines else ""


def trained_on(row: MeasuredTrial) -> str:
    """What a training of View 2 saw, and for how long."""
    return f"{FOLDS - row.trial.read_params()['split']['folds_out']} folds, {_epochs(row)}"


def _fold_cells(rows: Sequence[MeasuredTrial]) -> list[str]:
    folds = sorted(rows, key=lambda row: row.fold or 0)
    accuracies = [row.figure("accuracy").value for row in folds]
    ours = mean_over_folds(accuracies)
    auc = mean_over_folds([row.figure("auc").value for row in folds])
    floor = mean_over_folds([row.figure("accuracy", "baseline").value for row in folds])
    return [
        f"`{folds[0].recipe}`",
        folds[0].protocol,
        trained_on(folds[0]),
        f"{len(folds)} of {FOLDS}" if len(folds) < FOLDS else str(FOLDS),
        f"**{ours.mean:.4f} ± {ours.standard_error:.4f}**",
        f"{auc.mean:.4f} ± {auc.standard_error:.4f}",
        f"{floor.mean:.4f} ± {floor.standard_error:.4f}",
        *(_gain(folds, system) for system in _RIVALS.values()),
        " ".join(f"{value:.3f}" for value in accuracies),
    ]


def _gain(folds: Sequence[MeasuredTrial], system: str) -> str:
    """Percentage points over another system on the same pairs, fold by fold; a dash where there is no such."""
    if system not in folds[0].metrics.systems:
        return "–"
    names = ("model", system)
    pairs = [[row.figure("accuracy", name).value for name in names] for row in folds]
    gain = mean_over_folds([100 * (ours - theirs) for ours, theirs in pairs])
    return f"{gain.mean:+.1f} ± {gain.standard_error:.1f}"


def put_into(document: Path, table: str, name: str) -> None:
    """Replaces what is between a document's markers of that name.

    Raises:
        DataError: the document has no such markers.
    """
    begin, end = (f"<!-- results {name}: {side} -->" for side in ("begin", "end"))
    text = document.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise DataError(f"{document}: expected the markers {begin} and {end} around the table")
    write_text(document, f"{before}{begin}\n{table}\n{end}{after}")


def _mean(seeds: Sequence[MeasuredTrial], name: str, side: Literal["test", "holdout"] = "test") -> float:
    return statistics.mean(row.figure(name, side=side).value for row in seeds)


def _spread(seeds: Sequence[MeasuredTrial], name: str) -> str:
    """The interval, of several seeds its mean ends: the pairs are the same ones; then the range over the seeds."""
    figures = [row.figure(name) for row in seeds]
    interval = _interval(*_ends(figures))
    if len(figures) == 1:
        return interval
    values = [figure.value for figure in figures]
    return f"{interval} ({min(values):.3f}–{max(values):.3f})"


def _ends(figures: Sequence[Estimate]) -> tuple[float, float]:
    """Means of the ends of intervals."""
    return statistics.mean(each.low for each in figures), statistics.mean(each.high for each in figures)


def _interval(low: float, high: float) -> str:
    return f"[{low:.3f}, {high:.3f}]"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
