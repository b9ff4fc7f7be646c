"""What validation finds on real faces: LFW deep-funneled, read from the folder that LIKENESS_LFW names."""

from __future__ import annotations

import os

import pytest

from likeness.artifacts.validation_record import Finding
from likeness.data.faceset import FaceSet
from likeness.data.ingest import ingest
from likeness.data.source_location import locate
from likeness.data.sources import DataParams
from likeness.validation.params import ValidationParams
from likeness.validation.validate import check

LFW = os.environ.get("LIKENESS_LFW")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.lfw,
    pytest.mark.skipif(LFW is None, reason="LIKENESS_LFW names no folder with real faces"),
]


@pytest.fixture(scope="module", params=[None, (120, 100)], ids=["whole", "centre"])
def findings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    folder = tmp_path_factory.mktemp("lfw")
    params = DataParams(source="lfw-deepfunneled", mirror=LFW, crop=request.param, size=(64, 64))
    ingest(locate(params, folder / "downloads", {}), params, folder / "faces")
    return {finding.name: finding for finding in check(FaceSet.open(folder / "faces"), ValidationParams())}


def test_every_critical_expectation_holds(findings: dict[str, Finding]) -> None:
    assert [
        name for name, finding in findings.items() if finding.severity == "critical" and not finding.success
    ] == []
    assert findings["number of images"].observed == "13,233"
    assert findings["number of people"].observed == "5,749"
    assert findings["lists as published"].success


def test_the_five_photographs_under_two_names_are_found_and_no_other(findings: dict[str, Finding]) -> None:
    offenders = findings["no photograph under two names"].offenders
    names = {(row["image"].split("/")[0], row["other_names"].split("/")[0]) for row in offenders}
    assert names == {
        ("Andrew_Gilligan", "Andrew_Caldecott"),
        ("Eva_Amurri", "Emmy_Rossum"),
        ("Martha_Bowen", "Gabrielle_Rose"),
        ("Raul_Ibanez", "Carlos_Beltran"),
        ("Ricky_Ray", "Bart_Hendricks"),
    }


def test_few_images_are_out_of_bounds(findings: dict[str, Finding]) -> None:
    for column in ("brightness", "contrast", "sharpness"):
        assert len(findings[f"{column} of each image"].offenders) <= 10
