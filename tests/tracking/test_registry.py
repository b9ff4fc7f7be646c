"""The registry against a real store: versions, aliases, the journal, and what is reported of faults."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow.models import Model

from likeness.artifacts.gate_figures import GateFigures
from likeness.errors import ModelError, TrackingError
from likeness.files import write_json
from likeness.models.card import WEIGHTS
from likeness.models.weights import load_model
from likeness.serving.service import Service
from likeness.tracking.gate import GateParams, decide
from likeness.tracking.registry import Registry, resolve
from likeness.tracking.runs import log_evaluation
from tests.tracking.samples import METRICS, register, trained


@pytest.fixture
def registry(project: Path) -> Registry:
    return Registry.open()


@pytest.fixture
def first(project: Path) -> Path:
    return trained(project / "outputs" / "first", 0, 0.8)


@pytest.fixture
def second(project: Path) -> Path:
    return trained(project / "outputs" / "second", 1, 0.99)


def test_champion_and_challenger_from_first_model_to_rollback(
    registry: Registry, first: Path, second: Path
) -> None:
    assert registry.champion() is None
    one = register(registry, first)
    assert (registry.challenger(), registry.champion()) == (one, None)
    registry.record(decide(registry.candidate(one), None, GateParams(resamples=100)))
    assert registry.champion() == one

    two = register(registry, second)
    verdict = decide(registry.candidate(two), registry.candidate(one), GateParams(resamples=100))
    registry.record(verdict)
    assert verdict.outcome == "promoted"
    assert registry.champion() == two

    assert registry.rollback("too many false matches").champion == one
    assert registry.champion() == one
    assert registry.promote(two, "it did not").champion == two
    assert [(entry.outcome, entry.champion) for entry in registry.journal()] == [
        ("promoted by hand", two), ("rolled back", one), ("promoted", two), ("promoted", one),
    ]  # fmt: skip
    assert registry.journal()[1].because == "too many false matches"


@pytest.mark.fault("A12")
def test_a_registered_version_holds_its_weights_once(registry: Registry, project: Path) -> None:
    folder = trained(project / "outputs" / "first", 0, 0.8, log_model=True)
    artifacts = project / "mlartifacts"
    assert len(list(artifacts.rglob(WEIGHTS))) == 1
    registry.promote(register(registry, folder), "a start")
    assert len(list(artifacts.rglob(WEIGHTS))) == 1
    assert load_model(resolve("models:/likeness@champion")).card.recipe == "tiny"


def test_a_model_that_is_registered_already_makes_no_version_and_no_run(registry: Registry, first: Path) -> None:
    one = register(registry, first)
    before = registry._store.client.search_runs([registry._store.experiment_id("likeness")])
    write_json(first / "run.json", {"run_id": None, "reason": "restored from the run cache"})
    again = registry.register(first / "model", first / "predictions.parquet", METRICS, first / "run.json")
    assert (again.version, again.created) == (one, False)
    assert len(registry._store.client.search_runs([registry._store.experiment_id("likeness")])) == len(before)


def test_a_version_says_what_it_is(registry: Registry, first: Path) -> None:
    tags = registry.versions.of(register(registry, first)).tags
    assert tags["recipe"] == "tiny"
    assert tags["accuracy"] == "0.9000 [0.8500, 0.9500]"
    assert {"data.fingerprint", "dvc.lock.sha256", "git.commit", "git.dirty", "protocol", "thresholds"} <= set(
        tags
    )


def test_the_champion_is_resolved_and_loads(registry: Registry, first: Path) -> None:
    registry.promote(register(registry, first), "a start")
    folder = resolve("models:/likeness@champion")
    assert load_model(folder).card.recipe == "tiny"
    description = registry.versions.of(1).description
    assert description.startswith("**Promoted by hand**: a start ([decision](#/experiments/")
    assert "likeness reproduce models:/likeness/1" in description
    assert resolve("models:/likeness/1") == folder
    assert not list(folder.parents[1].rglob("*.pkl"))


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("models:/likeness@champion", "no champion yet"),
        ("models:/likeness@nobody", "no nobody yet"),
        ("models:/likeness/77", "77"),
        ("models:/likeness/x", "no version number"),
        ("models:/other@champion", "expected models:/likeness@champion"),
    ],
)
def test_what_is_not_there_is_reported(registry: Registry, first: Path, uri: str, shown: str) -> None:
    register(registry, first)
    with pytest.raises(TrackingError, match=shown):
        registry.resolve(uri)


def test_tampered_weights_are_not_served(registry: Registry, first: Path) -> None:
    registry.promote(register(registry, first), "a start")
    weights = registry.resolve("models:/likeness@champion") / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(TrackingError, match="not those that were registered"):
        registry.resolve("models:/likeness@champion")
    shutil.rmtree(weights.parents[2])
    with pytest.raises(TrackingError, match="gone"):
        registry.resolve("models:/likeness@champion")


def test_a_service_follows_the_champion_and_keeps_its_model_when_the_registry_fails_it(
    registry: Registry,
    first: Path,
    second: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    one, two = register(registry, first), register(registry, second)
    registry.promote(one, "a start")
    service = Service("models:/likeness@champion", first / "gallery.safetensors")
    started_with = service.verifier.digest
    registry.promote(two, "better")
    weights = registry.resolve("models:/likeness@champion") / WEIGHTS
    sound = weights.read_bytes()
    weights.write_bytes(sound[:-1] + b"x")
    assert not service.refresh()
    assert service.verifier.digest == started_with
    assert "not those that were registered" in caplog.text
    weights.write_bytes(sound)
    assert service.refresh()
    followed = service.verifier.digest
    assert followed != started_with
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert not service.refresh()
    assert service.verifier.digest == followed


def test_an_untracked_training_and_a_missing_folder_are_reported(
    registry: Registry, first: Path, tmp_path: Path
) -> None:
    write_json(first / "run.json", {"run_id": None, "reason": "the store was away"})
    with pytest.raises(TrackingError, match=r"summary\.json.*`dvc pull`, or train here"):
        register(registry, first)
    with pytest.raises(ModelError, match="no model card"):
        registry.register(tmp_path / "x", first / "predictions.parquet", METRICS, first / "run.json")


def test_a_store_that_is_away_is_reported_within_seconds(project: Path) -> None:
    with pytest.raises(TrackingError, match=r"127\.0\.0\.1:9"):
        Registry.open("http://127.0.0.1:9")


def test_nothing_to_roll_back_to_is_reported(registry: Registry, first: Path) -> None:
    registry.promote(register(registry, first), "a start")
    with pytest.raises(TrackingError, match="nothing to roll back to"):
        registry.rollback("hm")


def test_a_refused_challenger_leaves_the_champion(registry: Registry, first: Path, second: Path) -> None:
    one, two = register(registry, second), register(registry, first)
    registry.promote(one, "a start")
    strict = replace(GateParams(resamples=100), minimum_gain=-1.0, latency_ratio=0.5)
    registry.record(decide(registry.candidate(two), registry.candidate(one), strict))
    assert registry.champion() == one
    assert registry.journal()[0].outcome == "refused"


def test_a_challenger_that_is_kept_does_not_undo_what_a_person_did_meanwhile(
    registry: Registry, first: Path, second: Path
) -> None:
    one, two = register(registry, second), register(registry, first)
    registry.promote(one, "a start")
    verdict = decide(registry.candidate(two), registry.candidate(one), GateParams(resamples=100))
    assert verdict.outcome != "promoted"
    registry.promote(two, "in a hurry")
    registry.record(verdict)
    assert registry.champion() == two


def test_a_version_that_a_kill_left_unjudged_is_known_as_such(registry: Registry, first: Path) -> None:
    one = register(registry, first)
    assert not registry.judged(one)
    registry.record(decide(registry.candidate(one), None, GateParams(resamples=100)))
    assert registry.judged(one)


class Killed(BaseException):
    """What a kill looks like from inside: nothing after it runs, and nothing catches it."""


KILLED_AT = {"alias": "set_registered_model_alias", "tags": "set_model_version_tag", "done": "set_terminated"}


@pytest.mark.parametrize("step", KILLED_AT)
def test_a_promotion_killed_at_any_step_is_settled_by_whoever_comes_next(
    registry: Registry, first: Path, second: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    one, two = register(registry, first), register(registry, second)
    registry.promote(one, "a start")
    verdict = decide(registry.candidate(two), registry.candidate(one), GateParams(resamples=100))

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(registry._store.client, KILLED_AT[step], killed)
        with pytest.raises(Killed):
            registry.record(verdict)

    later = Registry.open()
    carried_out = step != "alias"
    assert later.champion() == (two if carried_out else one)
    register(later, second)
    assert later.judged(two) is carried_out
    assert [(entry.outcome, entry.champion) for entry in later.journal()] == (
        [("promoted", two)] * carried_out + [("promoted by hand", one)]
    )
    if not carried_out:
        later.record(verdict)
    assert later.rollback("a look back").champion == one


def test_a_store_that_fails_after_the_change_does_not_say_that_nothing_changed(
    registry: Registry, first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = register(registry, first)

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as failing:
        failing.setattr(registry._store.client, "set_terminated", broken)
        with pytest.raises(TrackingError, match=r"disk is full\. The decision is valid"):
            registry.promote(one, "a start")
    assert registry.champion() == one
    assert registry.journal()[0].because == "a start"


def test_a_version_that_an_earlier_release_registered_can_be_judged(registry: Registry, first: Path) -> None:
    """Its figures hold the milliseconds of one embedding, which are measured at the gate since."""
    version = register(registry, first)
    folder = registry.versions.files(registry.versions.of(version))
    write_json(
        folder / "figures.json", {"threshold": 0.1, "baseline_accuracy": 0.6, "bytes": 9, "milliseconds": 1.5}
    )
    assert registry.candidate(version).figures == GateFigures(0.1, 0.6, 9)


def test_a_trained_model_is_compared_by_its_figures_and_becomes_the_version(
    registry: Registry, project: Path
) -> None:
    """On MLflow's page of models: signature, parameters, run, and the headline with the data set."""
    folder = trained(project / "outputs" / "first", 0, 0.8, log_model=True)
    assert log_evaluation(folder / "run.json", METRICS)
    version = registry.versions.of(register(registry, folder))
    experiment = registry._store.experiment_id("likeness")
    (logged,) = registry.client.search_logged_models([experiment])
    assert version.source == logged.artifact_location
    assert version.run_id == logged.source_run_id
    figures = {metric.key: metric for metric in logged.metrics}
    assert figures["test/accuracy"].value == 0.9
    assert (figures["test/accuracy"].dataset_name, figures["test/accuracy"].dataset_digest) == (
        "synthetic",
        "f" * 36,
    )
    assert len(registry.client.get_metric_history(version.run_id, "test/accuracy")) == 1
    signature = Model.load(str(registry.versions.files(version))).signature
    assert signature.inputs.input_names() == ["first", "second"]
    assert {"same", "probability", "error"} <= set(signature.outputs.input_names())


def test_the_same_weights_evaluated_again_leave_the_first_version_as_it_is(
    registry: Registry, first: Path
) -> None:
    one = register(registry, first)
    before = registry.candidate(one).accuracy
    table = pd.read_parquet(first / "predictions.parquet")
    table["correct"] = True
    table.to_parquet(first / "predictions.parquet")
    two = register(registry, first)
    assert (registry.candidate(one).accuracy, registry.candidate(two).accuracy) == (before, 1.0)
