"""A model as the stages leave it: weights and card, predictions of known accuracy, and a tracked run."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from likeness.artifacts.history import HISTORY, STEPS, EpochRecord, StepRecord
from likeness.artifacts.predictions import PREDICTIONS
from likeness.artifacts.run_note import RUN_NOTE
from likeness.artifacts.training_summary import SUMMARY, Machine, PeakMemory, TrainingFacts, TrainingSummary
from likeness.models.card import Card
from likeness.models.decision import Decision, fit_decision
from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess
from likeness.models.weights import save_model
from likeness.tracking.registry import Registry
from likeness.tracking.runs import DatasetNote, RunTitle, TrackedRun, TrackingParams
from tests.artifacts.samples import sample_metrics
from tests.models.parts import planned

METRICS = sample_metrics(model=0.9, baseline=0.6)
PAIRS = 200


def trained(
    folder: Path, seed: int, accuracy: float, *, log_model: bool = False, fingerprint: str = "f" * 64
) -> Path:
    """A model folder, its predictions and its run, as the stages leave them."""
    rng = np.random.default_rng(seed)
    same = np.arange(PAIRS) < PAIRS // 2
    correct = rng.random(PAIRS) < accuracy
    score = np.where(same == correct, 0.5, -0.5) + rng.normal(0, 0.01, PAIRS)
    model_folder(folder / "model", seed, fit_decision(score, same), fingerprint)
    first, second = image_pairs(same)
    predictions = pd.DataFrame(
        {
            "split": "test", "first": first, "second": second, "same": same, "score": score,
            "probability": np.where(score > 0, 0.9, 0.1), "predicted": score > 0, "correct": correct,
            "brightness": math.nan, "contrast": math.nan, "sharpness": math.nan, "yaw": math.nan,
        }
    )  # fmt: skip
    PREDICTIONS.write(folder / PREDICTIONS.name, predictions)
    note = DatasetNote("synthetic", fingerprint, "lfwa.tar.gz")
    with TrackedRun.start(TrackingParams(), title=RunTitle("tiny", "synthetic"), values={}, dataset=note) as run:
        RUN_NOTE.write(folder / "run.json", run.finish(folder / "model" if log_model else None, {}))
    return folder


def model_folder(folder: Path, seed: int, decision: Decision, fingerprint: str = "f" * 64) -> Path:
    """Weights and card of a small network."""
    params = planned(backbone="residual", comparator="cosine", embedding_dim=8, width=0.25)
    card = Card(
        model=params,
        preprocess=Preprocess((32, 32), None, "image"), mirror=False, decision=decision,
        protocol="restricted", outside_data="none", source="synthetic", synthetic=True, alignment="synthetic",
        fingerprint=fingerprint, recipe="tiny", seed=seed, trained=TrainingFacts(), versions={},
    )  # fmt: skip
    save_model(folder, build_siamese(params, (32, 32), seed), card)
    return folder


def image_pairs(same: npt.NDArray[np.bool_]) -> tuple[list[str], list[str]]:
    """Names of the images of pairs, each of people of its own."""
    first = [f"P{i:04d}_0001" for i in range(len(same))]
    return first, [f"{'P' if one else 'Q'}{i:04d}_0002" for i, one in enumerate(same)]


def training_reports(folder: Path) -> None:
    """What the train stage writes beside run.json."""
    summary = TrainingSummary(
        epochs=2, best_epoch=2, device="cpu", outside_data="none", parameters=9, trainable_parameters=9,
        seconds=2.0, seconds_to_best=2.0, processes=1,
        peak_memory_bytes=PeakMemory(1, 0), machine=Machine("x", "x", 1, 1),
        params={"train": {"epochs": 2, "seed": 7}},
    )  # fmt: skip
    SUMMARY.write(folder / "summary.json", summary)
    epochs = [EpochRecord(n, 1 / 2**n, None, 0.6, 0.7, 0.8, 1e-3, 1.0, 9.0, 0.0, 0.1) for n in (1, 2)]
    HISTORY.write(folder / "history.csv", HISTORY.records(epochs))
    steps = [StepRecord(n, (n + 1) // 2, 1 / n, math.nan, 1e-3, 9) for n in (1, 2, 3)]
    STEPS.write(folder / "steps.csv", STEPS.records(steps))


def register(registry: Registry, folder: Path) -> int:
    return registry.register(
        folder / "model", folder / "predictions.parquet", METRICS, folder / "run.json"
    ).version
