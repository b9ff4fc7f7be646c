"""The picture of the stages is that of dvc.yaml, and its edges are those that DVC finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from tools.stage_graph import TARGET, edges, picture

ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def test_the_picture_is_of_the_stages_of_now() -> None:
    assert (ROOT / TARGET).read_text(encoding="utf-8") == picture(STAGES)


def test_the_edges_are_dvcs() -> None:
    command = [sys.executable, "-m", "dvc", "dag", "--dot"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    lines = [line.strip().rstrip(";").replace('"', "") for line in done.stdout.splitlines() if "->" in line]
    assert sorted(edges(STAGES)) == sorted(tuple(line.split(" -> ")) for line in lines)
