"""Files that were written before there were schema versions are read; the texts are of version 0.2."""

from __future__ import annotations

import json
from pathlib import Path

from likeness.artifacts.run_note import RUN_NOTE, Provenance, RunNote
from likeness.artifacts.source_card import SOURCE_CARD, SourceCard


def test_source_card(tmp_path: Path) -> None:
    text = """{
      "alignment": "synthetic", "archive_sha256": "ab", "checksum": "recorded", "collected_images": 0,
      "collected_people": 0, "crop": [120, 100], "fingerprint": "cd", "frame": "none", "images": 5, "people": 2,
      "place": "drawn.zip", "size": [48, 40], "smallest_face": null, "source": "synthetic", "synthetic": true}"""
    (tmp_path / "source.json").write_text(text)
    expected = SourceCard(
        "synthetic",
        synthetic=True,
        alignment="synthetic",
        place="drawn.zip",
        archive_sha256="ab",
        checksum="recorded",
        crop=(120, 100),
        images=5,
        people=2,
        size=(48, 40),
        fingerprint="cd",
    )
    assert SOURCE_CARD.read(tmp_path / "source.json") == expected


def test_run_note(tmp_path: Path) -> None:
    code = {"changed": ["a.py"], "commit": "c0ffee", "dirty": True, "dvc_lock": "ab", "experiment": None}
    values = {
        "code": code,
        "experiment": "likeness",
        "experiment_id": "1",
        "reason": None,
        "run_id": "f" * 32,
        "uri": "sqlite:///mlflow.db",
    }
    path = tmp_path / "run.json"
    path.write_text(json.dumps(values))
    provenance = Provenance("c0ffee", dirty=True, changed=("a.py",), dvc_lock="ab")
    expected = RunNote("f" * 32, "likeness", "1", "sqlite:///mlflow.db", None, provenance)
    assert RUN_NOTE.read(path) == expected  # 0.1 named no weights
    path.write_text(json.dumps(values | {"weights_sha256": "ef"}))
    assert RUN_NOTE.read(path).weights_sha256 == "ef"
