"""Each expectation of the suites is made to fail by data that break it and nothing else."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from likeness.artifacts.manifest import ASIDE
from likeness.artifacts.validation_record import Finding
from likeness.data.faceset import FaceSet
from likeness.data.problems import NO_FACE, TOO_SMALL, UNDECODABLE
from likeness.errors import ParamsError, ValidationFailedError
from likeness.params import from_mapping
from likeness.validation.expectations import suites
from likeness.validation.params import ValidationParams
from likeness.validation.validate import check, validate
from tests.data.official import PEOPLE, view_1_lists, view_2_lists
from tests.data.tiny import tiny_faceset

PARAMS = ValidationParams()
EVERYBODY = PEOPLE | {f"F{fold}{letter}": 2 for fold in range(3) for letter in "abcd"}

Spoil = Callable[[FaceSet], FaceSet]


@pytest.fixture
def faces(tmp_path: Path) -> FaceSet:
    """A flawless set in LFW's form, with the lists of both views."""
    faces = tiny_faceset(tmp_path / "faces", EVERYBODY, lists=view_1_lists() | view_2_lists(folds=3))
    return dataclasses.replace(faces, source=dataclasses.replace(faces.source, source="synthetic"))


def spoil_column(column: str, value: Any, row: int = 5) -> Spoil:
    def spoil(faces: FaceSet) -> FaceSet:
        manifest = faces.manifest.copy()
        manifest.loc[row, column] = value
        return dataclasses.replace(faces, manifest=manifest)

    return spoil


def spoil_list(name: str, old: str, new: str) -> Spoil:
    def spoil(faces: FaceSet) -> FaceSet:
        text = faces.lists[name].read_text()
        assert old in text
        faces.lists[name].write_text(text.replace(old, new, 1))
        return faces

    return spoil


def keep_rows(chosen: Callable[[FaceSet], Any]) -> Spoil:
    def spoil(faces: FaceSet) -> FaceSet:
        rows = np.flatnonzero(chosen(faces))
        manifest = faces.manifest.iloc[rows].reset_index(drop=True)
        return dataclasses.replace(faces, pixels=faces.pixels[rows], manifest=manifest)

    return spoil


def without_lists(faces: FaceSet) -> FaceSet:
    return dataclasses.replace(faces, lists={})


def copied(row: int, twin: int) -> Spoil:
    def spoil(faces: FaceSet) -> FaceSet:
        pixels, manifest = faces.pixels.copy(), faces.manifest.copy()
        pixels[row] = pixels[twin]
        manifest.loc[row, "phash"] = manifest.loc[twin, "phash"]
        return dataclasses.replace(faces, pixels=pixels, manifest=manifest)

    return spoil


def failures(faces: FaceSet) -> dict[str, Finding]:
    return {finding.name: finding for finding in check(faces, PARAMS) if not finding.success}


def test_flawless_data_fail_nothing(faces: FaceSet) -> None:
    findings = check(faces, PARAMS)
    assert [finding.name for finding in findings if not finding.success or finding.offenders] == []
    assert {finding.table for finding in findings} == set(suites(faces.source, PARAMS))
    names = [finding.name for finding in findings]
    assert len(names) == len(set(names))


def as_lfw(faces: FaceSet) -> FaceSet:
    return dataclasses.replace(faces, source=dataclasses.replace(faces.source, source="lfw-a"))


def darkened(faces: FaceSet) -> FaceSet:
    return dataclasses.replace(faces, manifest=faces.manifest.assign(brightness=np.float32(0.15)))


def one_class_undecodable(faces: FaceSet) -> FaceSet:
    """Both test pairs of one person are unusable, both of two people are fine."""
    rows = faces.rows_by_name()
    manifest = faces.manifest.copy()
    manifest.loc[[rows["T0", 2], rows["T1", 2]], "problem"] = UNDECODABLE
    return dataclasses.replace(faces, manifest=manifest)


def left_aside(kind: str) -> Spoil:
    def spoil(faces: FaceSet) -> FaceSet:
        rows = [("Ann/1.txt", "no picture", "other"), ("Ann/2.jpg", "left", kind)]
        return dataclasses.replace(faces, aside=pd.DataFrame(rows, columns=list(ASIDE.columns)))

    return spoil


