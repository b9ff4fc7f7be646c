"""No dependency sends anything to its maker: shown in a namespace whose name server records every question."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from likeness.telemetry import SWITCHES
from tests.recording import NEEDS_NAMESPACES, record
from tests.serving.models import make_model

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and two pictures."""
    folder = tmp_path_factory.mktemp("offline")
    make_model(folder / "model", onnx=True)
    from tests.serving.pictures import encoded, other_portrait, portrait

    (folder / "a.png").write_bytes(encoded(portrait(), "PNG"))
    (folder / "b.png").write_bytes(encoded(other_portrait(), "PNG"))
    return folder


@NEEDS_NAMESPACES
@pytest.mark.attack("3")
def test_without_the_switch_onnx_runtime_asks_for_its_makers_host(folder: Path, tmp_path: Path) -> None:
    """Else the next tests would prove nothing."""
    found = record([sys.executable, "-c", IMPORT_AND_WAIT], folder, tmp_path, unset=list(SWITCHES))
    assert found.code == 0, found.output
    assert any("microsoft" in name for name in found.names), found


@NEEDS_NAMESPACES
@pytest.mark.attack("3")
def test_the_library_asks_for_no_host(folder: Path, tmp_path: Path) -> None:
    found = record([sys.executable, "-c", VERIFY_AND_WAIT], folder, tmp_path, unset=list(SWITCHES))
    assert found.code == 0, found.output
    assert found.names == ()
    assert not (tmp_path / ".cache" / "Microsoft").exists()


@NEEDS_NAMESPACES
@pytest.mark.attack("3")
def test_the_service_asks_for_no_host(folder: Path, tmp_path: Path) -> None:
    command = [LIKENESS, "serve", "--model", "model", "--port", "8123"]
    found = record(command, folder, tmp_path, seconds=WAIT + 5, unset=list(SWITCHES))
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
