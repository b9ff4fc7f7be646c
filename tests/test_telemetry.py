"""No dependency sends anything to its maker: shown in a namespace whose name server records every question."""

from __future__ import annotations

import ast
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from likeness.telemetry import SWITCHES
from tests.recording import NEEDS_NAMESPACES, Recorded, record
from tests.serving.models import exported_model
from tests.serving.pictures import encoded, other_portrait, portrait

ROOT = Path(__file__).parents[1]
LIKENESS = Path(sys.executable).parent / "likeness"
WAIT = 12  # seconds after which ONNX Runtime sends what it has gathered
IMPORT_AND_WAIT = f"""
import time, onnxruntime
from pathlib import Path
onnxruntime.InferenceSession(str(Path("model/tower.onnx")), providers=["CPUExecutionProvider"])
time.sleep({WAIT})
"""
VERIFY_AND_WAIT = f"""
import time
from likeness import Verifier
print(Verifier.load("model").verify("a.png", "b.png", aligned=True).score)
time.sleep({WAIT})
"""
PROGRAMS = ("src", "pipelines", "benchmarks", "studies", "tools")


COMMANDS: dict[str, list[str | Path]] = {
    "no-switch": [sys.executable, "-c", IMPORT_AND_WAIT],
    "library": [sys.executable, "-c", VERIFY_AND_WAIT],
    "service": [LIKENESS, "serve", "--model", "model", "--port", "8123"],
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recorded]:
    """What each command asks for, all at once: they mostly wait."""
    folder = tmp_path_factory.mktemp("offline")
    shutil.copytree(exported_model(tmp_path_factory), folder / "model")
    (folder / "a.png").write_bytes(encoded(portrait(), "PNG"))
    (folder / "b.png").write_bytes(encoded(other_portrait(), "PNG"))

    def run(name: str) -> Recorded:
        home = folder / f"home-{name}"
        home.mkdir()
        return record(COMMANDS[name], folder, home, seconds=WAIT + 20, unset=list(SWITCHES))

    with ThreadPoolExecutor() as pool:
        return dict(zip(COMMANDS, pool.map(run, COMMANDS), strict=True))


@pytest.mark.slow
@NEEDS_NAMESPACES
@pytest.mark.attack("3")
def test_without_the_switch_onnx_runtime_asks_for_its_makers_host(recorded: dict[str, Recorded]) -> None:
    """Else the next tests would prove nothing."""
    found = recorded["no-switch"]
    assert found.code == 0, found.output
    assert any("microsoft" in name for name in found.names), found


@pytest.mark.slow
@NEEDS_NAMESPACES
@pytest.mark.attack("3")
def test_the_library_asks_for_no_host(recorded: dict[str, Recorded]) -> None:
    found = recorded["library"]
    assert found.code == 0, found.output
    assert found.names == ()


@pytest.mark.slow
@NEEDS_NAMESPACES
@pytest.mark.attack("3")
def test_the_service_asks_for_no_host(recorded: dict[str, Recorded]) -> None:
    found = recorded["service"]
    assert "8123" in found.output, found.output
    assert found.names == ()


@pytest.mark.attack("3")
def test_onnx_runtime_is_imported_where_telemetry_is_switched_off_alone() -> None:
    files = [path for folder in PROGRAMS for path in (ROOT / folder).rglob("*.py")]
    importers = [path.relative_to(ROOT).as_posix() for path in files if "onnxruntime" in _imported(path)]
    assert sorted(importers) == ["src/likeness/onnx_session.py", "studies/precision.py"]


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
