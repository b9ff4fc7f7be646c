"""The import contracts of pyproject.toml hold (arrows run one way, one room for each heavy dependency)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_module_that_is_in_no_layer_breaks_the_contract(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "pretrained"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "src" / "likeness" / "stray.py").touch()
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--contract", "layers"]
    environ = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "likeness.stray" in done.stdout


def test_nothing_imports_the_package_itself() -> None:
    """It would import upwards: the package's own `__init__` names what lies above."""
    graph = grimp.build_graph("likeness", cache_dir=None)
    assert graph.find_modules_that_directly_import("likeness") == set()


def test_no_module_is_imported_by_a_name_that_contracts_cannot_see() -> None:
    """But for the public names of the package, and a registry's own package, which are no single module."""
    found = [
        path.relative_to(ROOT / "src" / "likeness").as_posix()
        for path in sorted((ROOT / "src").rglob("*.py"))
        if "import_module(" in path.read_text(encoding="utf-8")
    ]
    assert found == ["__init__.py", "parts.py"]


def test_what_stages_take_from_the_nightly_run_needs_no_prefect() -> None:
    program = (
        "import sys, likeness.nightly.params, likeness.nightly.registration, likeness.nightly.registry_state, "
        "pipelines.check, pipelines.register; print([m for m in ('prefect',) if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_library_imports_nothing_heavy() -> None:
    program = (
        "import sys, likeness; print([m for m in ('torch', 'mlflow', 'pandas', 'prefect') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
