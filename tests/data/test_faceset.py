from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from likeness.artifacts.source_card import SourceCard
from likeness.data.faceset import FaceSet, fingerprint
from likeness.errors import DataError, OutputError
from likeness.files import replaced_folder
from tests.data.tiny import tiny_faceset, tiny_manifest

PEOPLE = {"Ann": 2, "Bob": 1, "Cy": 3}


def test_what_is_created_is_opened_again(tmp_path: Path) -> None:
    lists = {"pairsDevTrain.txt": "1\nAnn\t1\t2\nAnn\t1\tBob\t1\n"}
    tiny_faceset(tmp_path / "faces", PEOPLE, size=(4, 6), lists=lists)
    faces = FaceSet.open(tmp_path / "faces")
    assert faces.pixels.shape == (6, 4, 6)
    assert faces.size == (4, 6)
    assert not faces.pixels.flags.writeable
    assert (faces.source.images, faces.source.people, faces.source.size) == (6, 3, (4, 6))
    assert faces.lists["pairsDevTrain.txt"].read_text() == lists["pairsDevTrain.txt"]


def test_rows_are_found_by_person_and_by_name(tmp_path: Path) -> None:
    faces = tiny_faceset(tmp_path / "faces", PEOPLE)
    rows = faces.rows_of_people()
    assert {person: list(mine) for person, mine in rows.items()} == {"Ann": [0, 1], "Bob": [2], "Cy": [3, 4, 5]}
    assert faces.rows_by_name()["Cy", 2] == 4


