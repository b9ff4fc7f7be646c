"""The glossary is that of the package, and the words that its terms replaced are used no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPLACED = {
    r"(?<!every )nights?": "nightly run",
    r"bur(y|ies|ied)": "record a crashed run",
    r"hand-?overs?": "results",
    r"ledgers?": "log",
    r"diary|diaries": "record",
    r"seal(s|ed|ing)?": "finish, freeze, check",
    r"thaw(s|ed)?": "frozen weights that changed",
    r"strangers?": "people who are not enrolled; non-mated; untrusted",
    r"(?<!\.)tell(s|ing)?|told": "report, name, say, distinguish",
    r"(?<!of )courses?": "history, run",
    r"assess(es|ed|ment|ments)?": "evaluate, measure",
    r"rehears(e|es|ed|al)": "check",
    r"descends?": "gradient descent",
    r"obey(s|ed)?": "handle",
    r"appoint(s|ed)?": "make the champion",
    r"str(ike|ikes|uck)": "fire (a cron); discard (an entry)",
    r"(stands?|stood)(?![ _](for|out|in for|still))": "be, be listed",
    r"misjudg(e|es|ed)|(decides?|decided)( \w+){0,3} rightly": "is wrong on; is correct on",
    r"anew|afresh": "again",
    r"seldom|midst|whence|thereof|lest|unto|foretell|apiece": "plain words",
    r"vouch(es|ed)?": "check, describe",
    r"fates?|crowd_of|newcomers?": "placement; identification set; new person",
    r"doors?|roads?|twin page": "interface; transfer",
    r"cries wolf|in vain": "gives false alarms; without success",
    r"tar_at_\w+|tar_fall|far_(at|each|levels|name|table)|FarPoint": "names with fmr and tmr",
    r"(?-i:TARs?|FARs|at FAR)|false.accept.rates?": "TMR, FMR",
    r"(true|false)[-_](accept|reject)s?": "true match, false non-match",
    r"(--|(?<=[\w\])]\.)|[\"'`])far(?![\w ])|far=|(?<=\n)\s*far:": "fmr, fpir",
}
"""Words that the project once had of its own, or that a second reading is needed for, and what is said instead."""
FOLDERS = ("src", "pipelines", "benchmarks", "studies", "tools", "tests", "docs", "conf", "deploy", ".github")
ENDINGS = {".py", ".md", ".yaml", ".yml", ".toml", ".html", ".js", ".css", ".svg"}
READERS = {
    ROOT / "docs" / "api.md",
    ROOT / "src" / "likeness" / "deprecated.py",
    ROOT / "tests" / "artifacts" / "test_old_files.py",
    ROOT / "tests" / "contracts" / "test_deprecations.py",
    ROOT / "tests" / "models" / "test_card.py",
    ROOT / "tests" / "test_deprecated.py",
}
"""Where replaced names are read or listed."""
FORMER = re.compile("former|deprecated", re.IGNORECASE)
"""In a line that reads a replaced name which users have."""
EXEMPT = (Path(__file__), ROOT / "CHANGELOG.md", ROOT / "docs" / "licences.md", ROOT / "docs" / "reference")
"""This list; names that were given up; texts of other authors; pages that the documentation's build writes."""


def glossary() -> list[str]:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    return [term for row in rows[1:] for term in row.split(", ") if not set(term) <= set("- ")]


def files() -> Iterator[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    for path in [*found, *ROOT.glob("*.md"), *ROOT.glob("*.yaml"), ROOT / "Makefile", ROOT / "pyproject.toml"]:
        former = {"former", "__pycache__", "_build"} & set(path.parts)
        exempt = any(path == other or other in path.parents for other in EXEMPT)
        if (path.suffix in ENDINGS or path.name == "Makefile") and path.is_file() and not former and not exempt:
            yield path


TEXTS = {path: path.read_text() for path in files()}
LIBRARY = " ".join(text for path, text in TEXTS.items() if path.is_relative_to(ROOT / "src")).lower()


@pytest.mark.parametrize("term", glossary())
def test_each_term_of_the_glossary_is_used_in_the_package(term: str) -> None:
    spelled = r"[\s_-]?".join(map(re.escape, re.split(r"[\s-]", term.lower())))
    assert re.search(rf"(?<![a-z]){spelled}", LIBRARY), f"{term}: not used in src/; drop it from docs/glossary.md"


def line_at(text: str, place: int) -> str:
    return text[text.rfind("\n", 0, place) + 1 :].partition("\n")[0]


@pytest.mark.parametrize("word", REPLACED)
def test_each_replaced_word_is_used_no_more(word: str) -> None:
    pattern = re.compile(rf"(?<![a-z])({word})(?![a-z])", re.IGNORECASE)
    uses = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for path, text in TEXTS.items()
        for found in [*pattern.finditer(text), *pattern.finditer(path.name)]
        if path not in READERS and not FORMER.search(line_at(text, found.end()))
    ]
    assert uses == [], f"say instead: {REPLACED[word]}"
