from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from likeness.artifacts.manifest import ASIDE
from likeness.data.archive_members import Member
from likeness.data.faceset import FaceSet
from likeness.data.images import read_images
from likeness.data.ingest import ingest
from likeness.data.problems import UNDECODABLE
from likeness.data.source_location import Located, locate
from likeness.data.sources import Cut, DataParams
from likeness.errors import ArchiveError, DataError, OutputError
from likeness.images import crop_and_resize, read_image
from tests.data.pictures import encoded, jpeg, lfw_files, picture, write_folder, write_tar, write_zip

PEOPLE = {"Cy": 3, "Ann": 12, "Bob_Lee": 1, "Dee": 2}
SIZE = (20, 16)


def cut_like(source: str = "lfw-deepfunneled", crop: tuple[int, int] | None = None) -> DataParams:
    return DataParams(source, None, crop, SIZE)  # type: ignore[arg-type]


def found(path: Path, lists: dict[str, str] | None = None) -> Located:
    return Located(path, path.name, "none" if path.is_dir() else "recorded", lists or {})


def shuffled(files: dict[str, bytes]) -> dict[str, bytes]:
    names = list(files)
    random.Random(0).shuffle(names)
    return {name: files[name] for name in names}


def test_rows_are_sorted_whatever_the_order_of_the_archive(tmp_path: Path) -> None:
    files = lfw_files(PEOPLE)
    ingest(found(write_tar(tmp_path / "a.tgz", shuffled(files))), cut_like(crop=(48, 40)), tmp_path / "faces")
    faces = FaceSet.open(tmp_path / "faces")
    names = [(person, number) for person in sorted(PEOPLE) for number in range(1, PEOPLE[person] + 1)]
    assert list(zip(faces.manifest["person"], faces.manifest["number"], strict=True)) == names
    for row, path in enumerate(faces.manifest["path"]):
        assert np.array_equal(faces.pixels[row], crop_and_resize(read_image(files[path]), (48, 40), SIZE))
        assert faces.manifest["sha256"][row] == hashlib.sha256(files[path]).hexdigest()


def test_the_manifest_says_of_each_image_what_reading_it_alone_says(tmp_path: Path) -> None:
    files = lfw_files(PEOPLE)
    ingest(found(write_tar(tmp_path / "a.tgz", shuffled(files))), cut_like(), tmp_path / "faces")
    manifest = FaceSet.open(tmp_path / "faces").manifest.set_index("path")
    for path, data in files.items():
        facts = read_images([Member(path, data)], Cut(None, SIZE))[1][0]
        for column, value in facts._asdict().items():
            if column not in ("path", "face_seconds"):
                assert manifest.loc[path, column] == pytest.approx(value, nan_ok=True), column


def test_every_container_makes_the_same_faces(tmp_path: Path) -> None:
    files = shuffled(lfw_files(PEOPLE))
    sources = {
        "tgz": write_tar(tmp_path / "a.tgz", files),
        "zip": write_zip(tmp_path / "a.zip", files),
        "folder": write_folder(tmp_path / "lfw-deepfunneled", files),
        "inner": tmp_path / "lfw-deepfunneled" / "lfw2",
    }
    cards = {name: ingest(found(path), cut_like(), tmp_path / name).card for name, path in sources.items()}
    assert len({card.fingerprint for card in cards.values()}) == 1
    assert len({(tmp_path / name / "pixels.npy").read_bytes() for name in cards}) == 1


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_and_processes_leave_no_trace(tmp_path: Path, workers: int) -> None:
    files = lfw_files({f"P{number:03d}": 2 for number in range(100)})
    ingest(found(write_tar(tmp_path / "a.tgz", shuffled(files))), cut_like(), tmp_path / "faces", workers)
    faces = FaceSet.open(tmp_path / "faces")
    expected = [crop_and_resize(read_image(files[path]), None, SIZE) for path in sorted(files)]
    assert np.array_equal(faces.pixels, np.stack(expected))


