"""The outputs of a finished training: the model's card, the curves, and a summary with its cost."""

from __future__ import annotations

import dataclasses
import os
import platform
import resource
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from likeness._version import __version__
from likeness.artifacts.history import HISTORY, STEPS
from likeness.artifacts.source_card import SourceCard
from likeness.artifacts.split import SplitCard
from likeness.artifacts.training_summary import (
    SUMMARY,
    EnsembleGain,
    FitFacts,
    FrozenFacts,
    HoldoutGain,
    HoldoutMetrics,
    Machine,
    MemberFacts,
    PartFacts,
    PeakMemory,
    TrainingFacts,
    TrainingSummary,
)
from likeness.errors import DataError, ModelError
from likeness.models.architecture import ModelParams
from likeness.models.card import CARD, Card, read_card
from likeness.models.preprocess import Preprocess
from likeness.models.towers.tower_card import require_faces
from likeness.training.params import MemberParams, RecipeParams, TrainParams
from likeness.training.plan import networks_of
from likeness.training.results import FittedMap, MemberResult, PlanResult, TrainedNetwork, TrainingResult

_PACKAGES = ("torch", "numpy", "safetensors", "pytorch-metric-learning")


@dataclasses.dataclass(frozen=True)
class TrainingSetup:
    """What went into a training.

    Attributes:
        model: the network, or what the members of an ensemble have in common.
        recipe: its name.
        train: how it was trained.
        source: of the faces.
        split: card of the split stage.
    """

    model: ModelParams
    recipe: RecipeParams
    train: TrainParams
    source: SourceCard
    split: SplitCard

    def __post_init__(self) -> None:
        if self.split.fingerprint != self.source.fingerprint:
            raise DataError(
                "the split was made from other faces than these; run the split stage again (dvc repro split)"
            )
        self.preprocess.require_fit(self.model)
        for network in self.networks:
            require_faces(network, self.source.size, self.source.align, self.source.crop)

    @property
    def networks(self) -> list[ModelParams]:
        """The network, or an ensemble's members; outside towers with what their cards say."""
        return [network for network, _ in networks_of(self.model, self.train)]

    @property
    def preprocess(self) -> Preprocess:
        """How the network's faces are cut and scaled."""
        return Preprocess(self.source.size, self.source.crop, self.train.standardise)

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter as plain nested values."""
        return {
            "model": dataclasses.asdict(self.model),
            "recipe": dataclasses.asdict(self.recipe),
            "train": dataclasses.asdict(self.train),
            "split": {key: getattr(self.split, key) for key in _SPLIT_KEYS},
        }

    @property
    def outside_data(self) -> str:
        """The category of other data that had a part in the model, as LFW's results pages draw the lines."""
        if self.recipe.outside_data is not None:
            return self.recipe.outside_data
        backbones = [network.backbone for network in self.networks]
        if described := dict.fromkeys(tower.category for backbone in backbones for tower in backbone.towers):
            return "; ".join(described)
        if any(backbone.holds_external for backbone in backbones):
            return "labelled (external tower)"
        if self.model.init_from is not None:
            return _outside_data_of(Path(self.model.init_from))
        return _ALIGNED_BY.get(self.source.alignment, "none")


_SPLIT_KEYS = ("protocol", "view", "fold", "seed", "people_share")
_ALIGNED_BY: Mapping[str, str] = {
    "LFW-a": "label-free (alignment of LFW-a)",
    "lfw-landmarks": "label-free (landmark detector)",
    "arcface-112": "label-free (landmark detector)",
    "dlib-150": "label-free (landmark detector)",
}
"""Outside data that had a part in an alignment, in the terms of LFW's results pages."""


def build_card(setup: TrainingSetup, result: PlanResult) -> Card:
    """The card of a trained model, its weights still to be saved."""
    network = result.network
    return Card(
        model=network.params,
        preprocess=setup.preprocess,
        mirror=setup.train.mirror_average,
        decision=network.decision,
        protocol=setup.split.protocol,
        outside_data=setup.outside_data,
        source=setup.source.source,
        synthetic=setup.source.synthetic,
        alignment=setup.source.alignment,
        align=setup.source.align,
        fingerprint=setup.source.fingerprint,
        recipe=setup.recipe.name or "unnamed",
        seed=setup.train.seed,
        trained=_facts(result),
        versions={
            "python": platform.python_version(),
            "likeness": __version__,
            **{name: _version(name) for name in _PACKAGES},
        },
    )


