"""Official lists in small, and the people that they speak of."""

from __future__ import annotations

from collections.abc import Sequence

Same = tuple[str, int, int]
Different = tuple[str, int, str, int]

# Ten people for training, in five groups that negative pairs tie together, and four for the test.
PEOPLE = {f"P{i}": 3 for i in range(10)} | {f"T{i}": 2 for i in range(4)} | {"Solo": 1}

TRAIN_SAME: list[Same] = [(f"P{i}", 1, 2) for i in range(10)]
TRAIN_DIFFERENT: list[Different] = [(f"P{2 * i}", n, f"P{2 * i + 1}", n) for i in range(5) for n in (1, 2)]
TEST_SAME: list[Same] = [("T0", 1, 2), ("T1", 1, 2)]
TEST_DIFFERENT: list[Different] = [("T0", 1, "T1", 1), ("T2", 1, "T3", 2)]


def pair_list(same: Sequence[Same], different: Sequence[Different]) -> str:
    """The text of a list with one fold."""
    return "\n".join([str(len(same)), *pair_rows(same, different)]) + "\n"


def pair_rows(same: Sequence[Same], different: Sequence[Different]) -> list[str]:
    return ["\t".join(map(str, row)) for row in [*same, *different]]


def view_1_lists() -> dict[str, str]:
    """pairsDevTrain, pairsDevTest and peopleDevTrain of `PEOPLE`; Solo is for training too."""
    learners = [f"{person}\t{images}" for person, images in PEOPLE.items() if not person.startswith("T")]
    return {
        "pairsDevTrain.txt": pair_list(TRAIN_SAME, TRAIN_DIFFERENT),
        "pairsDevTest.txt": pair_list(TEST_SAME, TEST_DIFFERENT),
        "peopleDevTrain.txt": "\n".join([str(len(learners)), *learners]) + "\n",
    }


def view_2_lists(folds: int = 10) -> dict[str, str]:
    """pairs.txt and people.txt of `view_2_people`: four people and 2 + 2 pairs a fold."""
    pairs, people = [f"{folds}\t2"], [str(folds)]
    for fold in range(folds):
        a, b, c, d = (f"F{fold}{letter}" for letter in "abcd")
        pairs += pair_rows([(a, 1, 2), (c, 1, 2)], [(a, 1, b, 1), (c, 1, d, 2)])
        people += ["4", *(f"{person}\t2" for person in (a, b, c, d))]
    return {"pairs.txt": "\n".join(pairs) + "\n", "people.txt": "\n".join(people) + "\n"}


def view_2_people(folds: int = 10) -> dict[str, int]:
    return {f"F{fold}{letter}": 2 for fold in range(folds) for letter in "abcd"}
