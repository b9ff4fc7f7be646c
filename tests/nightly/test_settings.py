"""The seed that is raised, the section `nightly`, and the home of the server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from likeness.errors import (
    ParamsError,
)
from likeness.nightly.params import NightlyParams, read_nightly
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.prefect_server import configure_prefect
from likeness.nightly.seed import next_seed
from likeness.params import read_params


def test_the_seed_is_raised_and_nothing_else_changes(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(
        "split:\n  seed: 7\ntrain:\n  # a comment\n  epochs: 2\n\n  seed: 41  # drawn\n  l2:\n    conv: 0.0\n"
    )
    before = params.read_text()
    assert next_seed(params) == 42
    assert params.read_text() == before.replace("seed: 41", "seed: 42")


def test_only_one_line_of_the_projects_own_parameters_changes(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "params.yaml").read_text()
    params = tmp_path / "params.yaml"
    params.write_text(text)
    seed = next_seed(params)
    changed = [
        (old, new)
        for old, new in zip(text.splitlines(), params.read_text().splitlines(), strict=True)
        if old != new
    ]
    assert changed == [(f"  seed: {seed - 1}", f"  seed: {seed}")]


@pytest.mark.parametrize(
    "text",
    [
        "split: &shared\n  seed: 1\ntrain: *shared\n",
        "split: &shared {seed: 1}\ntrain:\n  <<: *shared\n  epochs: 2\n",
    ],
)
def test_a_seed_that_sections_share_is_an_error(tmp_path: Path, text: str) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(text)
    with pytest.raises(ParamsError, match="without changing other values"):
        next_seed(params)
    assert params.read_text() == text


@pytest.mark.parametrize(
    "text",
    ["", "train:\n  epochs: 2\n", "train:\n  loss:\n    seed: 1\n", "split:\n  seed: 3\n", "train: {seed: 1.5}\n"],
)
def test_a_missing_seed_is_an_error(tmp_path: Path, text: str) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(text)
    with pytest.raises(ParamsError, match="expected a whole number"):
        next_seed(params)
    assert params.read_text() == text


def test_a_project_without_the_section_has_its_defaults(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("train: {}\n")
    assert read_nightly(params) == NightlyParams()
    params.write_text(yaml.safe_dump({"nightly": {"timezone": "Mars/Base", "grace_seconds": 99}}))
    with pytest.raises(ParamsError, match="grace_seconds"):
        read_params(params, NightlyParams)
    params.write_text(yaml.safe_dump({"nightly": {"timezone": "Mars/Base"}}))
    with pytest.raises(ParamsError, match="no name of the tz database"):
        read_nightly(params)


def test_a_fresh_clone_gets_a_home_for_its_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    configure_prefect(ProjectPaths(tmp_path))
    assert Path(os.environ["PREFECT_HOME"]).is_dir()
    assert Path(os.environ["PREFECT_HOME"]).is_relative_to(tmp_path)