def write_training_reports(folder: Path, setup: TrainingSetup, result: PlanResult) -> TrainingSummary:
    """Writes history.csv, steps.csv and summary.json; returns the summary.

    Raises:
        OutputError: the folder cannot be written.
    """
    summary = _summary(setup, result)
    HISTORY.write(folder / HISTORY.name, HISTORY.records(result.history))
    STEPS.write(folder / STEPS.name, STEPS.records(result.steps))
    SUMMARY.write(folder / SUMMARY.name, summary)
    return summary


def _summary(setup: TrainingSetup, result: PlanResult) -> TrainingSummary:
    siamese = result.network.siamese
    speeds = sorted(record.images_per_second for record in result.history)
    return TrainingSummary(
        **vars(_facts(result)),
        outside_data=setup.outside_data,
        parameters=sum(parameter.numel() for parameter in siamese.parameters()),
        trainable_parameters=sum(p.numel() for p in siamese.parameters() if p.requires_grad),
        train_loss=result.train_loss,
        seconds=result.seconds,
        seconds_to_best=result.seconds_to_best,
        images_per_second=speeds[len(speeds) // 2] if speeds else None,
        processes=result.processes,
        precision=result.precision,
        peak_memory_bytes=_peak_memory(),
        machine=Machine(
            f"{platform.system()} {platform.machine()}", _processor(), os.cpu_count(), torch.get_num_threads()
        ),
        params=setup.parameters,
    )


def _facts(result: PlanResult) -> TrainingFacts:
    """How the plan went, part by part."""
    return TrainingFacts(
        epochs=len(result.history),
        best_epoch=result.best_epoch,
        stop_reason=result.stop_reason,
        formula=result.formula,
        device=result.device,
        holdout=result.network.holdout,
        parts={name: _part(trained) for name, trained in result.parts} if len(result.parts) > 1 else {},
        frozen={
            name: FrozenFacts(**dataclasses.asdict(trained.frozen))
            for name, trained in result.parts
            if trained.frozen
        },
        fit=_fit(result.network.fitted),
        cohort=_fit(result.network.cohort),
        members={
            member.name: MemberFacts(member.holdout, _fit(member.fitted), _peculiarities(member.params))
            for member in result.members
        },
        gain=_gain(result.network, result.best_member),
    )


def _part(trained: TrainingResult) -> PartFacts:
    best = trained.best
    holdout = HoldoutMetrics(best.holdout_loss, best.holdout_accuracy, best.holdout_auc)
    return PartFacts(len(trained.history), trained.best_epoch, trained.stop_reason, holdout)


def _peculiarities(params: MemberParams) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(params).items() if value is not None and key != "fit"}


def _fit(fitted: FittedMap | None) -> FitFacts | None:
    if fitted is None:
        return None
    return FitFacts(fitted.kind, fitted.before, _difference(fitted.after, fitted.before))


def _gain(ensemble: TrainedNetwork, best: MemberResult | None) -> EnsembleGain | None:
    """What joining the members gained, without a cohort, which is not part of it."""
    together = ensemble.cohort.before if ensemble.cohort else ensemble.holdout
    return None if best is None else EnsembleGain(best.name, _difference(together, best.holdout))


def _difference(after: HoldoutMetrics, before: HoldoutMetrics) -> HoldoutGain:
    return HoldoutGain(after.accuracy - before.accuracy, after.auc - before.auc)


def _outside_data_of(weights: Path) -> str:
    """What the card beside some weights says, where there is one."""
    try:
        return read_card(weights.parent / CARD).outside_data
    except ModelError:
        return f"unknown (weights of {weights.name})"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _peak_memory() -> PeakMemory:
    host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)
    return PeakMemory(host, torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0)


def _processor() -> str:
    """The processor's name where the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