def test_equal_sets_are_equal_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        tiny_faceset(tmp_path / name, PEOPLE)
    for file in ("pixels.npy", "manifest.parquet", "source.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_fingerprint_sees_images_cut_and_lists_but_not_order_or_root() -> None:
    manifest = tiny_manifest(PEOPLE)
    known = fingerprint(manifest, None, (8, 8), {})
    moved = manifest.iloc[::-1].assign(path=manifest["path"].str.replace("lfw2/", "elsewhere/"))
    assert fingerprint(moved, None, (8, 8), {}) == known
    changed = manifest.assign(sha256=["0" * 64, *manifest["sha256"][1:]])
    others = [
        fingerprint(changed, None, (8, 8), {}),
        fingerprint(manifest, (120, 100), (8, 8), {}),
        fingerprint(manifest, None, (9, 8), {}),
        fingerprint(manifest, None, (8, 8), {"pairs.txt": "1\n"}),
    ]
    assert len({known, *others}) == 5


def test_array_and_table_must_fit(tmp_path: Path) -> None:
    manifest = tiny_manifest(PEOPLE)
    source = SourceCard("folder", False, "unknown", "tiny")
    with pytest.raises(DataError, match=r"5 rows but manifest\.parquet 6"):
        FaceSet.create(tmp_path, np.zeros((5, 8, 8), np.uint8), manifest, source)
    with pytest.raises(DataError, match="expected uint8"):
        FaceSet.create(tmp_path, np.zeros((6, 8), np.uint8), manifest, source)
    with pytest.raises(DataError, match=r"phash \(missing instead of str\)"):
        FaceSet.create(tmp_path, np.zeros((6, 8, 8), np.uint8), manifest.drop(columns="phash"), source)


@pytest.mark.parametrize("file", ["pixels.npy", "manifest.parquet", "source.json"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_set_is_reported_in_a_sentence(tmp_path: Path, file: str, damage: str) -> None:
    tiny_faceset(tmp_path / "faces", PEOPLE)
    path = tmp_path / "faces" / file
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="run the ingest stage again"):
        FaceSet.open(tmp_path / "faces")


@pytest.mark.attack("13")
@pytest.mark.parametrize("header", ["{'descr': '|u1', (", "[" * 500, "{'descr': '|O'}", "\0" * 100, "9" * 5000])
def test_an_array_with_a_malformed_header_is_refused(tmp_path: Path, header: str) -> None:
    tiny_faceset(tmp_path / "faces", PEOPLE)
    magic = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    (tmp_path / "faces" / "pixels.npy").write_bytes(magic + header.encode())
    with pytest.raises(DataError, match="run the ingest stage again"):
        FaceSet.open(tmp_path / "faces")


@pytest.mark.attack("13")
@pytest.mark.parametrize("content", ["[]", "null", "[[]]", "1", '"text"', "[{}]"])
def test_a_card_that_is_no_table_is_refused(tmp_path: Path, content: str) -> None:
    tiny_faceset(tmp_path / "faces", PEOPLE)
    (tmp_path / "faces" / "source.json").write_text(content)
    with pytest.raises(DataError, match="expected a SourceCard, a JSON object, found"):
        FaceSet.open(tmp_path / "faces")


def scale_pixels(folder: Path) -> None:
    pixels = np.load(folder / "pixels.npy")
    pixels[0, 0, 0] ^= 1
    np.save(folder / "pixels.npy", pixels)


def rename_person(folder: Path) -> None:
    manifest = pd.read_parquet(folder / "manifest.parquet")
    manifest.loc[0, "person"] = "Zoe"
    manifest.to_parquet(folder / "manifest.parquet")


def swap_rows(folder: Path) -> None:
    manifest = pd.read_parquet(folder / "manifest.parquet")
    manifest.iloc[::-1].reset_index(drop=True).to_parquet(folder / "manifest.parquet")


def card_edit(key: str, value: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        card = json.loads((folder / "source.json").read_text())
        (folder / "source.json").write_text(json.dumps({**card, key: value}))

    return edit


EDITS: dict[str, Callable[[Path], object]] = {
    "a pixel": scale_pixels,
    "a person's name": rename_person,
    "the order of rows": swap_rows,
    "alignment": card_edit("alignment", "LFW-a"),
    "synthetic": card_edit("synthetic", False),
    "crop": card_edit("crop", [8, 8]),
    "fingerprint": card_edit("fingerprint", "0" * 64),
    "a list": lambda folder: (folder / "lists" / "pairs.txt").write_text("1\t1\n"),
    "a list more": lambda folder: (folder / "lists" / "people.txt").write_text("0\n"),
    "a list less": lambda folder: (folder / "lists" / "pairs.txt").unlink(),
    "no digests": lambda folder: (folder / "digests.json").unlink(),
    "other digests": lambda folder: (folder / "digests.json").write_text("[]"),
}


@pytest.mark.attack("14")
@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_face_set_is_refused(tmp_path: Path, edit: str) -> None:
    tiny_faceset(tmp_path / "faces", PEOPLE, lists={"pairs.txt": "1\t0\n"})
    EDITS[edit](tmp_path / "faces")
    with pytest.raises(DataError, match="ingest"):
        FaceSet.open(tmp_path / "faces")


def test_a_card_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    tiny_faceset(tmp_path / "faces", PEOPLE)
    card = tmp_path / "faces" / "source.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "colour": "red"}))
    with pytest.raises(DataError, match="colour"):
        FaceSet.open(tmp_path / "faces")


def test_creating_again_replaces_everything(tmp_path: Path) -> None:
    tiny_faceset(tmp_path / "faces", PEOPLE, lists={"pairs.txt": "old"})
    faces = tiny_faceset(tmp_path / "faces", {"Dee": 1, "Eve": 1})
    assert list(faces.manifest["person"]) == ["Dee", "Eve"]
    assert faces.lists == {}
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


def test_a_link_in_place_of_the_folder_is_replaced_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tiny_faceset(tmp_path / "elsewhere", PEOPLE).source
    (tmp_path / "faces").symlink_to(tmp_path / "elsewhere")
    tiny_faceset(tmp_path / "faces", {"Dee": 1, "Eve": 1})
    assert not (tmp_path / "faces").is_symlink()
    assert FaceSet.open(tmp_path / "elsewhere").source == elsewhere


def test_what_a_killed_run_left_behind_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".faces.part").mkdir()
    (tmp_path / ".faces.part" / "pixels.npy").write_bytes(b"half")
    tiny_faceset(tmp_path / "faces", PEOPLE)
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


def fill_the_disk(folder: Path) -> None:
    with replaced_folder(folder) as fresh:
        (fresh / "half").write_text("half")
        Path("/dev/full").write_text("x")


def test_a_failure_leaves_the_previous_set_intact(tmp_path: Path) -> None:
    before = tiny_faceset(tmp_path / "faces", PEOPLE).source
    with pytest.raises(OutputError, match=r"No space left.*intact"):
        fill_the_disk(tmp_path / "faces")
    assert FaceSet.open(tmp_path / "faces").source == before
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]
