"""`likeness faces`: what it lists, draws and writes, and how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from likeness import cli
from tests.serving.pictures import encoded, portrait, two_people

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `likeness faces ARGUMENTS` in a folder with a crowd, nobody and a text: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)
    Path("crowd.jpg").write_bytes(encoded(two_people(), quality=95))
    Path("one.png").write_bytes(encoded(portrait(), "PNG"))
    Path("nobody.png").write_bytes(encoded(np.zeros((90, 90, 3), np.uint8), "PNG"))
    Path("text.jpg").write_text("this is no image")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["likeness", "faces", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return run


def test_every_face_is_listed_the_largest_first(run: Run) -> None:
    code, out, _ = run("crowd.jpg")
    assert code == 0
    first, *faces = out.splitlines()
    assert first == "crowd.jpg: 2 faces (900×512 pixels)"
    assert [line.split()[0] for line in faces] == ["1", "2"]
    assert all(word in faces[0] for word in ("quality", "yaw", "pitch", "roll"))


def test_a_program_reads_box_landmarks_quality_and_crop(run: Run) -> None:
    code, out, _ = run("--json", "--crops", "cut", "crowd.jpg")
    (line,) = [json.loads(each) for each in out.splitlines()]
    large, small = line["faces"]
    assert code == 0
    assert (line["photo"], line["width"], line["height"]) == ("crowd.jpg", 900, 512)
    assert large["box"]["side"] > small["box"]["side"]
    assert np.array(large["landmarks"]).shape == (5, 2)
    assert 0 < small["quality"]["score"] < large["quality"]["score"] <= 1
    for face in line["faces"]:
        assert cv2.imread(face["crop"]).shape == (112, 112, 3)


def test_the_drawing_is_the_photograph_with_its_faces_marked(run: Run) -> None:
    code, _, err = run("one.png", "--out", "new/drawn.png")
    assert code == 0
    assert err.startswith("new/drawn.png: ")
    drawn = cv2.cvtColor(cv2.imread("new/drawn.png"), cv2.COLOR_BGR2RGB)
    changed = (drawn != portrait()).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert changed.any()
    assert (rows.max() - rows.min(), columns.max() - columns.min()) < (200, 200)


def test_the_worst_photograph_decides_the_exit_code(run: Run) -> None:
    code, out, _ = run("nobody.png", "crowd.jpg")
    assert (code, out.splitlines()[0]) == (1, "nobody.png: no faces (90×90 pixels)")
    code, out, err = run("text.jpg", "nobody.png")
    assert code == 2
    assert err.startswith("text.jpg is no image")
    assert out.startswith("nobody.png")
    code, out, _ = run("--json", "absent.jpg", "one.png")
    lines: list[dict[str, Any]] = [json.loads(each) for each in out.splitlines()]
    assert code == 2
    assert "absent.jpg" in lines[0]["error"]
    assert len(lines[1]["faces"]) == 1


def test_one_photograph_is_drawn_at_a_time(run: Run) -> None:
    code, _, err = run("crowd.jpg", "one.png", "--out", "drawn.png")
    assert code == 2
    assert "one photograph" in err
    assert not Path("drawn.png").exists()


def test_smaller_faces_are_found_where_they_are_asked_for(run: Run) -> None:
    tiny = np.full((900, 900, 3), 200, np.uint8)
    tiny[100:228, 300:428] = cv2.resize(portrait(), (128, 128), interpolation=cv2.INTER_AREA)
    Path("tiny.png").write_bytes(encoded(tiny, "PNG"))
    assert run("tiny.png")[0] == 1
    code, out, _ = run("tiny.png", "--smallest", "20")
    assert code == 0
    assert out.startswith("tiny.png: 1 face (")
