from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from likeness.data.drawn_faces import write_drawn_faces
from likeness.data.layout import lfw_layout
from likeness.data.pairs import read_people
from likeness.data.sources import SyntheticParams
from likeness.errors import OutputError, ParamsError
from likeness.params import from_mapping

PARAMS = SyntheticParams(people=40, seed=3, mean_images=1.8, train_pairs=20, test_pairs=10, fold_pairs=1)
LISTS = {
    "pairsDevTrain.txt",
    "pairsDevTest.txt",
    "pairs.txt",
    "peopleDevTrain.txt",
    "peopleDevTest.txt",
    "people.txt",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_faces(PARAMS, tmp_path_factory.mktemp("drawn"), workers=1)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_archive_has_the_form_of_lfw_a_and_the_official_lists_beside_it(archive: Path) -> None:
    assert archive.name == "lfwa.tar.gz"
    assert set(digests(archive.parent)) == LISTS | {"lfwa.tar.gz"}
    folds = read_people(archive.parent / "people.txt")
    listed = {person.person: person.images for fold in folds for person in fold}
    with tarfile.open(archive) as packed:
        names = packed.getnames()
    expected = [f"lfw2/{who}/{who}_{n:04d}.jpg" for who in sorted(listed) for n in range(1, listed[who] + 1)]
    assert names == expected
    assert all(lfw_layout(name) for name in names)


def test_every_member_is_a_gray_picture_of_250_pixels(archive: Path) -> None:
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member)
            assert content is not None
            picture = cv2.imdecode(np.frombuffer(content.read(), np.uint8), cv2.IMREAD_UNCHANGED)
            assert picture.shape == (250, 250)


def test_nothing_in_the_archive_says_when_or_by_whom_it_was_drawn(archive: Path) -> None:
    assert archive.read_bytes()[4:8] == b"\0\0\0\0"  # the time in the header of gzip
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive.read_bytes()))) as packed:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in packed} == {(0, 0, 0, "", "", 0o644)}


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_workers(archive: Path, tmp_path: Path) -> None:
    write_drawn_faces(PARAMS, tmp_path, workers=2)
    assert digests(tmp_path) == digests(archive.parent)


def test_another_seed_gives_other_people_and_pictures(archive: Path, tmp_path: Path) -> None:
    other = SyntheticParams(people=40, seed=4, mean_images=1.8, train_pairs=20, test_pairs=10, fold_pairs=1)
    write_drawn_faces(other, tmp_path, workers=1)
    before, after = digests(archive.parent), digests(tmp_path)
    assert all(before[name] != after[name] for name in before)


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match=r"lfwa\.tar\.gz"):
        write_drawn_faces(PARAMS, tmp_path / "taken", workers=1)


def test_params_out_of_range_are_refused() -> None:
    values = dataclasses.asdict(PARAMS) | {"people": 39, "seed": -1, "mean_images": 1.0}
    with pytest.raises(ParamsError, match=r"3 mistakes(.|\n)*people(.|\n)*seed(.|\n)*mean_images"):
        from_mapping(SyntheticParams, values, "params.yaml")
