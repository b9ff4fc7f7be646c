"""dvc.yaml is right: each stage depends on exactly the code that it can reach and the sections it reads.

DVC does not follow imports (treeverse/dvc#9195), so a change in a library file would not re-run its stage
unless the file, or a folder above it, is among the stage's deps.
"""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

ROOT = Path(__file__).parents[2]
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
STAGES: dict[str, dict[str, Any]] = PIPELINE["stages"]


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("likeness", "drawnfaces", "pipelines", cache_dir=None)


def module_file(module: str) -> Path:
    folder = ROOT / ("" if module.startswith("pipelines") else "src")
    path = folder / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def entry_module(stage: str) -> str:
    found = re.search(r"python -m (pipelines\.\w+)", STAGES[stage]["cmd"])
    assert found, f"{stage}: its cmd runs no module of pipelines/"
    return found.group(1)


def reached_files(stage: str) -> set[str]:
    """The project's files that the stage imports, directly or not, lazily or not, parts of a registry included."""
    modules, more = set[str](), {entry_module(stage)}
    while more:
        modules |= more
        more = set().union(*map(graph().find_upstream_modules, more), *map(registered, more)) - modules
    return {str(module_file(module).relative_to(ROOT)) for module in modules}


@cache
def registered(module: str) -> set[str]:
    """The modules that a registry of parts finds by itself, where this module makes one."""
    made = re.search(r"^\w+: Parts\[.*__package__\)$", module_file(module).read_text(), flags=re.MULTILINE)
    return graph().find_children(module.rpartition(".")[0]) if made else set()


def code_deps(stage: str) -> list[str]:
    return [dep for dep in STAGES[stage]["deps"] if dep.startswith(("src/", "pipelines/"))]


def covers(dep: str, file: str) -> bool:
    return file == dep or file.startswith(dep.rstrip("/") + "/")


@pytest.mark.parametrize("stage", STAGES)
def test_every_file_that_a_stage_reaches_is_among_its_deps(stage: str) -> None:
    gaps = [file for file in reached_files(stage) if not any(covers(dep, file) for dep in code_deps(stage))]
    assert not gaps, f"{stage} would not re-run when these change: {sorted(gaps)}"


@pytest.mark.parametrize("stage", STAGES)
def test_no_dep_of_a_stage_is_superfluous(stage: str) -> None:
    reached = reached_files(stage)
    idle = [dep for dep in code_deps(stage) if not any(covers(dep, file) for file in reached)]
    assert not idle, f"{stage} would re-run for nothing when these change: {idle}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_listed_params_are_the_sections_that_the_program_reads(stage: str) -> None:
    tree = ast.parse(module_file(entry_module(stage)).read_text())
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "read_params"
    ]
    imported = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    names = [ast.unparse(kind) for call in calls for kind in call.args[1:]]
    read = {getattr(importlib.import_module(imported[name]), name).SECTION for name in names}
    assert set(STAGES[stage].get("params", [])) == read


@pytest.mark.parametrize("stage", STAGES)
def test_every_path_in_the_command_is_declared(stage: str) -> None:
    """Outs and deps cover each data path of the command; checkpoints, downloads and timings are none of DVC's."""
    declared: list[str] = [*STAGES[stage]["deps"]]
    for kind in ("outs", "metrics", "plots"):
        for entry in STAGES[stage].get(kind, []):
            declared.append(entry if isinstance(entry, str) else next(iter(entry)))
    paths = re.findall(r"(?:data|models|reports)/[\w./-]+", STAGES[stage]["cmd"])
    undeclared = [p for p in paths if not any(covers(d, p) or covers(p, d) for d in declared)]
    assert set(undeclared) <= {"data/downloads", "models/.checkpoint", "reports/ingest.json"}, undeclared


def test_paths_are_in_dvc_yaml_alone() -> None:
    """A stage program takes every path from its command line."""
    for stage in STAGES:
        text = module_file(entry_module(stage)).read_text()
        literals = [
            node.value
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        found = [text for text in literals if re.fullmatch(r"(data|models|reports)/[\w./-]+", text)]
        assert not found, f"pipelines of {stage} hold paths: {found}"
