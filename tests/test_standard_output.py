"""Output of real commands: names that cannot be encoded, full disks, readers that leave, numbers that are none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from likeness.cli import app
from tests.serving.models import exported_model
from tests.serving.pictures import encoded, portrait

PROGRAM = [sys.executable, "-c", "from likeness.cli import main; main()"]
NAMES = {"no UTF-8": b"bad\xff\xfename.jpg", "other scripts": "Łódź 東京 😀.jpg".encode()}
_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, a photograph, and photographs with difficult names."""
    folder = tmp_path_factory.mktemp("output")
    shutil.copytree(exported_model(tmp_path_factory), folder / "models" / "model")
    (folder / "a.png").write_bytes(encoded(portrait(), "PNG"))
    for name in NAMES.values():
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123  (a name that is no text)
            file.write(encoded(portrait(), quality=90))
    return folder


def likeness(
    folder: Path, *arguments: str | bytes, encoding: str = "utf-8", stdout: int | None = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    command: Sequence[str | bytes] = [*PROGRAM, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=stdout, stderr=subprocess.PIPE, check=False, timeout=120
    )


def commands(name: bytes) -> dict[str, list[str | bytes]]:
    return {
        "verify --json": ["verify", "--json", "a.png", name],
        "enroll": ["enroll", "Łucja 東京", name],
        "identify": ["identify", name],
    }


@pytest.mark.fault("D14")
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("kind", NAMES)
def test_names_that_cannot_be_encoded_are_escaped(folder: Path, kind: str, encoding: str) -> None:
    for words, arguments in commands(NAMES[kind]).items():
        done = likeness(folder, *arguments, encoding=encoding)
        assert done.returncode in (0, 1), (words, done.stderr.decode())
        assert b"Traceback" not in done.stderr
        if "--json" in arguments:
            assert os.fsencode(json.loads(done.stdout.decode(encoding))["photo"]) == NAMES[kind]


@pytest.mark.fault("D14")
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    "command",
    [
        ["verify", "a.png", "a.png", "--threshold"],
        ["verify", "--json", "a.png", "a.png", "--fmr"],
        ["identify", "a.png", "--fpir"],
        ["identify", "a.png", "--threshold"],
        ["find-rate", "--low"],
        ["find-rate", "--high"],
        ["serve", "--refresh"],
    ],
    ids=" ".join,
)
def test_numbers_that_are_not_finite_are_refused(command: list[str], value: str) -> None:
    done = CliRunner().invoke(app, [*command, value])
    assert done.exit_code == 2, done.output
    said = " ".join(done.stderr.replace("│", " ").split())
    assert "expected a finite number" in said or "greater than or equal to 0" in said


@_full
@pytest.mark.fault("D14")
@pytest.mark.attack("13")
@pytest.mark.parametrize(
    "command",
    [
        ["verify", "a.png", "a.png"],
        ["verify", "--json", "a.png", *["a.png"] * 20],
        ["gallery", "list"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_a_full_disk_behind_the_output_is_reported_in_a_sentence(folder: Path, command: list[str]) -> None:
    likeness(folder, "enroll", "Ada", "a.png")
    with Path("/dev/full").open("w") as full:
        done = likeness(folder, *command, stdout=full.fileno())
    assert done.returncode == 2
    assert done.stderr.decode().strip() == "the output cannot be written in full: No space left on device"


@pytest.mark.fault("D14")
def test_a_reader_that_leaves_ends_the_command_without_a_message(folder: Path) -> None:
    many = ["a.png"] * 400
    process = subprocess.Popen(
        [*PROGRAM, "verify", "--json", "a.png", *many], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read().decode()
    assert process.wait(120) in (1, 141)
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors
