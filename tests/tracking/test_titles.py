"""Names, descriptions and columns of runs."""

from __future__ import annotations

from typing import Any

import pytest

from likeness.tracking.titles import RunTitle, differences, readable


def test_the_name_says_what_differs_from_the_recipe() -> None:
    changes = {"train.learning_rate": (2e-3, 1e-3), "train.seed": (0, 2)}
    title = RunTitle("arcface", "lfw-deepfunneled", changes=changes)
    assert title.name() == "arcface · lfw-deepfunneled · lr 1e-3 · seed 2"
    assert title.name("wet-bone") == "arcface · lfw-deepfunneled · lr 1e-3 · seed 2 · wet-bone"
    many = {f"train.p{number}": (0, number) for number in range(1, 8)}
    assert RunTitle("koch", "lfw", changes=many).name() == "koch · lfw · p1 1 · p2 2 · p3 3 · p4 4 · 3 more"
    assert RunTitle("koch", "lfw").name() == "koch · lfw"


def test_differences_are_reported_leaf_by_leaf_and_sequences_alike() -> None:
    recipe: dict[str, Any] = {"train": {"seed": 0, "loss": {"scale": 10.0}, "size": [1, 2]}}
    here = {"train": {"seed": 3, "loss": {"scale": 10.0}, "size": (1, 2)}}
    assert differences(recipe, here) == {"train.seed": (0, 3)}


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-3, "1e-3"), (0.00025, "2.5e-4"), (0.05, "0.05"), (64, "64"), (True, "on"), (None, "none"), (0.0, "0"),
     (12345678, "12345678"), ("bce", "bce")],
)  # fmt: skip
def test_values_are_written_as_people_do(value: Any, text: str) -> None:
    assert readable(value) == text
