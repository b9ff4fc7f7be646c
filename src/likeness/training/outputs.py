"""The outputs of a finished training: the model's card, the curves, and a summary with its cost."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import platform
import resource
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from likeness._version import __version__
from likeness.artifacts.source_card import SourceCard
from likeness.errors import DataError
from likeness.files import write_json, write_text
from likeness.models.card import Card
from likeness.models.network import ModelParams
from likeness.models.preprocess import Preprocess
from likeness.training.history import EpochRecord, StepRecord
from likeness.training.params import RecipeParams, TrainParams
from likeness.training.results import FittedMap, HoldoutMetrics, PlanResult

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
    split: dict[str, Any]

    def __post_init__(self) -> None:
        if self.split.get("fingerprint") != self.source.fingerprint:
            raise DataError(
                "the split was made from other faces than these; run the split stage again (dvc repro split)"
            )
        self.preprocess.require_fit(self.model)

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
            "split": {key: self.split.get(key) for key in ("protocol", "view", "fold", "seed")},
        }

    @property
    def outside_data(self) -> str:
        """The category of other data that had a part in the model, as LFW's results pages draw the lines."""
        if self.recipe.outside_data is not None:
            return self.recipe.outside_data
        if self.model.holds_external:
            return "labelled (external tower)"
        if self.model.init_from is not None:
            return _outside_data_of(Path(self.model.init_from))
        return "label-free (alignment of LFW-a)" if self.source.alignment == "LFW-a" else "none"


def build_card(setup: TrainingSetup, result: PlanResult) -> Card:
    """The card of a trained model, its weights still to be saved."""
    network = result.network
    return Card(
        model=network.params,
        preprocess=setup.preprocess,
        mirror=setup.train.mirror_average,
        decision=network.decision,
        protocol=str(setup.split["protocol"]),
        outside_data=setup.outside_data,
        source=setup.source.source,
        synthetic=setup.source.synthetic,
        alignment=setup.source.alignment,
        frame=setup.source.frame,
        fingerprint=setup.source.fingerprint,
        recipe=setup.recipe.name or "unnamed",
        seed=setup.train.seed,
        trained={
            "epochs": len(result.history),
            "best_epoch": result.best_epoch,
            "stop_reason": result.stop_reason,
            "formula": result.formula,
            "device": result.device,
            "holdout": dataclasses.asdict(network.holdout),
            **_parts(result),
        },
        versions={
            "python": platform.python_version(),
            "likeness": __version__,
            **{name: _version(name) for name in _PACKAGES},
        },
    )


def write_training_reports(folder: Path, setup: TrainingSetup, result: PlanResult) -> dict[str, Any]:
    """Writes history.csv, steps.csv and summary.json; returns the summary.

    Raises:
        OutputError: the folder cannot be written.
    """
    summary = _summary(setup, result)
    write_text(folder / "history.csv", _table(EpochRecord, result.history))
    write_text(folder / "steps.csv", _table(StepRecord, result.steps))
    write_json(folder / "summary.json", summary)
    return summary


def _summary(setup: TrainingSetup, result: PlanResult) -> dict[str, Any]:
    siamese = result.network.siamese
    speeds = sorted(record.images_per_second for record in result.history)
    return {
        "best_epoch": result.best_epoch,
        "epochs": len(result.history),
        "stop_reason": result.stop_reason,
        "formula": result.formula,
        "outside_data": setup.outside_data,
        "parameters": sum(parameter.numel() for parameter in siamese.parameters()),
        "trainable_parameters": sum(p.numel() for p in siamese.parameters() if p.requires_grad),
        "holdout": dataclasses.asdict(result.network.holdout),
        "train_loss": result.train_loss,
        **_parts(result),
        "seconds": result.seconds,
        "seconds_to_best": result.seconds_to_best,
        "images_per_second": speeds[len(speeds) // 2] if speeds else None,
        "device": result.device,
        "processes": result.processes,
        "precision": result.precision,
        "peak_memory_bytes": _peak_memory(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
        },
        "params": setup.parameters,
    }


def _parts(result: PlanResult) -> dict[str, Any]:
    """How the plan went, part by part; nothing of what it did not have.

    `frozen` tells what was found bit-identical before and after, `fit` what a map behind the network did to the
    held-out figures, `gain` by how much an ensemble's exceed those of its best member.
    """
    parts: dict[str, Any] = {}
    if len(result.parts) > 1:
        parts["parts"] = {
            name: {
                "epochs": len(trained.history),
                "best_epoch": trained.best_epoch,
                "stop_reason": trained.stop_reason,
                "holdout": {"loss": best.holdout_loss, "accuracy": best.holdout_accuracy, "auc": best.holdout_auc},
            }
            for name, trained in result.parts
            for best in [trained.best]
        }
    if frozen := {name: dataclasses.asdict(trained.frozen) for name, trained in result.parts if trained.frozen}:
        parts["frozen"] = frozen
    if result.network.fitted:
        parts["fit"] = _fit(result.network.fitted)
    if best_member := result.best_member:
        parts["members"] = {
            member.name: {
                **{key: value for key, value in dataclasses.asdict(member.params).items() if value is not None},
                "holdout": dataclasses.asdict(member.holdout),
                **({"fit": _fit(member.fitted)} if member.fitted else {}),
            }
            for member in result.members
        }
        gain = _difference(result.network.holdout, best_member.holdout)
        parts["gain"] = {"over": best_member.name, "holdout": gain}
    return parts


def _fit(fitted: FittedMap) -> dict[str, Any]:
    return {
        "kind": fitted.kind,
        "before": dataclasses.asdict(fitted.before),
        "gain": _difference(fitted.after, fitted.before),
    }


def _difference(after: HoldoutMetrics, before: HoldoutMetrics) -> dict[str, float]:
    return {"accuracy": after.accuracy - before.accuracy, "auc": after.auc - before.auc}


def _table(kind: type[EpochRecord] | type[StepRecord], records: Sequence[EpochRecord | StepRecord]) -> str:
    """CSV with a header; None and NaN are empty cells."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in dataclasses.fields(kind))
    for record in records:
        writer.writerow("" if value is None or value != value else value for value in dataclasses.astuple(record))
    return text.getvalue()


def _outside_data_of(weights: Path) -> str:
    """What the card beside some weights says, where there is one."""
    try:
        card = json.loads((weights.parent / "card.json").read_text(encoding="utf-8"))
        return str(card["outside_data"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"unknown (weights of {weights.name})"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _peak_memory() -> dict[str, int]:
    """Largest resident memory of this process, and largest allocation on a GPU, in bytes."""
    host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)
    return {"host": host, "gpu": torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0}


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
