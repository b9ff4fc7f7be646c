"""The figures of ingest's speed count all that it spends, and name the command that measures them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.fault("B6")
def test_the_readme_names_the_command_and_its_options_beside_the_figures() -> None:
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    (paragraph,) = [part for part in text.split("\n\n") if part.startswith("**Speed**")]
    (command,) = re.findall(r"`python -m benchmarks\.ingest ([^`]*)`", paragraph)
    assert re.search(r"[\d ]+ images/s .*load [\d.]+", paragraph)
    assert "the clock" in paragraph
    assert "processor time" in paragraph
    shown = subprocess.run(
        [sys.executable, "-m", "benchmarks.ingest", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(re.findall(r"--[a-z]+", command)) <= set(re.findall(r"--[a-z]+", shown.stdout))
