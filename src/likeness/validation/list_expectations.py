"""What must hold (critical) and what should (warning) for the official lists."""

from __future__ import annotations

import great_expectations.expectations as gxe

from likeness.data.protocol import PAIR_LISTS
from likeness.validation.expectation_builders import Suite, each, expect
from likeness.validation.params import ValidationParams


def list_suites(params: ValidationParams, lfw: bool) -> dict[str, Suite]:
    """The expectations by the table that they speak about; `lfw` where the lists must be those of LFW."""
    return {
        "lists": _lists(lfw),
        "pairs": _pairs(),
        "classes": [_classes(params)],
        "listed people": _listed_people(),
        "view 1": [_view_1()],
        "view 2": [_view_2()],
    }


def _lists(lfw: bool) -> Suite:
    well_formed = each(
        "lists are well formed",
        "Every line of every list is of the official format.",
        show=["list", "problem"],
        column="problem",
        value="",
    )
    official = [
        expect(
            gxe.ExpectColumnDistinctValuesToContainSet,
            "lists of view 1",
            f"The lists of view 1 are there: {' and '.join(PAIR_LISTS[1])}.",
            column="list",
            value_set=list(PAIR_LISTS[1]),
        ),
        each(
            "lists as published",
            "The lists are those that the authors of LFW published.",
            severity="warning",
            show=["list"],
            column="as_published",
            value=True,
        ),
    ]
    return [well_formed, *(official if lfw else [])]


def _pairs() -> Suite:
    return [
        each(
            "listed pairs exist",
            "Both images of every listed pair exist.",
            show=["place", "absent"],
            column="absent",
            value="",
        ),
        each(
            "listed pairs are usable",
            "Both images of every listed pair can be read.",
            show=["place", "broken"],
            column="broken",
            value="",
        ),
        each(
            "listed pairs show faces",
            "Both images of every listed pair show a face that can be compared; the other pairs are left out, and "
            "counted as rejected by the evaluation.",
            severity="warning",
            show=["place", "faceless"],
            column="faceless",
            value="",
        ),
        each(
            "no pair listed twice",
            "No list names the same two images twice.",
            severity="warning",
            show=["place", "first", "second"],
            column="repeated",
            value=False,
        ),
    ]


def _classes(params: ValidationParams) -> gxe.Expectation:
    return expect(
        gxe.ExpectColumnValuesToBeBetween,
        "classes are balanced",
        "Of the usable pairs of each list and fold, a share of {low} to {high} is of one person.",
        bounds=params.same_share,
        show=["list", "fold", "same", "different"],
        column="same_share",
    )


def _listed_people() -> Suite:
    return [
        expect(
            gxe.ExpectColumnValuesToBeBetween,
            "listed people exist",
            "Every listed person has an image.",
            show=["place", "person"],
            column="found",
            min_value=1,
        ),
        expect(
            gxe.ExpectColumnPairValuesToBeEqual,
            "listed people are complete",
            "Every listed person has as many images as the list says.",
            severity="warning",
            show=["place", "person", "listed", "found"],
            column_A="listed",
            column_B="found",
        ),
    ]


def _view_1() -> gxe.Expectation:
    return each(
        "nobody on both sides of view 1",
        "No person is in a training list and in a test list of view 1.",
        show=["person", "train", "test"],
        column="divided",
        value=True,
    )


def _view_2() -> gxe.Expectation:
    return each(
        "nobody in two folds of view 2",
        "No person is in two folds of view 2.",
        show=["person", "places"],
        column="folds",
        value=1,
    )
