from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.commands.running import Done, run_command
from tests.serving.pictures import encoded, other_portrait, portrait, two_people

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
        return run_command(arguments, monkeypatch, capsys)

    return likeness
