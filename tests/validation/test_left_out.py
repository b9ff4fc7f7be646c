"""What is left out of a face set is left out of all that is built on it, and every report names the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from likeness.data.faceset import FaceSet
from likeness.data.ingest import ingest
from likeness.data.places import Located
from likeness.data.problems import TOO_SMALL
from likeness.data.protocol import SplitParams, make_split
from likeness.data.sources import DataParams
from likeness.validation.checkpoint import validate
from likeness.validation.params import ValidationParams
from tests.data.pictures import encoded, picture, write_folder

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
