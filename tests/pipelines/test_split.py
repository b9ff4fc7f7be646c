from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from likeness.data.splits import Split
from pipelines import split
from pipelines._stage import run
from tests.data.official import PEOPLE, pair_list, view_1_lists
from tests.data.tiny import tiny_faceset


def call(monkeypatch: pytest.MonkeyPatch, folder: Path, params: str, *more: str) -> int:
    """The exit code of the stage, run in `folder` with these parameters."""
    (folder / "params.yaml").write_text(params)
    argv = ["split", "--faces", "faces", "--out", "splits", "--params", "params.yaml", *more]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(SystemExit) as done:
        run(split.main)
    return int(done.value.code or 0)


def test_the_stage_writes_pairs_identities_and_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = tiny_faceset(tmp_path / "faces", PEOPLE, lists=view_1_lists())
    assert call(monkeypatch, tmp_path, "split: {protocol: unrestricted, seed: 1}") == 0
    read = Split.open(tmp_path / "splits")
    assert (len(read.train), len(read.holdout), len(read.test)) == (16, 4, 4)
    assert read.identities is not None
    card = json.loads((tmp_path / "splits" / "card.json").read_text())
    assert (card["seed"], card["fingerprint"]) == (1, faces.source.fingerprint)


def test_wrong_parameters_are_reported_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, tmp_path, "split: {protocol: free, fold: 10, holdout_fration: 0.2}") == 2
    reported = capsys.readouterr().err
    for key in ("split.protocol", "split.fold", "split.holdout_fration"):
        assert key in reported
    assert "Traceback" not in reported


def test_a_failing_stage_leaves_the_previous_split_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_faceset(tmp_path / "faces", PEOPLE, lists=view_1_lists())
    assert call(monkeypatch, tmp_path, "split: {}") == 0
    before = {path: path.read_bytes() for path in (tmp_path / "splits").iterdir()}
    spoilt = tmp_path / "faces" / "lists" / "pairsDevTest.txt"
    spoilt.write_text(pair_list([("T0", 1, 8)], [("T0", 1, "T1", 1)]))
    assert call(monkeypatch, tmp_path, "split: {}") == 2
    assert "not what the ingest stage wrote there: lists/pairsDevTest.txt" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / "splits").iterdir()} == before


def test_missing_faces_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, tmp_path, "split: {}") == 2
    assert "DataError: faces: is no readable face set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("record", "code", "said"),
    [
        ('{"success": true, "source": {SOURCE, "fingerprint": "%s"}, "summary": {SUMMARY}}', 0, ""),
        (
            '{"success": false, "source": {SOURCE, "fingerprint": "%s"}, "summary": {SUMMARY}}',
            3,
            "a critical expectation over these faces failed",
        ),
        (
            '{"success": true, "source": {SOURCE, "fingerprint": "%s0"}, "summary": {SUMMARY}}',
            2,
            "speaks of other faces",
        ),
        ('{"success": true, "source": {"fingerprint": "%s"}}', 2, "source.source: missing"),
        ("{", 2, "expected a ValidationRecord, but it cannot be read"),
        (None, 2, "validation.json: is missing; `dvc repro validate` makes it"),
    ],
)
def test_only_faces_that_passed_their_validation_are_split(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    record: str | None,
    code: int,
    said: str,
) -> None:
    faces = tiny_faceset(tmp_path / "faces", PEOPLE, lists=view_1_lists())
    if record is not None:
        source = '"source": "x", "synthetic": false, "alignment": "none", "place": "x"'
        counts = '"expectations": 1, "held": 1, "critical": 0, "warning": 0'
        text = record.replace("%s", faces.source.fingerprint).replace("SOURCE", source).replace("SUMMARY", counts)
        (tmp_path / "validation.json").write_text(text)
    assert call(monkeypatch, tmp_path, "split: {}", "--validation", "validation.json") == code
    assert said in capsys.readouterr().err
    assert (tmp_path / "splits").exists() == (code == 0)
