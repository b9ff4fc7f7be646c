"""Licences of what is locked: all allowed, or excepted by name with the reason."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tools.licences import is_allowed, list_licences, read_policy

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.attack("15")


@pytest.fixture(autouse=True)
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_every_locked_package_has_an_allowed_licence_or_an_exception() -> None:
    policy = read_policy()
    refused = {
        name: licence
        for name, _, licence in list_licences()
        if not is_allowed(licence, policy.allow) and name not in policy.exceptions
    }
    assert not refused, f"neither allowed nor excepted in pyproject.toml: {refused}"


def test_every_exception_is_needed_and_has_a_reason() -> None:
    policy = read_policy()
    found = {name: licence for name, _, licence in list_licences()}
    for name, reason in policy.exceptions.items():
        assert name in found, f"{name} is not locked any more"
        assert not is_allowed(found[name], policy.allow), f"{name} needs no exception"
        assert "required by" in reason


def test_the_list_names_every_locked_package_that_is_installed() -> None:
    """Apart from those for another Python than the list was written with."""
    text = (ROOT / "docs/licences.md").read_text(encoding="utf-8")
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    installed = [(name, version) for name, version, _ in list_licences() if f"{name}=={version} ;" not in lock]
    gone = [name for name, version in installed if f"| {name} | {version} |" not in text]
    assert not gone, "run `make licences`"


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND (GPL-3.0-only OR Apache-2.0)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("MIT License; GNU General Public License (GPL)", False),
        ("whatever (you) like", False),
        ("", False),
    ],
)
def test_expressions_are_held_to_the_list(statement: str, allowed: bool) -> None:
    allow = {"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "MIT License"}
    assert is_allowed(statement, allow) is allowed


@pytest.mark.slow
def test_make_sbom_names_every_locked_package_that_is_installed(tmp_path: Path) -> None:
    path = tmp_path / "sbom.json"
    subprocess.run(["make", "sbom", f"SBOM={path}"], check=True, capture_output=True)
    bill = json.loads(path.read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    named = (component.get("purl", "").lower() for component in bill["components"])
    listed = {purl.replace("_", "-").replace(".", "-") for purl in named}
    for name, version, _ in list_licences():
        stem = f"pkg:pypi/{name}@{version}".replace("_", "-").replace(".", "-")
        assert any(purl.startswith(stem) for purl in listed), name