# Row 5 is F0c_0002. Each case: the expectation, what breaks it, its severity, and a part of the first offender.
ROWS: list[tuple[str, list[Spoil], str, str]] = [
    ("images can be decoded", [spoil_column("problem", UNDECODABLE)], "critical", "F0c/F0c_0002.jpg"),
    ("images reach the crop", [spoil_column("problem", TOO_SMALL)], "warning", "F0c/F0c_0002.jpg"),
    ("no constant image", [spoil_column("contrast", 0.0)], "critical", "F0c/F0c_0002.jpg"),
    ("names match paths", [spoil_column("path", "lfw2/F0c/F0c_0007.jpg")], "critical", "F0c_0007"),
    ("names are unique", [spoil_column("number", 1)], "critical", "F0c_0001"),
    ("brightness of each image", [spoil_column("brightness", 0.95)], "warning", "0.95"),
    ("contrast of each image", [spoil_column("contrast", 0.01)], "warning", "0.01"),
    ("sharpness of each image", [spoil_column("sharpness", 3.0)], "warning", "3.0"),
    ("no photograph under two names", [copied(5, 0)], "warning", "F0a/F0a_0001.jpg (0 bits, r = 1.000)"),
    ("no photograph twice", [copied(1, 0)], "warning", "F0a/F0a_0001.jpg (0 bits, r = 1.000)"),
    ("images per person", [], "warning", "P0"),
    ("numbered without gaps", [keep_rows(lambda faces: np.arange(len(faces)) != 0)], "warning", "F0a"),
    ("the whole source is read", [left_aside("unread")], "critical", "Ann/2.jpg"),
    ("every list is read", [left_aside("list")], "warning", "Ann/2.jpg"),
    ("every photograph is taken", [left_aside("photograph")], "warning", "Ann/2.jpg"),
    ("lists are well formed", [spoil_list("pairs.txt", "F0a\t1\t2", "F0a 1 2")], "critical", "pairs.txt:2: exp"),
    ("lists as published", [as_lfw], "warning", "pairs.txt"),
    ("listed pairs exist", [spoil_list("pairsDevTest.txt", "T0\t1\t2", "T0\t1\t9")], "critical", "T0_0009"),
    ("listed pairs are usable", [spoil_column("problem", UNDECODABLE)], "critical", "pairs.txt:3"),
    ("listed pairs show faces", [spoil_column("problem", NO_FACE)], "warning", "pairs.txt:3"),
    ("no pair listed twice", [spoil_list("pairsDevTest.txt", "T1\t1\t2", "T0\t2\t1")], "warning", "Test.txt:3"),
    ("classes are balanced", [one_class_undecodable], "critical", "'same': 0"),
    ("listed people exist", [spoil_list("peopleDevTrain.txt", "Solo", "Nobody")], "critical", "Nobody"),
    ("listed people are complete", [spoil_list("people.txt", "F0a\t2", "F0a\t7")], "warning", "people.txt:3"),
    ("nobody on both sides of view 1", [spoil_list("pairsDevTest.txt", "T1\t1\t2", "P4\t1\t3")], "critical", "P4"),
    ("nobody in two folds of view 2", [spoil_list("pairs.txt", "F2a\t1\t2", "F1a\t1\t2")], "critical", "F1a"),
    ("width of the pictures", [as_lfw, spoil_column("width", 249)], "critical", "249"),
    ("height of the pictures", [as_lfw, spoil_column("height", 251)], "critical", "251"),
]

# Those about a table as a whole: what breaks it, its severity, and the figure that is reported.
WHOLES: list[tuple[str, list[Spoil], str]] = [
    ("mean brightness", [darkened], "0.15"),
    ("several people", [keep_rows(lambda faces: faces.manifest["person"] == "P0"), without_lists], "1"),
    ("someone twice", [keep_rows(lambda faces: faces.manifest["number"] == 1), without_lists], "1"),
    ("number of images", [as_lfw], "63"),
    ("number of people", [as_lfw], "27"),
    ("lists of view 1", [as_lfw, without_lists], "lacks pairsDevTest.txt, pairsDevTrain.txt"),
]


def spoilt(faces: FaceSet, spoils: list[Spoil]) -> FaceSet:
    for spoil in spoils:
        faces = spoil(faces)
    return faces


