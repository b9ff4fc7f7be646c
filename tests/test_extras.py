"""A command whose extra is not installed says which installation helps."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from likeness._version import DISTRIBUTION
from likeness.errors import MissingPackageError
from likeness.extras import EXTRAS, explain, needing

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FACES = Path(__file__).parents[1] / "src" / "likeness" / "serving" / "static"
IMPORTED_AS = {
    "faiss-cpu": "faiss",
    "hydra-core": "hydra",
    "markdown-it-py": "markdown_it",
    "python-multipart": "multipart",
    "scikit-learn": "sklearn",
    "vl-convert-python": "vl_convert",
}
BLOCK = (
    "import sys; from importlib.abc import MetaPathFinder\n"
    "class Absent(MetaPathFinder):\n"
    "    def find_spec(self, name, path, target=None):\n"
    "        if name.partition('.')[0] in {absent}: raise ModuleNotFoundError(name, name=name)\n"
    "sys.meta_path.insert(0, Absent())\n"
    "sys.argv = ['likeness', *{arguments}]\n"
    "from likeness.cli import main; main()\n"
)


def test_every_package_of_an_extra_is_known_by_the_name_of_its_import() -> None:
    for extra, packages in EXTRAS.items():
        wanted = {Requirement(text).name for text in PROJECT["optional-dependencies"][extra]} - {DISTRIBUTION}
        names = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in wanted}
        known = {package for each in EXTRAS.values() for package in each} | {"markdown_it"}  # rich needs it: core
        assert names <= known, f"add to likeness.extras: {names - known}"
        assert set(packages) <= names | {"starlette"}


def test_every_extra_is_described() -> None:
    page = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
    assert [each for each in PROJECT["optional-dependencies"] if f"`{DISTRIBUTION}[{each}]`" not in page] == []


def test_the_distribution_has_the_name_that_messages_say() -> None:
    assert PROJECT["name"] == DISTRIBUTION


def test_the_extra_that_is_known_to_be_needed_is_named() -> None:
    with (
        pytest.raises(MissingPackageError, match=r"pandas, .* pip install 'likeness-verify\[pipeline\]'"),
        needing("pipeline"),
    ):
        raise ModuleNotFoundError("No module named 'pandas.core'", name="pandas.core")


def test_a_module_of_no_extra_is_a_defect_and_stays_one() -> None:
    error = ModuleNotFoundError("No module named 'likeness.nowhere'", name="likeness.nowhere")
    assert explain(error) is None
    with pytest.raises(ModuleNotFoundError, match="nowhere"), needing("train"):
        raise error


@pytest.mark.parametrize(
    ("arguments", "absent", "extra"),
    [
        (["serve"], "fastapi", "serve"),
        (["export", "."], "torch", "train"),
        (["bench", "--quick"], "torch", "train"),
        (["find-rate"], "pandas", "train"),
        (["promote", "1", "--because", "better"], "pandas", "pipeline"),
        (["verify", "a.jpg", "b.jpg", "--model", "models:/likeness@champion"], "pandas", "pipeline"),
    ],
)
def test_a_command_without_its_extra_says_what_to_install(
    arguments: list[str], absent: str, extra: str, tmp_path: Path
) -> None:
    code = BLOCK.format(absent={absent}, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert f"pip install 'likeness-verify[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_without_weights_is_not_said_to_need_torch(tmp_path: Path) -> None:
    """PyTorch would not help: the packaged model has nothing to load into it."""
    for number in (1, 2):
        shutil.copy(FACES / f"drawn-face-{number}.jpg", tmp_path / f"{number}.jpg")
    arguments = ["verify", "1.jpg", "2.jpg", "--model", "packaged", "--explain", "heat.png"]
    code = BLOCK.format(absent={"torch"}, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "a model in half precision, such as the packaged one, comes without it" in done.stderr
    assert "pip install" not in done.stderr
