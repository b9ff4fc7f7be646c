"""The distribution is built from a checkout, as `pip install <checkout>` does, and from sources without git."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from likeness._version import DISTRIBUTION, FALLBACK

ROOT = Path(__file__).parents[2]
BUILD = [sys.executable, "-m", "build", "--no-isolation", "-q"]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """What a build needs, without git."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("src", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", ".gitignore"):
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, target)
    return folder


def commit(folder: Path, *, tag: str | None = None) -> None:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    if tag is not None:
        subprocess.run(["git", *author, "tag", tag], cwd=folder, check=True)


def built(folder: Path, *options: str) -> Path:
    """The archive that a build leaves."""
    subprocess.run([*BUILD, *options, "--outdir", str(folder.parent), str(folder)], check=True)
    (archive,) = folder.parent.glob("*.whl" if "--wheel" in options else "*.tar.gz")
    return archive


@pytest.mark.fault("A12")
def test_an_install_leaves_no_untracked_file_in_the_checkout(sources: Path, tmp_path: Path) -> None:
    commit(sources)
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*install, "--target", str(tmp_path / "site"), str(sources)], check=True, capture_output=True)
    assert (tmp_path / "site" / "likeness" / "cli.py").is_file()
    assert (sources / "build").is_dir()  # where this ends, the line in .gitignore can go
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=sources, check=True, capture_output=True, text=True
    )
    assert status.stdout == ""


def test_the_version_is_that_of_the_tag(sources: Path) -> None:
    commit(sources, tag="v7.8.9")
    assert built(sources, "--wheel").name.startswith("likeness_verify-7.8.9-")


def test_an_archive_of_a_tag_has_its_version(sources: Path, tmp_path: Path) -> None:
    for name in (".git_archival.txt", ".gitattributes"):
        shutil.copy(ROOT / name, sources / name)
    commit(sources, tag="v7.8.9")
    archive = tmp_path / "download.tar"
    subprocess.run(["git", "archive", "-o", str(archive), "HEAD"], cwd=sources, check=True)
    unpacked = tmp_path / "unpacked" / "likeness-7.8.9"
    shutil.unpack_archive(archive, unpacked)
    assert built(unpacked, "--wheel").name.startswith("likeness_verify-7.8.9-")


def test_a_repository_without_a_tag_builds(sources: Path) -> None:
    commit(sources)
    assert built(sources, "--sdist").name.startswith("likeness_verify-0.")


def test_sources_without_git_build_a_complete_wheel_of_the_fallback_version(sources: Path) -> None:
    wheel = built(sources, "--wheel")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        information = f"likeness_verify-{FALLBACK}.dist-info"
        metadata = Parser().parsestr(archive.read(f"{information}/METADATA").decode())
    assert {"likeness/py.typed", "drawnfaces/py.typed", f"{information}/licenses/LICENSE"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"likeness", "drawnfaces", information}
    data = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*") if is_data(path)}
    assert data <= names, f"not in the wheel: {data - names}"
    assert metadata["Name"] == DISTRIBUTION
    assert metadata["Author"] == "The Likeness authors"
    assert any(url.startswith("Homepage, https://") for url in metadata.get_all("Project-URL", []))
    stated = ("Classifier", "Keywords", "License-Expression", "Requires-Python", "Summary")
    assert [key for key in stated if not metadata[key]] == []
    assert metadata["Description"].strip() if metadata["Description"] else metadata.get_payload().strip()


def is_data(path: Path) -> bool:
    parts = path.parts
    return path.is_file() and path.suffix != ".pyc" and not any(part.endswith(".egg-info") for part in parts)


def test_the_fallback_is_the_same_in_both_places() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tool["setuptools_scm"]["fallback_version"] == FALLBACK
