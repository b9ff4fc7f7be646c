"""The built distribution, installed without extras outside the checkout, does what the core promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import distribution

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a version is taken from git, which is not here")
def test_wheel_and_sdist_install_and_work(tmp_path: Path) -> None:
    """Needs a package index; two minutes."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.distribution"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("model packaged") == 2


def test_what_a_new_environment_holds_does_not_count(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name, size in (("pip", 3_000_000), ("setuptools", 2_000_000), ("numpy", 1_500_000)):
        (packages / name).mkdir(parents=True)
        (packages / name / "file").write_bytes(bytes(size))
    assert distribution.megabytes(tmp_path) == 1.5


def test_another_exit_code_is_reported_with_the_output(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "print('what happened'); raise SystemExit(3)"]
    with pytest.raises(SystemExit, match=r"what happened\n.*exit code 3"):
        distribution.run(program, tmp_path)
    assert distribution.run(program, tmp_path, expected=3)[0] == "what happened\n"
