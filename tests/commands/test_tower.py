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


def test_a_program_is_told_what_was_found(run: Run) -> None:
    code, out, _ = run("add", "any.onnx", "--preset", "sface", "--json")
    told = json.loads(out)
    assert (code, told["embedding_dim"], told["layout"], told["recipe"]) == (0, 128, "NCHW", None)


def test_a_card_of_ones_own_describes_any_tower(run: Run) -> None:
    run("add", "any.onnx", "--preset", "sface")
    card = json.loads(Path("towers/outside-sface/tower.json").read_text())
    Path("mine.json").write_text(
        json.dumps(card | {"name": "mine", "colour_order": "bgr", "distance": "euclidean"})
    )
    assert run("add", "any.onnx", "--card", "mine.json")[0] == 0
    assert json.loads(Path("towers/mine/tower.json").read_text())["colour_order"] == "bgr"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.onnx", "--preset", "sface"), "none.onnx: no such ONNX file"),
        (("any.onnx", "--preset", "facenet"), "the preset arcface or sface has such faces"),
        (("any.onnx", "--preset", "eigenfaces"), "expected arcface, facenet, sface"),
        (("any.onnx",), "name one of them"),
        (("any.onnx", "--preset", "sface", "--name", "../up"), "expected a name of small letters"),
        (("any.onnx", "--card", "none.json"), "none.json: is missing"),
    ],
)
def test_what_cannot_be_kept_is_told_in_a_sentence(run: Run, arguments: tuple[str, ...], message: str) -> None:
    code, _, told = run("add", *arguments)
    assert code == 2
    assert message in " ".join(told.replace("│", " ").split())
    assert not Path("towers").exists()
