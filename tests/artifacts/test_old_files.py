"""Files that were written before there were schema versions are read; the texts are of release 0.1."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from likeness.artifacts.evaluation_tables import ROC
from likeness.artifacts.gate_figures import GATE_FIGURES, GateFigures
from likeness.artifacts.history import HISTORY, EpochRecord
from likeness.artifacts.metrics import METRICS
from likeness.artifacts.predictions import PREDICTIONS, people, read_test_pairs
from likeness.artifacts.run_note import RUN_NOTE, Provenance, RunNote
from likeness.artifacts.shown_decisions import DECISIONS
from likeness.artifacts.source_card import SOURCE_CARD, SourceCard
from likeness.artifacts.split import SPLIT_CARD, SideCounts
from likeness.artifacts.training_summary import (
    SUMMARY,
    FitFacts,
    FrozenFacts,
    HoldoutGain,
    HoldoutMetrics,
    MemberFacts,
)
from likeness.artifacts.validation_record import VALIDATION
from likeness.data.protocol import PAIR_LISTS
from likeness.errors import DataError
from likeness.files import read_json


def test_source_card(tmp_path: Path) -> None:
    text = """{
      "alignment": "synthetic", "archive_sha256": "ab", "checksum": "recorded", "collected_images": 0,
      "collected_people": 0, "crop": [120, 100], "fingerprint": "cd", "frame": "none", "images": 5, "people": 2,
      "place": "drawn.zip", "size": [48, 40], "smallest_face": null, "source": "synthetic", "synthetic": true}"""
    (tmp_path / "source.json").write_text(text)
    expected = SourceCard(
        "synthetic",
        synthetic=True,
        alignment="synthetic",
        place="drawn.zip",
        archive_sha256="ab",
        checksum="recorded",
        crop=(120, 100),
        images=5,
        people=2,
        size=(48, 40),
        fingerprint="cd",
    )
    assert SOURCE_CARD.read(tmp_path / "source.json") == expected


def test_run_note(tmp_path: Path) -> None:
    code = {"changed": ["a.py"], "commit": "c0ffee", "dirty": True, "dvc_lock": "ab", "experiment": None}
    values = {
        "code": code,
        "experiment": "likeness",
        "experiment_id": "1",
        "reason": None,
        "run_id": "f" * 32,
        "uri": "sqlite:///mlflow.db",
    }
    path = tmp_path / "run.json"
    path.write_text(json.dumps(values))
    provenance = Provenance("c0ffee", dirty=True, changed=("a.py",), dvc_lock="ab")
    expected = RunNote("f" * 32, "likeness", "1", "sqlite:///mlflow.db", None, provenance)
    assert RUN_NOTE.read(path) == expected  # 0.1 named no weights
    path.write_text(json.dumps(values | {"weights_sha256": "ef"}))
    assert RUN_NOTE.read(path).weights_sha256 == "ef"


HISTORY_0_1 = """epoch,train_loss,train_accuracy,holdout_loss,holdout_accuracy,holdout_auc,learning_rate,seconds,\
images_per_second,penalty,spread,part
1,0.7,,0.6,0.55,0.6,0.001,2.5,100.0,0.0,0.1,train
"""


def test_history(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    record = EpochRecord(1, 0.7, None, 0.6, 0.55, 0.6, 0.001, 2.5, 100.0, 0.0, 0.1)
    expected = HISTORY.records([record]).astype(dict(HISTORY.columns))
    path.write_text(HISTORY_0_1)
    pd.testing.assert_frame_equal(HISTORY.read(path), expected)
    HISTORY.write(path, expected)
    assert path.read_text() == HISTORY_0_1.replace("part\n", "part,cores\n").replace("train\n", "train,\n")
    path.write_text(HISTORY_0_1.replace(",part", "").replace(",train\n", "\n"))  # as before there were parts
    pd.testing.assert_frame_equal(HISTORY.read(path), expected)


SUMMARY_0_1 = {
    "best_epoch": None,
    "device": "cpu",
    "epochs": 0,
    "formula": "none",
    "holdout": {"accuracy": 0.5, "auc": 0.5, "loss": 0.7},
    "fit": {
        "kind": "wccn",
        "before": {"accuracy": 0.5, "auc": 0.5, "loss": 0.7},
        "gain": {"accuracy": 0.1, "auc": 0.1},
    },
    "frozen": {"train": {"tensors": 2, "numbers": 9, "sha256": "ab"}},
    "members": {
        "member-1": {
            "seed": 1,
            "holdout": {"accuracy": 0.5, "auc": 0.5, "loss": 0.7},
            "weight": 1.0,
        }
    },
    "gain": {"over": "member-1", "holdout": {"accuracy": 0.1, "auc": 0.1}},
    "images_per_second": None,
    "machine": {"cores": 2, "processor": "x", "system": "Linux x86_64", "threads": 1},
    "outside_data": "none",
    "parameters": 10,
    "params": {"train": {"epochs": 0}},
    "peak_memory_bytes": {"gpu": 0, "host": 1},
    "precision": None,
    "processes": 1,
    "seconds": 1.0,
    "seconds_to_best": 1.0,
    "stop_reason": "nothing",
    "train_loss": None,
    "trainable_parameters": 10,
}


def test_training_summary(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(SUMMARY_0_1))
    summary = SUMMARY.read(path)
    assert summary.frozen == {"train": FrozenFacts(2, 9, "ab")}
    holdout = HoldoutMetrics(0.7, 0.5, 0.5)
    member = MemberFacts(holdout, None, {"seed": 1, "weight": 1.0})
    assert summary.members == {"member-1": member}
    assert summary.fit == FitFacts("wccn", holdout, HoldoutGain(0.1, 0.1))
    assert summary.params == {"train": {"epochs": 0}}


DECIDED = {
    "same": [True, False],
    "score": [0.9, 0.1],
    "probability": [0.8, 0.2],
    "predicted": True,
    "correct": True,
}


def test_predictions_of_an_evaluation(tmp_path: Path) -> None:
    """0.1 named rows of the manifest, which the report can do without, but the gate cannot."""
    path = tmp_path / "predictions.parquet"
    pd.DataFrame({"split": ["holdout", "test"], "a": [0, 5], "b": [1, 9], **DECIDED}).to_parquet(path, index=False)
    assert PREDICTIONS.read(path)["score"].tolist() == [0.9, 0.1]
    with pytest.raises(DataError, match=r"does not name the images.*dvc repro evaluate"):
        read_test_pairs(path)


def test_predictions_of_a_version(tmp_path: Path) -> None:
    names = {"first": ["Ann_0001", "Bo_0001"], "second": ["Ann_0002", "Ann_0003"]}
    persons = {"first_person": ["Ann", "Bo"], "second_person": ["Ann", "Ann"]}
    worse = {"brightness": [0.5, 0.25], "sharpness": [9.0, 8.0]}
    path = tmp_path / "predictions.parquet"
    table = pd.DataFrame({"split": "test", **DECIDED, **names, **persons, **worse})
    table.astype({"brightness": "float32", "sharpness": "float32"}).to_parquet(path, index=False)
    read = read_test_pairs(path)
    assert [people(read[side]).tolist() for side in ("first", "second")] == [["Ann", "Bo"], ["Ann", "Ann"]]
    assert read["brightness"].tolist() == [0.5, 0.25]


def test_figures_of_a_version(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text('{"baseline_accuracy": 0.6, "bytes": 10, "milliseconds": 1.5, "threshold": 0.2}')
    assert GATE_FIGURES.read(path) == GateFigures(0.2, 0.6, 10)


FORMER = Path(__file__).parent / "former"
RATES = {
    "open_set_at_far_": "tpir_at_fpir_",
    "tar_at_far_": "tmr_at_fmr_",
    '"far_1': '"fmr_1',
    '"far"': '"fmr"',
    '"tar"': '"tmr"',
    "_accepts": "_matches",
    "_rejects": "_non_matches",
}
"""Names of rates in files of 0.1, and those of now."""


def test_metrics() -> None:
    """The file was written by the code of 0.1, on drawn faces; its rates have other names now."""
    metrics = METRICS.read(FORMER / "metrics.json")
    assert list(metrics.systems) == ["baseline", "model", "untrained"]
    assert metrics.model.test.tmr.keys() >= {"tmr_at_fmr_1e-2"}
    text = (FORMER / "metrics.json").read_text()
    for former, name in RATES.items():
        assert former in text
        text = text.replace(former, name)
    assert METRICS.values(metrics) == {"schema_version": 1, **json.loads(text)}


def test_failures_to_acquire(tmp_path: Path) -> None:
    values = json.loads((FORMER / "metrics.json").read_text())
    counts = {"images": 9, "failures": 1, "rate": 1 / 9, "mated": 1, "non_mated": 0}
    (tmp_path / "metrics.json").write_text(
        json.dumps(values | {"acquisition": {**counts, "frr": 0.25, "far": 0.125}})
    )
    found = METRICS.read(tmp_path / "metrics.json").acquisition
    assert found is not None
    assert (found.false_rejection_rate, found.false_acceptance_rate) == (0.25, 0.125)


def test_roc(tmp_path: Path) -> None:
    (tmp_path / "roc.csv").write_text("system,far,tar,threshold\nmodel,0.25,0.5,1.5\n")
    assert ROC.read(tmp_path / "roc.csv").to_dict("records") == [
        {"system": "model", "fmr": 0.25, "tmr": 0.5, "threshold": 1.5}
    ]


def test_validation() -> None:
    """The file was written by the code of 0.2, on drawn faces."""
    record = VALIDATION.read(FORMER / "validation.json")
    assert (record.success, record.summary.held, record.source.source) == (True, 27, "synthetic")
    assert [finding.total for finding in record.expectations] == [0]


def test_decisions() -> None:
    """The file was written by the code of 0.2, on drawn faces."""
    shown = DECISIONS.read(FORMER / "decisions.json")
    former = read_json(FORMER / "decisions.json")
    former["decisions"][0]["kind"] = "true-non-match"
    assert DECISIONS.values(shown) == {"schema_version": 1, **former}


def test_split_card() -> None:
    """The file was written by the code of 0.2, on drawn faces."""
    card = SPLIT_CARD.read(FORMER / "split-card.json")
    assert (card.protocol, card.view, card.fold, card.lists) == ("restricted", 1, None, PAIR_LISTS[1])
    assert card.splits["train"] == SideCounts(800, 400, 400, 0.5, 0, 599, 218)
    assert card.identities == {"train": None, "holdout": None}
    assert sum(card.shared.people.values()) == 0