@pytest.mark.parametrize(("name", "spoils", "severity", "said"), ROWS, ids=[case[0] for case in ROWS])
def test_an_expectation_over_rows_names_its_offenders(
    faces: FaceSet, name: str, spoils: list[Spoil], severity: str, said: str
) -> None:
    strict = ValidationParams(images_per_person=(1, 2)) if name == "images per person" else PARAMS
    found = {finding.name: finding for finding in check(spoilt(faces, spoils), strict) if not finding.success}
    assert found[name].severity == severity
    assert said in str(found[name].offenders[0])
    assert found[name].observed.startswith(f"{len(found[name].offenders)} of ")


@pytest.mark.parametrize(("name", "spoils", "said"), WHOLES, ids=[case[0] for case in WHOLES])
def test_an_expectation_over_a_table_says_its_figure(
    faces: FaceSet, name: str, spoils: list[Spoil], said: str
) -> None:
    found = failures(spoilt(faces, spoils))
    assert (found[name].severity, found[name].observed) == ("critical", said)


def test_every_expectation_is_made_to_fail_above(faces: FaceSet) -> None:
    everything = suites(as_lfw(faces).source, PARAMS).values()
    names = {expectation.meta["name"] for suite in everything for expectation in suite}
    assert names == {case[0] for case in [*ROWS, *WHOLES]}


def test_lfw_alone_must_have_its_counts(faces: FaceSet) -> None:
    lfw = {
        "number of images",
        "number of people",
        "width of the pictures",
        "lists of view 1",
        "lists as published",
    }
    assert not lfw & {finding.name for finding in check(faces, PARAMS)}
    assert lfw <= {finding.name for finding in check(as_lfw(faces), PARAMS)}


def test_a_tolerated_share_of_undecodable_images_is_still_listed(faces: FaceSet) -> None:
    broken = spoil_column("problem", UNDECODABLE, row=faces.rows_by_name()["Solo", 1])(faces)
    tolerant = dataclasses.replace(PARAMS, undecodable_share=0.02)
    (finding,) = [finding for finding in check(broken, tolerant) if finding.name == "images can be decoded"]
    assert finding.success
    assert finding.offenders[0]["image"] == "Solo/Solo_0001.jpg"


def test_files_of_a_folder_set_may_have_any_name(tmp_path: Path) -> None:
    faces = spoil_column("path", "holiday/Bob/DSC 17.png", row=2)(
        tiny_faceset(tmp_path / "faces", {"Ann": 2, "Bob": 1})
    )
    assert failures(faces) == {}
    assert "names match paths" in failures(spoil_column("path", "holiday/Ann/DSC 17.png", row=2)(faces))


def test_a_critical_failure_stops_with_one_table_after_the_reports_are_written(
    faces: FaceSet, tmp_path: Path
) -> None:
    manifest = faces.manifest.assign(problem=UNDECODABLE, error="truncated")
    with pytest.raises(ValidationFailedError) as caught:
        validate(dataclasses.replace(faces, manifest=manifest), PARAMS, tmp_path / "out")
    text = str(caught.value)
    assert caught.value.exit_code == 3
    assert "images can be decoded" in text
    assert "63 of 63" in text
    assert text.count(": truncated") == 10
    assert "F0a/F0a_0001.jpg: truncated" in text
    assert "… and 53 more" in text
    record = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert record["success"] is False
    (decoded,) = [item for item in record["expectations"] if item["name"] == "images can be decoded"]
    assert (decoded["offender_count"], len(decoded["offenders"])) == (63, 63)
    assert "images can be decoded" in (tmp_path / "out" / "docs" / "index.html").read_text()


def test_warnings_alone_do_not_stop(faces: FaceSet, tmp_path: Path) -> None:
    findings = validate(copied(5, 0)(faces), PARAMS, tmp_path)
    assert [finding.name for finding in findings if not finding.success] == ["no photograph under two names"]
    record = json.loads((tmp_path / "validation.json").read_text())
    assert record["success"] is True
    assert record["summary"] == {"expectations": 28, "held": 27, "critical": 0, "warning": 1}


def test_equal_data_give_equal_reports(faces: FaceSet, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        validate(faces, PARAMS, tmp_path / folder)
    for name in ("validation.json", "docs/index.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_bounds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ParamsError, match=r"contrast: the lowest value 0\.5 is above the highest 0\.1"):
        from_mapping(ValidationParams, {"contrast": [0.5, 0.1]}, "params.yaml")
