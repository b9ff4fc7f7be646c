from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pipelines import validate
from pipelines._stage import run
from tests.data.official import PEOPLE, TEST_DIFFERENT, TEST_SAME, pair_list, view_1_lists
from tests.data.tiny import tiny_faceset


def call(monkeypatch: pytest.MonkeyPatch, folder: Path, params: str) -> int:
    """The exit code of the stage, run in `folder` with these parameters."""
    (folder / "params.yaml").write_text(params)
    argv = ["validate", "--faces", "faces", "--out", "validation", "--params", "params.yaml"]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(SystemExit) as done:
        run(validate.main)
    return int(done.value.code or 0)


def test_good_data_pass_and_warnings_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    tiny_faceset(tmp_path / "faces", PEOPLE, lists=view_1_lists())
    assert call(monkeypatch, tmp_path, "validate: {images_per_person: [2, 9]}") == 0
    assert json.loads((tmp_path / "validation" / "validation.json").read_text())["success"] is True
    assert "no critical one fails" in caplog.text
    assert "Solo: images 1" in caplog.text


def test_a_critical_failure_exits_with_its_own_code_and_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lists = view_1_lists() | {"pairsDevTest.txt": pair_list([*TEST_SAME[:1], ("P3", 1, 9)], TEST_DIFFERENT)}
    tiny_faceset(tmp_path / "faces", PEOPLE, lists=lists)
    assert call(monkeypatch, tmp_path, "validate: {}") == 3
    said = capsys.readouterr().err
    assert said.startswith("ValidationFailedError: 3 of ")
    assert "listed pairs exist" in said
    assert "pairsDevTest.txt:3: P3_0009" in said
    assert "classes are balanced" in said
    assert "nobody on both sides of view 1" in said
    assert "Traceback" not in said
    assert (tmp_path / "validation" / "docs" / "index.html").is_file()


def test_an_output_folder_that_cannot_be_made_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_faceset(tmp_path / "faces", PEOPLE)
    (tmp_path / "validation").write_text("in the way")
    assert call(monkeypatch, tmp_path, "validate: {}") == 2
    assert "OutputError: validation/validation.json: cannot be written" in capsys.readouterr().err
