"""How long planned trainings take: those of the table, in proportion to epochs, of all members and phases."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from likeness.artifacts.recipe_table import RECIPES, RecipeRecord
from likeness.experiments import runner
from likeness.experiments.expectation import expected_minutes, in_words
from likeness.experiments.trials import TrialFolder
from tests.experiments.tiny import ROOT, plan_tiny, trials_of


def table(*rows: tuple[str, int, float | None]) -> pd.DataFrame:
    return RECIPES.records(
        RecipeRecord(name, "lfw", "restricted", 1, 0.8, 0.7, 0.9, epochs, 10, 1.0, minutes)
        for name, epochs, minutes in rows
    )


def test_minutes_grow_with_epochs(tmp_path: Path) -> None:
    trials = plan_tiny(tmp_path, trials_of(seeds=3), "train.epochs=6")
    assert expected_minutes(trials, table(("small", 12, 10.0))) == (pytest.approx(15.0), 0)
    assert expected_minutes(trials, table(("small", 0, 10.0))) == (pytest.approx(30.0), 0)  # closed form


def test_recipes_that_were_not_timed_are_counted(tmp_path: Path) -> None:
    trials = plan_tiny(tmp_path, trials_of())
    assert expected_minutes(trials, table(("koch", 10, 18.0))) == (0, 1)
    assert expected_minutes(trials, table(("small", 10, None))) == (0, 1)
    assert expected_minutes([], table()) == (0, 0)


def test_members_and_phases_count(tmp_path: Path) -> None:
    members = "train.members=[{seed: 1}, {seed: 2, epochs: 3}]"
    trials = plan_tiny(tmp_path, trials_of(), "train.epochs=6", "model.comparator={name: cosine}", members)
    assert expected_minutes(trials, table(("small", 9, 9.0))) == (pytest.approx(9.0), 0)


def test_the_shipped_table_times_every_recipe() -> None:
    assert RECIPES.read(ROOT / "reports" / "recipes.csv")["minutes"].notna().all()


def test_a_table_of_version_0_2_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "recipes.csv"
    RECIPES.write(path, table(("small", 10, 1.0)))
    path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()) + "\n")
    assert RECIPES.read(path)["minutes"].isna().all()


@pytest.mark.parametrize(("minutes", "words"), [(4.2, "4 minutes"), (89, "89 minutes"), (340, "5.7 hours")])
def test_durations_in_words(minutes: float, words: str) -> None:
    assert in_words(minutes) == words


def test_a_run_says_how_much_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The first is finished already, so that the two others alone show how long one takes."""
    trials, clock = plan_tiny(tmp_path, trials_of(seeds=3)), iter(range(0, 60_000, 600))

    def finish(trial: TrialFolder, device: str, *, evaluate: bool) -> None:
        (trial.folder / "evaluation").mkdir(exist_ok=True)
        (trial.folder / "evaluation" / "metrics.json").touch()

    finish(trials[0], "cpu", evaluate=True)
    monkeypatch.setattr(runner, "prepare", lambda trials: None)
    monkeypatch.setattr(runner, "finish", finish)
    monkeypatch.setattr(runner.time, "monotonic", lambda: float(next(clock)))
    with caplog.at_level("INFO"):
        assert runner.run_trials(trials) == []
    assert [line.rpartition(", ")[2] for line in caplog.messages] == [
        "600 s",
        "600 s; about 10 minutes left",
        "600 s",
    ]
