from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness import cli
from tests.serving.pictures import encoded, other_portrait, portrait, two_people


@dataclass(frozen=True)
class Done:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Likeness = Callable[..., Done]


@pytest.fixture
def likeness(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Likeness:
    """Runs `likeness ARGUMENTS` with the packaged model, in a folder of photographs and what is none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIKENESS_MODEL", "packaged")
    Path("photos").mkdir()
    Path("photos/ada.png").write_bytes(encoded(portrait(), "PNG"))
    Path("photos/ben.jpg").write_bytes(encoded(other_portrait(), quality=95))
    Path("photos/crowd.png").write_bytes(encoded(two_people(), "PNG"))
    Path("photos/nobody.png").write_bytes(encoded(np.zeros((90, 90, 3), np.uint8), "PNG"))
    Path("photos/text.jpg").write_text("this is no image")

    def likeness(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["likeness", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        return Done(int(end.value.code or 0), captured.out, captured.err)

    return likeness
