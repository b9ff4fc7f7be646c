"""Every attack and every fault that was ever reported has a test that carries its item as a marker."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

ATTACKS = {
    "1": "code execution through the scheduler",
    "2": "memory and time before limits apply",
    "3": "requests of dependencies to hosts outside",
    "4": "one bad upload ends every nightly run",
    "5": "files lost without a message",
    "6": "a kill while a database is first made",
    "7": "parameters that differ from those trained with",
    "8": "galleries readable by other users",
    "9": "weights altered after training",
    "10": "a service that is kept busy",
    "11": "processes left behind",
    "12": "download servers that misbehave",
    "13": "tracebacks and depends on malformed input",
    "14": "invalid input that is accepted",
    "15": "dependencies without a digest or with a licence that is not allowed",
    "16": "claims in the documentation without a test",
}

FAULTS = {
    "A1": "own photographs are framed at ingest",
    "A2": "settings of operation survive `dvc exp run`",
    "A3": "quarantined photographs can be released",
    "A4": "files that wait to settle are counted",
    "A5": "the gate measures latency side by side",
    "A6": "register after clone and pull",
    "A7": "wrong parameters are reported before anything runs",
    "A8": "find-rate suggests nothing while the loss rises",
    "A9": "dvc.lock holds the hashes of the committed code",
    "A10": "pictures smaller than the crop are rows with a reason",
    "A11": "a person can be removed",
    "A12": "smaller faults of use",
    "B1": "axis of images per person",
    "B2": "one ROC curve per system in DVC's plots",
    "B3": "reliability bins of equal mass are described as such",
    "B4": "intervals of counts near 0 and 1",
    "B5": "figures of repeated photographs name their crop",
    "B6": "figures of ingest's speed",
    "B7": "seconds of verify name the model's form",
    "B8": "the page's verdict follows its strictness",
    "B9": "a rejected file clears its slot",
    "B10": "two files dropped on one slot fill both",
    "B11": "no path of the server in a message",
    "B12": "no link to a page that is not there",
    "B13": "no request of the scheduler's page to another host",
    "B14": "enrolment of photographs that disagree is refused",
    "C1": "a logged model requires nothing that is not pinned",
    "D01": "own photographs of any size",
    "D02": "small faces that are framed already",
    "D03": "folders by date below a person",
    "D04": "system folders are nobody",
    "D05": "people added to or removed from a folder",
    "D06": "image numbers come from file names",
    "D07": "a false larger face",
    "D08": "motion photographs",
    "D10": "linked and unreadable folders are named",
    "D11": "folders with blanks, accents and quotes",
    "D12": "one picture, one reader",
    "D14": "output that cannot be encoded",
    "D15": "every form of base64",
    "D17": "relative folders in the experiment queue",
    "D18": "time zones of three parts",
    "D19": "reading makes no registry",
    "D20": "a project without git",
    "D22": "lists with a byte order mark, blanks, or as CSV",
    "D23": "register after git clone and dvc pull",
    "D24": "names in composed and decomposed characters",
    "D25": "a per cent sign in the project's path",
    "D26": "tar.xz, tar.bz2 and v7 archives",
    "D27": "zip members whose names are no UTF-8",
    "D28": "an archive with a doubled top folder",
    "D29": "a JPEG damaged inside",
    "D30": "an older tracking database",
    "D31": "files left aside are named",
}


def marked(kind: str) -> set[str]:
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for arguments in re.findall(rf"mark\.{kind}\(([^)]*)\)", path.read_text(encoding="utf-8")):
            found.update(re.findall(r'"([^"]+)"', arguments))
    return found


@pytest.mark.attack("16")
def test_every_attack_has_a_test() -> None:
    missing = {item: text for item, text in ATTACKS.items() if item not in marked("attack")}
    assert not missing, f"without a test: {missing}"
    assert marked("attack") <= ATTACKS.keys()


@pytest.mark.attack("16")
def test_every_attack_is_on_the_page_about_security() -> None:
    page = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
    missing = {item: text for item, text in ATTACKS.items() if f"\n| {item} | " not in page}
    assert not missing, f"not in docs/security.md: {missing}"


def test_every_fault_has_a_test() -> None:
    missing = {item: text for item, text in FAULTS.items() if item not in marked("fault")}
    assert not missing, f"without a test: {missing}"
    assert marked("fault") <= FAULTS.keys()
