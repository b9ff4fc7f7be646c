"""What a finished training leaves behind: the model's card, the curves, and a summary with its cost."""

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

import likeness
from likeness.data.faceset import SourceCard
from likeness.errors import DataError
from likeness.files import write_json, write_text
from likeness.models.card import Card
from likeness.models.network import ModelParams
from likeness.models.preprocess import Preprocess
from likeness.training.params import RecipeParams, TrainParams
from likeness.training.records import EpochRecord, StepRecord
from likeness.training.run import Trained

_PACKAGES = ("torch", "numpy", "safetensors", "pytorch-metric-learning")


@dataclasses.dataclass(frozen=True)
class Setup:
    """What went into a training.

    Attributes:
        model: the network.
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
                "the split speaks of other faces than these; run the split stage again (dvc repro split)"
            )

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
        if self.model.holds_external:
            return "labelled (external tower)"
        if self.model.init_from is not None:
            return _outside_data_of(Path(self.model.init_from))
        return "label-free (alignment of LFW-a)" if self.source.alignment == "LFW-a" else "none"


def card_of(setup: Setup, trained: Trained) -> Card:
    """The card of a trained model, its weights still to be saved."""
    best = trained.best
    return Card(
        model=setup.model,
        preprocess=setup.preprocess,
        mirror=setup.train.mirror_average,
        decision=trained.decision,
        protocol=str(setup.split["protocol"]),
        outside_data=setup.outside_data,
        source=setup.source.source,
        synthetic=setup.source.synthetic,
        alignment=setup.source.alignment,
        fingerprint=setup.source.fingerprint,
        recipe=setup.recipe.name or "unnamed",
        seed=setup.train.seed,
        trained={
            "epochs": len(trained.history),
            "best_epoch": trained.best_epoch,
            "stop_reason": trained.stop_reason,
            "formula": trained.formula,
            "device": trained.device,
            "holdout": {"loss": best.holdout_loss, "accuracy": best.holdout_accuracy, "auc": best.holdout_auc},
        },
        versions={
            "python": platform.python_version(),
            "likeness": likeness.__version__,
            **{name: _version(name) for name in _PACKAGES},
        },
    )


def write_reports(folder: Path, setup: Setup, trained: Trained) -> dict[str, Any]:
    """Writes history.csv, steps.csv and summary.json; returns the summary.

    Raises:
        OutputError: the folder cannot be written.
    """
    summary = _summary(setup, trained)
    write_text(folder / "history.csv", _table(EpochRecord, trained.history))
    write_text(folder / "steps.csv", _table(StepRecord, trained.steps))
    write_json(folder / "summary.json", summary)
    return summary


def _summary(setup: Setup, trained: Trained) -> dict[str, Any]:
    best = trained.best
    speeds = sorted(record.images_per_second for record in trained.history)
    return {
        "best_epoch": trained.best_epoch,
        "epochs": len(trained.history),
        "stop_reason": trained.stop_reason,
        "formula": trained.formula,
        "parameters": sum(parameter.numel() for parameter in trained.siamese.parameters()),
        "trainable_parameters": sum(p.numel() for p in trained.siamese.parameters() if p.requires_grad),
        "holdout": {"loss": best.holdout_loss, "accuracy": best.holdout_accuracy, "auc": best.holdout_auc},
        "train_loss": best.train_loss,
        "seconds": trained.seconds,
        "seconds_to_best": trained.seconds_to_best,
        "images_per_second": speeds[len(speeds) // 2],
        "device": trained.device,
        "processes": trained.processes,
        "peak_memory_bytes": _peak_memory(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
        },
        "params": setup.parameters,
    }


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
