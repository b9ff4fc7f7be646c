"""Folders of any name reach the parameters through DVC's `-S`; the form of LFW is that of the folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import get_hydra_sweeps
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import SourceError
from likeness.experiments.composition import compose_params
from likeness.experiments.overrides import absolute_mirror, quoted, source_overrides

ROOT = Path(__file__).parents[2]
NAMES = [
    "my faces", "café", "a,b", "photos (2024)", "it's", 'say "x"', "[x]", "{y}", "a=b", "a:b", "$HOME",
    "${oc.env:HOME}",
    "`id`", "a;b", "#1", "%", "back\\slash", "end\\", "\\'", "*", "~", "null", "-S", "a$$b", "日本",
]  # fmt: skip


def through_dvc(*overrides: str) -> object:
    """What data.mirror becomes: DVC parses each `-S`, takes sweeps apart, and composes the rest."""
    (only,) = get_hydra_sweeps(to_path_overrides(overrides))
    return compose_params(ROOT, only["params.yaml"])["data"]["mirror"]


@pytest.mark.fault("D11")
@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_any_name_is_found(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert through_dvc(*source_overrides("folder", str(folder))) == str(folder)


@pytest.mark.fault("D11")
@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.text("\\'\"${}a,[]: ", max_size=8))
def test_any_text_comes_back_from_hydra(text: str) -> None:
    assert through_dvc(f"data.mirror={quoted(text)}") == text


@pytest.mark.fault("D11")
def test_a_tilde_that_the_shell_left_alone_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "photos").mkdir()
    assert absolute_mirror("~/photos") == str(tmp_path / "photos")
    with pytest.raises(SourceError, match="whole path"):
        absolute_mirror("~nobody-of-that-name/photos")


def test_a_relative_folder_becomes_absolute_and_a_url_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    assert absolute_mirror("photos") == str(tmp_path / "photos")
    assert absolute_mirror("http://127.0.0.1/a b") == "http://127.0.0.1/a b"


@pytest.mark.fault("D11")
def test_what_is_not_there_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match=r"no such folder or archive .*nothing was started"):
        source_overrides("folder", str(tmp_path / "absent"))
    monkeypatch.delenv("LIKENESS_MIRROR", raising=False)
    with pytest.raises(SourceError, match="MIRROR=~/photos"):
        source_overrides("folder", None)


def test_the_form_of_lfw_is_that_of_the_folder(tmp_path: Path) -> None:
    assert source_overrides(None, None) == ["data=lfw-a"]
    (tmp_path / "lfw-deepfunneled.tgz").touch()
    assert source_overrides(None, str(tmp_path))[0] == "data=lfw-deepfunneled"
    (tmp_path / "lfw.tgz").touch()
    with pytest.raises(SourceError, match="say which"):
        source_overrides(None, str(tmp_path))
    assert source_overrides(None, str(tmp_path), "lfw-deepfunneled")[0] == "data=lfw-deepfunneled"
