"""An aim is met by enough trainings of the right kind, and by nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from typer.testing import CliRunner

from likeness.errors import ParamsError
from likeness.experiments.aims import Aim, check_aims, read_aims
from likeness.experiments.result_tables import MeasuredTrial
from pipelines.experiments import app
from tests.experiments.tiny import ROOT, folds_of, measured_trial, plan_tiny, trials_of

AIM = Aim("an aim", 0.8)
SEEDS = dataclasses.replace(AIM, seeds=3)


def _rows(folder: Path, *accuracies: float) -> list[MeasuredTrial]:
    places = plan_tiny(folder, trials_of(seeds=len(accuracies)))
    return [measured_trial(place, accuracy) for place, accuracy in zip(places, accuracies, strict=True)]


@pytest.mark.parametrize(
    ("aim", "accuracies", "state"),
    [
        (AIM, (0.79,), "missed"),
        (AIM, (0.80,), "met"),
        (SEEDS, (0.70, 0.80, 0.91), "met"),
        (SEEDS, (0.70, 0.80, 0.88), "missed"),
        (SEEDS, (0.90, 0.90), "2 of 3 trainings, meets no aim"),
        (dataclasses.replace(AIM, view=2), (0.90,), "not measured"),
        (dataclasses.replace(AIM, recipe="best"), (0.90,), "not measured"),
        (dataclasses.replace(AIM, protocol="unrestricted"), (0.90,), "not measured"),
        (dataclasses.replace(AIM, parameters=0.9), (0.90,), "not measured"),
        (dataclasses.replace(AIM, parameters=1.0), (0.90,), "met"),
    ],
)
def test_the_state_of_an_aim(aim: Aim, accuracies: tuple[float, ...], state: str, tmp_path: Path) -> None:
    (result,) = check_aims([aim], _rows(tmp_path, *accuracies))
    assert result.state == state
    assert result.line().endswith(state)


@pytest.mark.parametrize(
    ("outside", "free", "none"),
    [
        ("none", "met", "met"),
        ("label-free (landmark detector)", "met", "not measured"),
        ("labelled (a million faces)", "not measured", "not measured"),
        ("unknown", "not measured", "not measured"),
    ],
)
def test_outside_data_of_another_kind_does_not_count(outside: str, free: str, none: str, tmp_path: Path) -> None:
    (row,) = _rows(tmp_path, 0.9)
    protocol = dataclasses.replace(row.metrics.protocol, outside_data=outside)
    row = dataclasses.replace(row, metrics=dataclasses.replace(row.metrics, protocol=protocol))
    allowing = dataclasses.replace(AIM, outside_data="label-free")
    assert [result.state for result in check_aims([allowing, AIM], [row])] == [free, none]


def test_nine_folds_meet_no_aim(tmp_path: Path) -> None:
    places = plan_tiny(tmp_path, folds_of(10))
    rows = [measured_trial(place, 0.9, fold) for fold, place in enumerate(places)]
    folds = dataclasses.replace(AIM, view=2)
    assert check_aims([folds], rows[:9])[0].state == "9 of 10 trainings, meets no aim"
    assert check_aims([folds], rows)[0].state == "met"


def test_the_aims_of_the_project_are_read_and_printed(tmp_path: Path) -> None:
    aims = read_aims(ROOT / "conf" / "aims.yaml")
    shown = CliRunner().invoke(app, ["check", "--out", str(tmp_path), "--aims", str(ROOT / "conf" / "aims.yaml")])
    assert shown.output.splitlines() == [f"{aim.meaning}: at least {aim.at_least:g}; not measured" for aim in aims]


def test_a_mistake_in_an_aim_is_named(tmp_path: Path) -> None:
    (tmp_path / "aims.yaml").write_text("first: {meaning: x, at_least: 95}\n")
    with pytest.raises(ParamsError, match="at_least"):
        read_aims(tmp_path / "aims.yaml")
