"""What is left out of a face set is left out of all that is built on it, and every report names the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from likeness.data.faceset import FaceSet
from likeness.data.ingest import ingest
from likeness.data.problems import TOO_SMALL
from likeness.data.protocol import SplitParams, make_split
from likeness.data.source_location import Located
from likeness.data.sources import DataParams
from likeness.errors import ValidationFailedError
from likeness.validation.findings import failed
from likeness.validation.params import ValidationParams
from likeness.validation.validate import check, validate
from tests.data.pictures import encoded, jpeg, picture, write_folder

LARGE, FLAT, NARROW = (60, 50), (49, 60), (60, 39)
SIZES_BY_PERSON = {f"Person {one}": [LARGE, LARGE, FLAT, LARGE] for one in range(5)} | {
    "Small": [NARROW, FLAT],
    "Large": [LARGE] * 3,
}


@pytest.mark.fault("A10")
def test_pictures_smaller_than_the_crop_are_left_out_with_their_reason(tmp_path: Path) -> None:
    """Some pictures of every person, and all of one: the build goes on without them."""
    files = {
        f"{person}/{number}.png": encoded(picture(7 * seed + number, *size), "PNG")
        for seed, (person, sizes) in enumerate(SIZES_BY_PERSON.items())
        for number, size in enumerate(sizes)
    }
    located = Located(write_folder(tmp_path / "set", files), "set", "none", {})
    done = ingest(located, DataParams("folder", None, (50, 40), (20, 16)), tmp_path / "faces")
    assert {kind: count for kind, count in done.problems.items() if count} == {TOO_SMALL: 7}
    faces = FaceSet.open(tmp_path / "faces")
    small = faces.manifest[~faces.usable]
    assert set(small["problem"]) == {TOO_SMALL}
    assert small["error"].iloc[0] == "is 49×60 pixels (height × width), smaller than the crop of 50×40"
    findings = validate(faces, ValidationParams(), tmp_path / "validation")
    (finding,) = [finding for finding in findings if finding.name == "images reach the crop"]
    assert (finding.severity, finding.success, finding.observed) == ("warning", False, "7 of 25")
    assert "images can be decoded" not in {finding.name for finding in findings if not finding.success}
    split = make_split(faces, SplitParams(protocol="unrestricted", holdout_fraction=0.3, pairs_per_class=8))
    assert split.identities is not None
    used = np.concatenate([split.train.rows, split.test.rows, split.identities.rows])
    assert faces.usable[used].all()


def ingested(tmp_path: Path, folder: Path) -> FaceSet:
    params = DataParams("folder", None, None, (20, 16))
    ingest(Located(folder, folder.name, "none", {}), params, tmp_path / "faces")
    return FaceSet.open(tmp_path / "faces")


def pictures(*paths: str) -> dict[str, bytes]:
    return {path: jpeg(7 * seed) for seed, path in enumerate(paths)}


@pytest.mark.fault("D10")
def test_what_cannot_be_read_stops_the_build_by_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "photos", pictures("Ann/1.jpg", "Ann/2.jpg", "Bob/1.jpg", "Bob/2.jpg"))
    (folder / "Cem").symlink_to(tmp_path / "a share that is not mounted")
    faces = ingested(tmp_path, folder)
    with pytest.raises(
        ValidationFailedError, match=r"the whole source is read +1 of 1 +Cem: is a link to nothing"
    ):
        validate(faces, ValidationParams(), tmp_path / "validation")
    assert not failed(check(faces, ValidationParams(unread_files=1)), "critical")


@pytest.mark.fault("D31")
def test_photographs_that_are_not_taken_are_a_warning_with_their_names(tmp_path: Path) -> None:
    files = pictures("Ann/1.jpg", "Ann/2.jfif", "Bob/1.jpg", "Bob/2.jpg", "Bob/3.tiff", "Cem/1.psd", "me.jpg")
    files |= {"notes.txt": b"", "Ann/@eaDir/1.jpg": b""}
    findings = check(ingested(tmp_path, write_folder(tmp_path / "photos", files)), ValidationParams())
    (finding,) = [finding for finding in findings if finding.name == "every photograph is taken"]
    assert (finding.severity, finding.success, finding.observed) == ("warning", False, "3 of 5")
    assert [row["path"] for row in finding.offenders] == ["Bob/3.tiff", "Cem/1.psd", "me.jpg"]
    assert not failed(findings, "critical")


@pytest.mark.fault("D03", "D24")
def test_dated_folders_and_both_forms_of_a_name_hold_every_critical_expectation(tmp_path: Path) -> None:
    files = pictures("Zo\u00eb/2019/1.jpg", "Zoe\u0308/2020/2.jpg", "Bob/1.jpg", "Bob/2021/May/2.jpg")
    faces = ingested(tmp_path, write_folder(tmp_path / "photos", files))
    assert set(faces.manifest["person"]) == {"Zo\u00eb", "Bob"}
    assert not failed(check(faces, ValidationParams()), "critical")


@pytest.mark.fault("D22")
def test_a_list_that_is_not_read_is_a_warning(tmp_path: Path) -> None:
    files = pictures("Ann/1.jpg", "Ann/2.jpg", "Bob/1.jpg", "Bob/2.jpg") | {"matchpairsDevTest.csv": b"name"}
    findings = check(ingested(tmp_path, write_folder(tmp_path / "photos", files)), ValidationParams())
    (finding,) = [finding for finding in findings if finding.name == "every list is read"]
    assert (finding.severity, finding.observed) == ("warning", "1 of 1")
    assert finding.offenders[0]["path"] == "matchpairsDevTest.csv"
