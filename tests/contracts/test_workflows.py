"""The workflows of continuous integration run commands that exist, on the versions that the package names."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def jobs(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"])


def commands(path: Path) -> list[str]:
    return [step["run"] for job in jobs(path).values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_command_exists(path: Path) -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = "\n".join(commands(path))
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= set(targets)
    for module in re.findall(r"python -m ([\w.]+)", text):
        assert importlib.util.find_spec(module), module


def test_the_whole_suite_runs_on_every_version_that_the_package_names() -> None:
    test = jobs(ROOT / ".github" / "workflows" / "ci.yml")["test"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {text.rpartition(":: ")[2] for text in project["classifiers"] if re.search(r":: 3\.\d+$", text)}
    assert set(test["strategy"]["matrix"]["python"]) == named


def test_only_the_last_step_of_a_release_may_publish() -> None:
    path = ROOT / ".github" / "workflows" / "release.yml"
    release = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert release[True] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+*"]}}  # YAML 1.1 reads `on` as true
    assert release["permissions"] == {"contents": "read"}
    build, publish = release["jobs"]["build"], release["jobs"]["publish"]
    assert "permissions" not in build
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == "build"
    assert not any("password" in str(step) for step in publish["steps"])
