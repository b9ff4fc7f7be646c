"""Runs of a sweep bear its name."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from mlflow import MlflowClient

from likeness.artifacts.run_note import RunNote
from likeness.tracking.runs import DatasetNote, RunTitle, TrackedRun, TrackingParams
from likeness.tracking.sweeps import tag_sweep

TAGS = {"sweep": "drawn", "sweep.parameters": "train.epochs"}


def test_a_finished_run_gets_the_tags_and_keeps_its_own(project: Path) -> None:
    data = DatasetNote("drawn", "ab" * 32, "drawn.zip")
    with TrackedRun.start(TrackingParams(), title=RunTitle("koch", "lfw-a"), values={}, dataset=data) as run:
        said = run.finish(None, {})
    assert tag_sweep(said, TAGS, project)
    kept = MlflowClient(f"sqlite:///{project}/mlflow.db").get_run(said.run_id)
    assert kept.data.tags.items() >= {**TAGS, "recipe": "koch"}.items()
    assert kept.info.status == "FINISHED"


def test_a_training_without_a_run_and_a_run_that_is_gone_cost_a_sentence_at_most(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not tag_sweep(RunNote(None), TAGS, project)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        assert not tag_sweep(RunNote("0" * 32, uri="sqlite:///mlflow.db"), TAGS, project)
    assert "not tagged" in caplog.text
