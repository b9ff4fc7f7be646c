"""Names: a class has one of its own, and so has a module, unless its folder says which is which."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "pipelines", "benchmarks", "studies")
KINDS = ("artifacts", "commands", "sections", "figures", "samplers", "pipelines", "benchmarks", "studies")
"""Folders that say what each of their files is: an output, a command, a section, a chart, a sampler, a program."""
EVERYWHERE = ("__init__.py", "__main__.py", "params.py")
"""Of the package that they are in: its public names, its program, its section of params.yaml."""


def sources() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def repeated(names: Iterable[tuple[str, Path]]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = defaultdict(list)
    for name, path in names:
        places[name].append(str(path.relative_to(ROOT)))
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_two_classes_have_one_name() -> None:
    classes = (
        (node.name, path)
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    assert repeated(classes) == {}


def test_no_two_modules_have_one_name_unless_their_folders_say_what_they_are() -> None:
    modules = [path for path in sources() if path.name not in EVERYWHERE]
    library = [path for path in modules if not set(path.relative_to(ROOT).parts[:-1]) & set(KINDS)]
    assert repeated((path.name, path) for path in library if "drawnfaces" not in path.parts) == {}
    assert repeated((path.name, path) for path in library if "drawnfaces" in path.parts) == {}


def test_every_folder_that_says_what_its_files_are_is_there() -> None:
    folders = {path.parent.name for path in sources()}
    assert set(KINDS) <= folders
