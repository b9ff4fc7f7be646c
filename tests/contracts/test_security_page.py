"""docs/security.md promises nothing that no test shows."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
pytestmark = pytest.mark.attack("16")


def claims() -> list[str]:
    """The rows of the table."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith(("| | attack", "|---"))]


@cache
def marks_of(file: str) -> dict[str, set[str]]:
    """Names of a file's tests, each with the attack items that it carries."""
    text = (ROOT / file).read_text(encoding="utf-8")
    whole = set(re.findall(r'^pytestmark = .*attack\("(\d+)"\)', text, re.MULTILINE))
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    return {
        node.name: whole | set(re.findall(r"attack\('(\d+)'\)", " ".join(map(ast.unparse, node.decorator_list))))
        for node in functions
        if node.name.startswith("test_")
    }


def test_every_claim_has_tests_that_exist() -> None:
    named = TEST.findall(PAGE)
    assert [row for row in claims() if not TEST.search(row)] == []
    assert [f"{file}::{name}" for file, name in named if not (ROOT / file).exists()] == []
    assert [f"{file}::{name}" for file, name in named if name not in marks_of(file)] == []


@pytest.mark.parametrize("row", claims(), ids=lambda row: row[:30].strip("| "))
def test_the_tests_of_an_attack_carry_its_number(row: str) -> None:
    number = row.split("|")[1].strip()
    if number:
        assert any(number in marks_of(file)[name] for file, name in TEST.findall(row))


def test_no_file_is_unpickled() -> None:
    calls = re.compile(r"\b(torch\.load|pickle\.loads?|joblib\.load|dill\.loads?|marshal\.loads?|shelve\.open)\(")
    allowed = re.compile(r"allow_pickle=True|weights_only=False")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("src", "pipelines")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if calls.search(line) or allowed.search(line)
    ]
    assert found == []


def test_other_pages_that_speak_of_attacks_lead_here() -> None:
    assert "docs/security.md" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "docs/security.md" in (ROOT / "README.md").read_text(encoding="utf-8")
