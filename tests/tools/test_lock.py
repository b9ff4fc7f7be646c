"""The lock and the commands that install it: real pip, with a wheel made for the test."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.lock import CUDA, MAIN, digests_of, read_blocks, version_of, with_digests

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.attack("15")


def lock(path: Path) -> dict[str, str]:
    return read_blocks((ROOT / path).read_text(encoding="utf-8"))


def install_commands() -> list[list[str]]:
    """What make would run to install, without running it."""
    command = ["make", "-n", "-W", "requirements.lock", "-C", str(ROOT), ".venv/.installed"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    parts = [part for line in text.splitlines() for part in re.split(r"\|", line)]
    return [shlex.split(part) for part in parts if " pip " in part and " install " in part]


def wheel_of_probe(folder: Path) -> Path:
    path = folder / "probe-1.0-py3-none-any.whl"
    info = "probe-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("probe.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: probe\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def flip(digest: str) -> str:
    return ("1" if digest[0] == "0" else "0") + digest[1:]


def install(tmp_path: Path, digest: str) -> subprocess.CompletedProcess[str]:
    requirements = tmp_path / "probe.lock"
    requirements.write_text(with_digests("probe==1.0\n", [digest]))
    command = install_commands()[1]
    flags = command[command.index("pip") + 1 : command.index("-r")]
    here = [
        "--no-index",
        "--find-links",
        str(tmp_path),
        "--target",
        str(tmp_path / "site"),
        "-r",
        str(requirements),
    ]
    return subprocess.run([sys.executable, "-m", "pip", *flags, *here], capture_output=True, text=True)


def test_a_file_with_the_locked_digest_is_installed(tmp_path: Path) -> None:
    digest = hashlib.sha256(wheel_of_probe(tmp_path).read_bytes()).hexdigest()
    done = install(tmp_path, digest)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "probe.py").exists()


def test_a_file_with_another_digest_is_refused(tmp_path: Path) -> None:
    digest = hashlib.sha256(wheel_of_probe(tmp_path).read_bytes()).hexdigest()
    done = install(tmp_path, flip(digest))
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not (tmp_path / "site" / "probe.py").exists()


def test_every_command_that_installs_requires_digests_and_fetches_no_build_tools() -> None:
    commands = install_commands()
    targets = [
        command[command.index(flag) + 1] for command in commands for flag in ("-r", "-e") if flag in command
    ]
    assert targets == ["/dev/stdin", "/dev/stdin", "requirements.lock", "requirements-cuda.lock", "."]
    for command in commands:
        assert "--no-build-isolation" in command
        assert "--no-deps" in command
        assert "--require-hashes" in command or command[-2:] == ["-e", "."]


@pytest.mark.parametrize("path", [MAIN, CUDA])
def test_every_requirement_is_pinned_with_digests(path: Path) -> None:
    blocks = lock(path)
    assert blocks
    bare = [name for name, block in blocks.items() if not digests_of(block)]
    assert not bare


def test_torch_is_locked_as_the_index_has_it_and_as_a_cpu_build() -> None:
    wheels_of_the_index = 20
    assert len(digests_of(lock(MAIN)["torch"])) > wheels_of_the_index


def test_what_pyproject_asks_for_is_locked_in_a_version_that_it_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = {canonicalize_name(name): version_of(block) for name, block in lock(MAIN).items()}
    extras = project["optional-dependencies"]
    for text in [*project["dependencies"], *(text for extra in extras.values() for text in extra)]:
        wanted = Requirement(text)
        if wanted.name == project["name"]:  # one extra brings another
            assert wanted.extras <= extras.keys()
            continue
        assert canonicalize_name(wanted.name) in locked, f"{text} is not locked: run `make lock`"
        version = locked[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version), f"{text}, but {version} is locked: run `make lock`"


def test_digests_are_added_once_and_sorted() -> None:
    a, b = "a" * 64, "b" * 64
    block = with_digests(f"torch==2.13.0 ; sys_platform == 'linux' \\\n    --hash=sha256:{b}\n", [a, b])
    assert block == (
        f"torch==2.13.0 ; sys_platform == 'linux' \\\n    --hash=sha256:{a} \\\n    --hash=sha256:{b}\n"
    )


def test_a_line_that_is_no_requirement_is_named() -> None:
    with pytest.raises(ValueError, match="expected NAME==VERSION"):
        read_blocks("--index-url somewhere\n")
    with pytest.raises(ValueError, match="torch is listed twice"):
        read_blocks("torch==1\ntorch==2\n")
