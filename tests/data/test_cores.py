"""The cores are counted on systems that know no affinity of a process, such as macOS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drawnfaces.portrait import draw_photographs
from likeness.data.cores import available_cores

ELSEWHERE = (
    "import os, sys\n"
    "del os.sched_getaffinity\n"
    "sys.argv = ['likeness', 'verify', '--model', 'packaged', 'face.jpg', 'face.jpg']\n"
    "from likeness.cli import main; main()\n"
)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system knows no affinity")
def test_only_the_cores_that_the_process_may_use_are_counted() -> None:
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
        "from likeness.data.cores import available_cores; print(available_cores())"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "1"


def test_without_affinity_the_cores_of_the_machine_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert available_cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


def test_two_photographs_are_verified_without_affinity(tmp_path: Path) -> None:
    (photograph,) = draw_photographs(7, [(0, 1)])
    (tmp_path / "face.jpg").write_bytes(photograph)
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Same person")