def test_the_same_source_is_the_same_files(tmp_path: Path) -> None:
    located = found(write_tar(tmp_path / "a.tgz", lfw_files(PEOPLE)), {"pairs.txt": "1\n"})
    for name in ("one", "two"):
        ingest(located, cut_like(), tmp_path / name)
    for file in ("pixels.npy", "manifest.parquet", "source.json", "lists/pairs.txt"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_card_says_where_the_faces_came_from(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tgz", lfw_files(PEOPLE))
    done = ingest(found(path), cut_like(crop=(48, 40)), tmp_path / "faces")
    assert dataclasses.asdict(done.card) | {"fingerprint": ""} == {
        "source": "lfw-deepfunneled",
        "synthetic": False,
        "alignment": "deep-funneled",
        "place": "a.tgz",
        "archive_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "checksum": "recorded",
        "align": "none",
        "smallest_face": None,
        "crop": (48, 40),
        "collected_images": 0,
        "collected_people": 0,
        "images": 18,
        "people": 4,
        "size": SIZE,
        "fingerprint": "",
    }
    assert FaceSet.open(tmp_path / "faces").source == done.card
    assert str(tmp_path) not in (tmp_path / "faces" / "source.json").read_text()
    assert done.figures()["images"] == 18


@pytest.mark.parametrize(
    ("source", "alignment", "synthetic"), [("lfw-a", "LFW-a", False), ("synthetic", "synthetic", True)]
)
def test_each_source_has_its_alignment(tmp_path: Path, source: str, alignment: str, synthetic: bool) -> None:
    card = ingest(
        found(write_tar(tmp_path / "a.tgz", lfw_files(PEOPLE))), cut_like(source), tmp_path / "faces"
    ).card
    assert (card.alignment, card.synthetic) == (alignment, synthetic)


def test_in_a_folder_set_images_are_numbered_in_their_order(tmp_path: Path) -> None:
    files = {
        "Ann/b.png": encoded(picture(1), "PNG"),
        "Ann/a.jpg": jpeg(2),
        "Bob/z.webp": encoded(picture(3), "WEBP"),
    }
    ingest(found(write_folder(tmp_path / "set", files)), cut_like("folder"), tmp_path / "faces")
    manifest = FaceSet.open(tmp_path / "faces").manifest
    rows = list(zip(manifest["person"], manifest["number"], manifest["path"], strict=True))
    assert rows == [("Ann", 1, "Ann/a.jpg"), ("Ann", 2, "Ann/b.png"), ("Bob", 1, "Bob/z.webp")]


def test_pictures_that_are_all_too_small_are_refused_with_the_setting(tmp_path: Path) -> None:
    files = {f"{person}/{number}.jpg": jpeg(number) for person in ("Ann", "Bob") for number in range(2)}
    with pytest.raises(DataError, match=r"none of its 4 images is usable.* data\.crop=null"):
        ingest(found(write_folder(tmp_path / "set", files)), cut_like("folder", (80, 80)), tmp_path / "faces")


def test_a_broken_image_is_a_zero_row_with_its_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = lfw_files(PEOPLE)
    broken = "lfw2/Ann/Ann_0007.jpg"
    files[broken] = files[broken][:400]
    done = ingest(found(write_tar(tmp_path / "a.tgz", files)), cut_like(), tmp_path / "faces")
    faces = FaceSet.open(tmp_path / "faces")
    assert {kind: count for kind, count in done.problems.items() if count} == {UNDECODABLE: 1}
    assert faces.manifest["path"][~faces.usable].tolist() == [broken]
    assert not faces.pixels[6].any()
    assert all(faces.pixels[row].any() for row in range(len(faces)) if row != 6)
    assert f"1 images cannot be decoded, such as {broken}" in caplog.text


def test_stray_files_are_left_aside_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = lfw_files(PEOPLE) | {"lfw2/README.txt": b"read me", "lfw2/Ann/Thumbs.db": b"?"}
    done = ingest(found(write_tar(tmp_path / "a.tgz", files)), cut_like(), tmp_path / "faces")
    assert (done.card.images, done.left_aside) == (18, 2)
    assert "2 files were left aside (left-aside.csv), such as lfw2/README.txt" in caplog.text
    aside = pd.read_csv(tmp_path / "faces" / ASIDE.name)
    assert aside.values.tolist() == [
        ["lfw2/Ann/Thumbs.db", "hidden, or in a system folder", "other"],
        ["lfw2/README.txt", "no picture", "other"],
    ]


@pytest.mark.fault("D22")
def test_lists_that_are_read_are_not_left_aside(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "faces", lfw_files(PEOPLE, root="") | {"pairs.txt": b"", "pairs.csv": b""})
    located = found(folder, {"pairs.txt": ""})
    ingest(located, cut_like(), tmp_path / "set")
    assert pd.read_csv(tmp_path / "set" / ASIDE.name)["path"].tolist() == ["pairs.csv"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "found none, but no file"),
        (
            {"notes.txt": b"?", "Ann/1.jpg": jpeg(1)},
            r"NAME/NAME_0001\.jpg, found none, but 2 other files, such as 'not",
        ),
        (lfw_files({"Ann": 3}), r"images of one person only \(Ann\)"),
        (
            dict.fromkeys(lfw_files(PEOPLE), b"broken"),
            "none of its 18 images is usable; the first, lfw2/Cy/Cy_0001",
        ),
        (lfw_files(PEOPLE) | lfw_files({"Bob_Lee": 1}, "again/"), "holds image 1 of Bob_Lee more than once"),
    ],
    ids=["nothing", "another form", "one person", "all broken", "twice"],
)
def test_a_useless_source_is_refused(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    with pytest.raises(DataError, match=words):
        ingest(found(write_tar(tmp_path / "a.tgz", files)), cut_like(), tmp_path / "faces")
    assert not (tmp_path / "faces").exists()


def test_a_crop_larger_than_every_picture_is_reported(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tgz", lfw_files(PEOPLE))
    with pytest.raises(DataError, match=r"is 60×50 pixels .* smaller than the crop of 120×100"):
        ingest(found(path), cut_like(crop=(120, 100)), tmp_path / "faces")


def test_a_failure_leaves_the_previous_faces_intact(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tgz", lfw_files(PEOPLE))
    card = ingest(found(path), cut_like(), tmp_path / "faces").card
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(ArchiveError, match="truncated or damaged"):
        ingest(found(path), cut_like(), tmp_path / "faces")
    assert FaceSet.open(tmp_path / "faces").source == card
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tgz", "faces"]


def test_an_output_below_a_file_is_reported(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tgz", lfw_files(PEOPLE))
    with pytest.raises(OutputError, match="cannot be written"):
        ingest(found(path), cut_like(), path / "faces")


@pytest.mark.slow
@pytest.mark.lfw
@pytest.mark.skipif("LIKENESS_LFW" not in os.environ, reason="LIKENESS_LFW names no folder with real faces")
def test_the_real_archive_is_read_whole(tmp_path: Path) -> None:
    params = DataParams("lfw-deepfunneled", os.environ["LIKENESS_LFW"], (120, 100), (80, 64))
    done = ingest(locate(params, tmp_path / "downloads", {}), params, tmp_path / "faces")
    assert (done.card.images, done.card.people, sum(done.problems.values()), done.left_aside) == (
        13_233,
        5_749,
        0,
        0,
    )
    assert len(FaceSet.open(tmp_path / "faces").lists) == 6
    listed = json.loads((tmp_path / "faces" / "source.json").read_text())
    assert (listed["alignment"], listed["checksum"]) == ("deep-funneled", "recorded")
