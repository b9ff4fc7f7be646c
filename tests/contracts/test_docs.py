"""The documentation builds without a warning, names every error, and asks nobody for anything."""

from __future__ import annotations

import inspect
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer

import likeness
from likeness import cli, errors
from likeness.faces.alignments.alignment import ALIGNMENTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with warnings as errors."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return out


def test_the_site_is_complete_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert {
        "index.html",
        "tutorial.html",
        "api.html",
        "reference/cli.html",
        "reference/configuration.html",
    } <= pages
    for path in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|link)[^>]*(?:src|href)="(https?:[^"]+)"', path.read_text("utf-8"))
        assert loaded == [], path


def test_every_setting_has_type_default_and_meaning(site: Path) -> None:
    page = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    rows = [re.split(r" *(?<!\\)\| *", line.strip("| ")) for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row for row in rows if len(row) != 4 or not all(row)] == []


@pytest.mark.parametrize("name", sorted(set(likeness.__all__) - {"__version__"}))
def test_every_public_name_is_in_the_reference(site: Path, name: str) -> None:
    pages = [(DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8") for page in ("modules", "errors")]
    assert any(re.search(rf"\.{name}$|`{name}`", page, re.MULTILINE) for page in pages)


def test_every_command_is_in_the_reference(site: Path) -> None:
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    titles = re.findall(r"^## likeness (.+)$", page, re.MULTILINE)
    assert set(titles) == set(visible(typer.main.get_command(cli.app)))


def visible(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The commands below one, with their groups, but for hidden ones."""
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield " ".join((*path, name))
            yield from visible(child, (*path, name))


def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    anchors = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in pages.items()}
    lost = []
    for path, text in pages.items():
        for link in set(re.findall(r'<a\b[^>]*\bhref="([^":]+)"', text)):
            target, _, anchor = unquote(link).partition("#")
            found = (path.parent / target).resolve() if target else path
            if not found.exists() or (anchor and found in pages and anchor not in anchors[found]):
                lost.append(f"{path.relative_to(site)}: {link}")
    assert lost == []


@pytest.mark.parametrize("page", sorted(path.name for path in ROOT.glob("*.md")))
def test_links_of_the_pages_beside_the_site_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / unquote(link)).exists()] == []


def test_every_alignment_is_described() -> None:
    page = (DOCS / "colour-and-alignment.md").read_text(encoding="utf-8")
    assert [name for name in ("none", *ALIGNMENTS.names) if f"| `{name}` |" not in page] == []


def test_every_error_has_its_remedy() -> None:
    table = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    kinds = [
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.LikenessError) and kind is not errors.LikenessError
    ]
    assert [name for name in kinds if f"| `{name}` |" not in table] == []


def commands() -> list[tuple[str, str]]:
    """Every command line of Likeness and make that the README and the pages show."""
    found = []
    for path in [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]:
        for line in re.findall(r"^\$ (.+?)\\?$", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
            words = shlex.split(line.replace('"', " ").replace("'", " "), comments=True)
            if words and words[0] in ("make", "likeness", ".venv/bin/likeness"):
                found.append((f"{path.name}: {line}", " ".join(words)))
    return found


@pytest.mark.parametrize("command", [text for _, text in commands()], ids=[place for place, _ in commands()])
def test_every_command_that_is_shown_exists(command: str) -> None:
    program, *words = command.split()
    if program == "make":
        targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
        assert words[0] in targets
        return
    known = typer.main.get_command(cli.app)
    while words and words[0] in getattr(known, "commands", {}):
        known = known.commands[words.pop(0)]
    options = {name for one in known.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
    assert {word.split("=")[0] for word in words if word.startswith("-")} <= options
