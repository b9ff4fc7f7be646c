from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save, save_file

from likeness.errors import GalleryError
from likeness.serving.gallery import Enrolment, Gallery
from likeness.serving.gallery_file import editing, load_gallery, save_gallery

DIM = 16
MODEL = "a" * 64


def marked(value: float, count: int = 1) -> np.ndarray:
    return np.full((count, DIM), value, dtype=np.float32)


def enrol(path: Path, name: str, value: float = 1.0) -> None:
    with editing(path):
        gallery = load_gallery(path) if path.exists() else Gallery.empty(MODEL, DIM)
        save_gallery(path, gallery.with_people([Enrolment(name, marked(value))]))


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "people.safetensors"
    frames = np.random.default_rng(0).integers(0, 256, (2, 250, 250), dtype=np.uint8)
    people = [Enrolment("Ada", marked(1, 2), frames), Enrolment("Zoë 张", marked(2))]
    gallery = Gallery.empty(MODEL, DIM).with_people(people)
    save_gallery(path, gallery)
    loaded = load_gallery(path)
    assert loaded.people() == gallery.people()
    assert loaded.model == MODEL
    np.testing.assert_array_equal(loaded.embeddings, gallery.embeddings)
    np.testing.assert_array_equal(loaded.frames, frames)


def test_a_gallery_of_before_there_was_a_choice_of_framing_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "people.safetensors"
    save_gallery(path, Gallery.empty(MODEL, DIM, "lfw-frame").with_people([Enrolment("Ada", marked(1))]))
    with safe_open(path, framework="numpy") as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        metadata = {key: value for key, value in stored.metadata().items() if key != "framing"}
    path.write_bytes(save(tensors, metadata=metadata))
    assert load_gallery(path).framing == "lfw-frame"


def test_the_empty_gallery_is_one_too(tmp_path: Path) -> None:
    path = tmp_path / "people.safetensors"
    save_gallery(path, Gallery.empty(MODEL, DIM))
    assert load_gallery(path).embeddings.shape == (0, DIM)


def test_only_the_owner_may_read_it_unless_asked_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "people.safetensors"
    enrol(path, "Ada")
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    enrol(path, "Ben")
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.attack("8")
def test_no_other_user_can_read_it_at_any_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name that the file ever has is looked at when it appears and when it is renamed."""
    modes: list[int] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        modes.extend(path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.suffix != ".lock")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    before = os.umask(0)
    try:
        for name in ("Ada", "Ben"):
            enrol(tmp_path / "people.safetensors", name)
    finally:
        os.umask(before)
    assert set(modes) == {0o600}


def test_no_byte_of_a_removed_person_is_left_in_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "people.safetensors"
    enrol(path, "Ada", 1.25)
    enrol(path, "Ben", 3.75)
    killed = tmp_path / ".people.safetensors.abc123.part"  # what a writer leaves that was killed
    killed.write_bytes(path.read_bytes())
    with editing(path):
        save_gallery(path, load_gallery(path).without(["Ada"]))
    everything = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert np.float32(1.25).tobytes() not in everything
    assert b"Ada" not in everything
    assert np.float32(3.75).tobytes() in everything


def test_no_gallery_says_how_to_begin_one(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="likeness enroll"):
        load_gallery(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 1000, b"\x08\0\0\0\0\0\0\0{}      "])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "people.safetensors"
    path.write_bytes(content)
    with pytest.raises(GalleryError, match="is no gallery"):
        load_gallery(path)


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "people.safetensors"
    enrol(path, "Ada")
    whole = path.read_bytes()
    for place in np.random.default_rng(1).choice(len(whole), 150, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 0x41
        path.write_bytes(damaged)
        try:
            loaded = load_gallery(path)
        except GalleryError:
            continue
        # A flip inside the header's padding or in a key of the metadata that nobody reads changes nothing.
        assert loaded.names == ("Ada",)
        np.testing.assert_array_equal(loaded.embeddings, marked(1))


EDITS = {
    "an owner who is nobody": lambda tensors: tensors.update(owners=np.array([7])),
    "an embedding of other length": lambda tensors: tensors.update(embeddings=marked(1)[:, :3]),
    "no names": lambda tensors: tensors.pop("names"),
    "another type": lambda tensors: tensors.update(embeddings=marked(1).astype(np.float64)),
    "a forged embedding": lambda tensors: tensors.update(embeddings=marked(2)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edited_by_hand(tmp_path: Path, edit: str) -> None:
    path = tmp_path / "people.safetensors"
    enrol(path, "Ada")
    tensors = load_file(path)
    EDITS[edit](tensors)
    metadata = {"format": "likeness-gallery-1", "model": MODEL, "sha256": "0" * 64}
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(GalleryError, match="damaged or was edited by hand"):
        load_gallery(path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(GalleryError, match="cannot be written"):
        enrol(tmp_path / "file" / "people.safetensors", "Ada")


def _enrol_many(path: Path, prefix: str, count: int) -> None:
    for number in range(count):
        enrol(path, f"{prefix}{number}")


def test_two_writers_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "people.safetensors"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_enrol_many, args=(path, prefix, 25)) for prefix in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert set(load_gallery(path).names) == {f"{prefix}{n}" for prefix in "ab" for n in range(25)}


def test_a_kill_at_any_moment_leaves_a_whole_gallery(tmp_path: Path) -> None:
    path = tmp_path / "people.safetensors"
    enrol(path, "first")
    rng = np.random.default_rng(2)
    context = multiprocessing.get_context("fork")
    known = 1
    for round_ in range(8):
        inode = path.stat().st_ino
        writer = context.Process(target=_enrol_many, args=(path, f"{round_}-", 10_000))
        writer.start()
        while path.stat().st_ino == inode:
            time.sleep(0.001)
        time.sleep(float(rng.uniform(0, 0.05)))
        writer.kill()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        people = len(load_gallery(path))
        assert people >= known
        known = people
    assert known > 8
    enrol(path, "last")  # the lock of a killed writer does not stay, and its half file goes
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix != ".lock") == ["people.safetensors"]
