"""Labels that may be wrong: ranked as they should be, and shown on a page and in a table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import likeness as library
from likeness.errors import DataError
from likeness.models.decision import Decision
from likeness.serving.numpy_comparators import NumpyCosine
from likeness.serving.suspects import Suspicion, rank_suspicions
from tests.commands.conftest import Likeness
from tests.serving.pictures import encoded, other_portrait, portrait

DECISION = Decision(threshold=0.5, slope=20.0, intercept=-10.0)


def people(count: int, each: int, spread: float = 0.1) -> tuple[np.ndarray, list[str]]:
    """Unit embeddings [count * each, 32] about a direction a person, and the people's names."""
    rng = np.random.default_rng(0)
    middle = np.repeat(np.linalg.qr(rng.normal(size=(32, 32)))[0][:count], each, axis=0)
    vectors = middle + spread * rng.normal(size=middle.shape) / np.sqrt(32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32), [f"p{person:02}" for person in range(count) for _ in range(each)]


def ranked(embeddings: np.ndarray, names: list[str]) -> list[Suspicion]:
    return rank_suspicions(embeddings, names, NumpyCosine(), DECISION)


def test_a_folder_without_errors_is_not_suspicious() -> None:
    assert ranked(*people(12, 3)) == []


def test_a_photograph_in_the_wrong_folder_comes_first_with_whom_it_is_like() -> None:
    embeddings, names = people(12, 3)
    names[7] = "p05"
    first = ranked(embeddings, names)[0]
    assert (first.kind, first.person, first.photographs) == ("in the wrong folder", "p05", (7,))
    assert (first.other, first.others) == ("p02", (6, 8))
    assert first.own is not None
    assert first.alike is not None
    assert first.own < 0.1 < 0.9 < first.alike


def test_two_people_in_one_folder_are_found_though_the_second_has_none() -> None:
    embeddings, names = people(12, 3)
    names = [name if name != "p11" else "p03" for name in names]
    found = ranked(embeddings, names)
    assert {each.kind for each in found} == {"two people in one folder"}
    assert {each.person for each in found} == {"p03"}


def test_a_folder_of_two_that_disagree_is_one_suspicion() -> None:
    embeddings, names = people(12, 1)
    names[1] = names[0]
    (only,) = ranked(embeddings, names)
    assert (only.kind, only.person) == ("two people in one folder", "p00")


@pytest.mark.parametrize("each", [1, 3])
def test_one_person_in_two_folders_is_found_once(each: int) -> None:
    embeddings, names = people(12, 2 * each)
    names = [f"{name}-{row % 2}" if name == "p04" else name for row, name in enumerate(names)]
    (only,) = ranked(embeddings, names)
    assert (only.kind, only.person, only.other) == ("one person in two folders", "p04-0", "p04-1")
    assert only.own is None
    assert len(only.photographs) == len(only.others) == each


def test_other_people_must_be_more_alike_the_more_there_are() -> None:
    embeddings, names = people(3, 1)
    rows = [0, 1, 2]
    embeddings[1] = 0.55 * embeddings[0] + np.sqrt(1 - 0.55**2) * embeddings[1]
    few = ranked(embeddings[rows], [names[row] for row in rows])
    many, others = people(32, 1)
    many[:3] = embeddings
    assert [(each.person, each.other) for each in few] == [("p00", "p01")]
    assert ranked(many, others) == []


@pytest.fixture
def folder() -> Path:
    """Folders of two people, of whom one has the other's photograph too, and files that are of no use."""
    pictures = {
        "ada/1.jpg": portrait(),
        "ada/2.jpg": portrait()[:, ::-1],
        "ben/1.jpg": other_portrait(),
        "ben/2.jpg": portrait(),
        "ben/<b>.jpg": portrait() * 0,
        "alone.jpg": portrait(),
    }
    for name, picture in pictures.items():
        path = Path("people", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(np.ascontiguousarray(picture), quality=90))
    return Path("people")


def test_page_and_table_are_written(likeness: Likeness, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    done = likeness("suspects", str(folder), "--out", "new/page.html")
    with Path("new/page.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = library.find_suspects(folder, verifier=library.Verifier.load("packaged"))
    assert done.code == 1
    assert [row["kind"] for row in rows] == [*(each.kind for each in found.suspicions), "not used", "not used"]
    assert rows[0]["rank"] == "1"
    assert {row["photograph"] for row in rows[-2:]} == {"alone.jpg", "ben/<b>.jpg"}
    assert "4 photographs of 2 people, 2 not used" in done.out
    page = Path("new/page.html").read_text(encoding="utf-8")
    assert page.count("<article>") == len(found.suspicions)
    assert 'src="data:image/jpeg;base64,' in page
    assert "http" not in page
    assert "<script" not in page
    assert sorted(folder.rglob("*")) == before


def test_names_on_the_page_are_no_markup(likeness: Likeness, folder: Path) -> None:
    (folder / "ben").rename(folder / "<b>ben")
    likeness("suspects", str(folder))
    page = Path("suspects.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;ben" in page


def test_a_folder_of_one_person_is_refused(likeness: Likeness) -> None:
    done = likeness("suspects", "photos")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "expected folders of two or more people" in done.err
    with pytest.raises(DataError, match="nowhere"):
        library.find_suspects("nowhere")
