"""The core, installed without extras, verifies, enrols and identifies, and imports none of their packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drawnfaces.portrait import draw_photographs
from likeness.extras import EXTRAS

ABSENT = {name for packages in EXTRAS.values() for name in packages} | {"skimage"}
BLOCK = """
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"blocked: {{name}}", name=name)

sys.meta_path.insert(0, Absent())
"""
COMMAND = "sys.argv = ['likeness', *{arguments}]\nfrom likeness.cli import main\nmain()\n"
PROGRAM = """
from likeness import Verifier
verifier = Verifier.load("packaged")
print(verifier.verify("ada0.jpg", "ada0.jpg").same, len(verifier.verify_many([("ada0.jpg", "ben0.jpg")] * 2)))
"""
MODULES = (
    *("likeness", "likeness.api", "likeness.cli", "likeness.errors", "likeness.extras", "likeness.faces"),
    *("likeness.files", "likeness.images", "likeness.models.card", "likeness.models.decision"),
    *("likeness.models.onnx_tower", "likeness.models.preprocess", "likeness.serving.gallery"),
    *("likeness.serving.gallery_export", "likeness.serving.gallery_file", "likeness.serving.model"),
    *("likeness.serving.people", "likeness.serving.search", "likeness.serving.verifier", "drawnfaces"),
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn people, two photographs each."""
    folder = tmp_path_factory.mktemp("photos")
    for person, name in enumerate(("ada", "ben")):
        for number, content in enumerate(draw_photographs(7, [(person, 2)])):
            (folder / f"{name}{number}.jpg").write_bytes(content)
    return folder


def alone(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a program in a process in which the packages of extras cannot be imported."""
    program = BLOCK.format(absent=ABSENT) + code
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return alone(COMMAND.format(arguments=list(arguments)), folder)


def test_every_module_of_the_core_imports_alone(photos: Path) -> None:
    done = alone("\n".join(f"import {name}" for name in MODULES), photos)
    assert done.returncode == 0, done.stderr


def test_photographs_are_verified_from_a_program(photos: Path) -> None:
    done = alone(PROGRAM, photos)
    assert done.stdout == "True 2\n", done.stderr


def test_the_commands_verify_enrol_and_identify(photos: Path) -> None:
    verified = command(photos, "verify", "ada0.jpg", "ada0.jpg")
    assert verified.returncode == 0, verified.stderr
    assert "model packaged" in verified.stdout
    assert command(photos, "enroll", "ada", "ada0.jpg", "ada1.jpg", "--force").returncode == 0
    assert command(photos, "enroll", "ben", "ben0.jpg").returncode == 0
    identified = command(photos, "identify", "ben0.jpg")
    assert identified.returncode == 0, identified.stderr
    assert identified.stdout.startswith("ben")
    assert command(photos, "gallery", "list").stdout.count("\n") == 2
    assert command(photos, "gallery", "export", "people.json").returncode == 0
    assert command(photos, "model", "verify", str(packaged())).returncode == 0
    for said in (("where",), ("history",), ("--version",), ("--help",)):
        assert "Traceback" not in command(photos, *said).stderr


def packaged() -> Path:
    from likeness.serving.model import PACKAGED, model_folder

    return model_folder(PACKAGED)


def test_the_doctor_says_what_extras_would_bring(photos: Path) -> None:
    done = command(photos, "doctor")
    assert "Traceback" not in done.stderr
    assert "likeness-verify[" in done.stdout


def test_an_explanation_says_why_there_is_none(photos: Path) -> None:
    done = command(photos, "verify", "ada0.jpg", "ada0.jpg", "--explain", "why.png")
    assert done.returncode == 2
    assert "half precision" in done.stderr
