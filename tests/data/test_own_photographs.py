"""Photographs as a camera makes them: each face is found and framed as in use, or is a row with its reason."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from likeness.artifacts.source_card import Framing
from likeness.data.batch_images import measure
from likeness.data.faceset import FaceSet
from likeness.data.incoming import take_snapshot
from likeness.data.ingest import ingest
from likeness.data.problems import NO_FACE, SMALL_FACE
from likeness.data.source_location import Located, locate
from likeness.data.sources import DataParams
from likeness.errors import DataError
from likeness.faces import find_face
from likeness.images import Pixels, read_image
from likeness.isolation import LIMITS as WORKER_LIMITS
from likeness.models.preprocess import Preprocess
from likeness.params import from_mapping
from likeness.serving.face_reading import Reading, read_face
from likeness.validation.params import ValidationParams
from likeness.validation.validate import check
from tests.serving.pictures import encoded, other_portrait, portrait, two_people

CROP, SIZE = (120, 100), (80, 64)


def on_a_wall(picture: Pixels, left: int, top: int, size: tuple[int, int] = (800, 1100)) -> Pixels:
    """A photograph that shows the picture somewhere."""
    wall = np.random.default_rng(0).integers(90, 130, (*size, 3), dtype=np.uint8)
    wall[top : top + len(picture), left : left + picture.shape[1]] = picture
    return wall


def reduced(picture: Pixels, share: float) -> Pixels:
    return np.asarray(cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pictures = {
        "Ada/IMG 1.jpg": on_a_wall(portrait(), 60, 280),
        "Ada/IMG 2.jpg": on_a_wall(portrait(), 580, 20),
        "Ada/IMG 3.jpg": on_a_wall(reduced(portrait(), 0.35), 50, 20, (240, 300)),
        "Ben/1.jpg": on_a_wall(other_portrait(), 400, 100),
        "Ben/2.jpg": on_a_wall(np.zeros((9, 9, 3), np.uint8), 0, 0),
        "Ben/3.jpg": two_people(),
    }
    for name, picture in pictures.items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(encoded(picture, quality=95))
    return tmp_path / "photos"


def params(**changes: object) -> DataParams:
    return DataParams(
        **({"source": "folder", "mirror": None, "crop": CROP, "size": SIZE, "align": "lfw-frame"} | changes)
    )  # type: ignore[arg-type]


def seen(photograph: Pixels) -> Pixels:
    return find_face(photograph, align="lfw-frame").frame


def faces_of(folder: Path, data: DataParams) -> FaceSet:
    out = folder.with_name("faces")
    ingest(Located(folder, folder.name, "none", {}), data, out)
    return FaceSet.open(out)


@pytest.mark.fault("A1", "D01")
def test_what_is_stored_is_what_the_network_sees_in_use(folder: Path) -> None:
    faces = faces_of(folder, params())
    preprocess = Preprocess(SIZE, CROP)
    rows = faces.manifest[faces.usable]
    assert list(rows["path"].str.split("/").str[-2:].str.join("/")) == [
        "Ada/IMG 1.jpg",
        "Ada/IMG 2.jpg",
        "Ben/1.jpg",
        "Ben/3.jpg",
    ]
    for row, path in rows["path"].items():
        photograph = read_image(folder.parent / path if (folder.parent / path).exists() else folder / path)
        np.testing.assert_array_equal(faces.pixels[row], preprocess.window(seen(photograph)))
    assert rows["other_faces"].tolist() == [0, 0, 0, 1]
    assert (faces.source.align, faces.source.smallest_face, faces.source.alignment) == ("lfw-frame", 40, "none")


def test_the_share_of_finding_faces_in_the_time_is_reported(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for align, low, high in (("lfw-frame", 0.01, 1.0), ("none", 0.0, 0.0)):
        data = params(align=align, crop=None)
        done = ingest(Located(folder, folder.name, "none", {}), data, folder.with_name(align), workers=1)
        share = done.figures()["detection_share"]
        assert low <= share <= high
        assert f"images/s, {100 * done.detection_share:.0f} % of the time for finding faces" in caplog.text


@pytest.mark.fault("A1")
def test_photographs_without_a_large_enough_face_are_counted(folder: Path) -> None:
    faces = faces_of(folder, params())
    problems = faces.manifest.set_index("path")["problem"]
    assert problems[problems != ""].tolist() == [SMALL_FACE, NO_FACE]
    assert "fewer than 40" in faces.manifest["error"][2]
    assert not faces.pixels[~faces.usable].any()
    found = {finding.name: finding for finding in check(faces, ValidationParams())}
    for name, image in {"a face is found": "Ben/2.jpg", "faces are large enough": "Ada/IMG 3.jpg"}.items():
        assert not found[name].success
        assert found[name].severity == "warning"
        assert [offender["image"] for offender in found[name].offenders] == [image]


@pytest.mark.fault("D02")
@pytest.mark.parametrize("size", [(112, 92), (112, 112)])
def test_faces_that_are_framed_already_are_taken_as_they_are(tmp_path: Path, size: tuple[int, int]) -> None:
    for name, picture in {"Ada": portrait(), "Ben": other_portrait()}.items():
        close = cv2.resize(
            find_face(read_image(picture)).frame[60:190, 70:180], size[::-1], interpolation=cv2.INTER_AREA
        )
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "1.pgm").write_bytes(encoded(close, "PPM"))
    faces = faces_of(tmp_path / "photos", params(align="none", crop=None))
    assert faces.usable.all()
    assert faces.source.align == "none"
    with pytest.raises(DataError, match=r"data\.crop=null"):
        faces_of(tmp_path / "photos", params(align="none"))
    for picture in (tmp_path / "photos").glob("*/*"):
        picture.write_bytes(encoded(np.full(size, 90, np.uint8), "PPM"))
    with pytest.raises(DataError, match=r"no face .*data\.align=none .*data\.crop=null"):
        faces_of(tmp_path / "photos", params())


def test_the_way_of_framing_is_part_of_the_fingerprint(folder: Path) -> None:
    prints = {
        faces_of(folder, data).source.fingerprint
        for data in (params(), params(align="none"), params(smallest_face=30))
    }
    assert len(prints) == 3


@pytest.mark.fault("D11")
def test_ingest_expands_a_tilde(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert locate(params(mirror="~/photos"), folder.parent / "downloads", {}).images == folder


@pytest.mark.fault("A1")
def test_the_nightly_intake_frames_what_joins_such_a_set(folder: Path, tmp_path: Path) -> None:
    found = take_snapshot(folder, tmp_path / ".arrived", ["Ada"], time.time() + 60, 0)
    measured, refused = measure(found.arrivals, params(), WORKER_LIMITS)
    assert sorted(arrival.name for arrival in measured) == [
        "Ada/IMG 1.jpg",
        "Ada/IMG 2.jpg",
        "Ben/1.jpg",
        "Ben/3.jpg",
    ]
    (pixels, _) = next(each for arrival, each in measured.items() if arrival.name == "Ben/1.jpg")
    photograph = read_image(on_a_wall(other_portrait(), 400, 100))
    expected = Preprocess(SIZE, CROP).window(seen(photograph))
    assert np.abs(pixels.astype(int) - expected).mean() < 5  # but for the JPEG file
    assert sorted("no face" in reason for reason in refused.values()) == [False, True]


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("align", ["lfw-landmarks", "lfw-frame", "arcface-112"])
def test_what_is_stored_is_what_is_seen_in_use_whatever_the_colours_and_the_alignment(
    folder: Path, tmp_path: Path, colour: bool, align: Framing
) -> None:
    data = params(colour=colour, align=align, crop=(224, 180))
    faces = faces_of(folder, data)
    assert faces.size == data.cut.shape == ((*SIZE, 3) if colour else SIZE)
    assert faces.source.align == align
    assert faces.source.alignment == ("none" if align == "lfw-frame" else align)
    preprocess = Preprocess(faces.size, data.crop)
    assert faces.usable.sum() == (4 if align == "lfw-frame" else 5)  # landmarks are found in the small one too
    for row in np.flatnonzero(faces.usable):
        photograph = folder / faces.manifest["path"][row].removeprefix(f"{folder.name}/")
        seen = preprocess.window(read_face(photograph, Reading(align, colour), "it").frame)
        np.testing.assert_array_equal(faces.pixels[row], seen)
    assert faces.source.fingerprint != faces_of(folder, params(crop=(224, 180))).source.fingerprint or (
        align == "lfw-frame" and not colour
    )


def test_former_names_of_the_framing_are_read(tmp_path: Path) -> None:
    old = {"source": "folder", "mirror": None, "crop": CROP, "size": SIZE, "frame": "detect"}
    assert from_mapping(DataParams, old, "params.yaml").align == "lfw-frame"
    assert from_mapping(DataParams, old | {"frame": "none"}, "params.yaml").align == "none"
