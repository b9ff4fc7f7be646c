"""New photographs: what counts as arrived, where it goes, and that nothing is lost or counted twice."""

from __future__ import annotations

import errno
import os
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from likeness.data.batch_placement import Placed, place
from likeness.data.collected import Collected
from likeness.data.faceset import COLLECTED, FaceSet
from likeness.data.incoming import Snapshot, take_snapshot
from likeness.data.ingest import ingest
from likeness.data.names import spelled
from likeness.data.protocol import SplitParams, make_split
from likeness.data.quarantine import REASON
from likeness.data.source_location import Located
from likeness.data.sources import DataParams
from likeness.errors import DataError
from tests.data.pictures import lfw_files, write_folder, write_tar

LATER = 3600.0  # seconds: everything written now has settled by then
JPEG = next(iter(lfw_files({"Ann": 1}).values()))


def put(root: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = root / "incoming" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def snapshot(root: Path, people: tuple[str, ...] = (), after: float = LATER) -> Snapshot:
    return take_snapshot(root / "incoming", root / ".arrived", people, time.time() + after)


def take(root: Path, *refused: str, known: tuple[str, ...] = ()) -> Placed:
    """Takes in what has arrived, but for the named files."""
    found = snapshot(root)
    bad = {arrival: arrival.fault or "It is bad." for arrival in found.arrivals if arrival.name in refused}
    return place(found, bad, root / "collected.json", root / "quarantine", known)


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_missing_folder_is_an_empty_batch(tmp_path: Path) -> None:
    found = snapshot(tmp_path)
    assert (found.arrivals, found.left) == ((), ())


def test_good_files_join_the_collection_and_leave_the_incoming_folder(tmp_path: Path) -> None:
    put(tmp_path, {"Ann/1.jpg": b"one", "Ann/2.JPG": b"two", "Bob/1.png": b"three"})
    placed = take(tmp_path)
    assert (placed.merged, placed.known, placed.quarantined) == (3, 0, 0)
    assert placed.people == {"Ann", "Bob"}
    members = [
        (member.path.rpartition(".")[2], member.data) for member in Collected.read(tmp_path / "collected.json")
    ]
    assert members == [("jpg", b"one"), ("jpg", b"two"), ("png", b"three")]
    assert not files_in(tmp_path / "incoming")


def people_in(root: Path, files: Mapping[str, bytes], known: tuple[str, ...] = ()) -> dict[str, str]:
    """Whose photographs they are; "?" where that is unknown."""
    put(root, files)
    return {one.name: one.person or "?" for one in snapshot(root, known).arrivals}


def test_folders_below_a_persons_belong_to_the_person(tmp_path: Path) -> None:
    files = {
        "Ann/2024/1.jpg": b"one",
        "Ann/2024-05/2.jpg": b"two",
        "Bob/1.jpg": b"three",
        "Bob/trip/2.jpg": b"four",
    }
    people = people_in(tmp_path, files | {"Cy/trip/1.jpg": b"five"}, known=("Cy",))
    assert people == {name: name.split("/")[0] for name in people}


def test_a_folder_that_may_be_a_person_or_several_makes_nobody(tmp_path: Path) -> None:
    """Else all of `holiday` would become one person of that name."""
    files = {"holiday/Ann/1.jpg": b"one", "holiday/Bob/1.jpg": b"two", "holiday/Cy/1.jpg": b"three"}
    people = people_in(tmp_path, files | {"train/Dan/1.jpg": b"four"}, known=("Cy",))
    assert people == {
        "holiday/Ann/1.jpg": "?",
        "holiday/Bob/1.jpg": "?",
        "holiday/Cy/1.jpg": "Cy",
        "train/Dan/1.jpg": "Dan",
    }
    placed = take(tmp_path, "holiday/Ann/1.jpg", "holiday/Bob/1.jpg")
    reasons = [row.reason for row in placed.rows if row.placement == "quarantined"]
    assert len(reasons) == 2
    assert all("may be a person, or hold the folders of several" in reason for reason in reasons)


def test_the_same_batch_twice_changes_nothing(tmp_path: Path) -> None:
    batch = {"Ann/1.jpg": b"one", "Bob/1.jpg": b"two"}
    put(tmp_path, batch)
    take(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)}
    put(tmp_path, batch)
    assert take(tmp_path) == Placed(0, 2, 0)
    assert {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)} == before


def test_what_the_data_set_holds_already_is_dropped(tmp_path: Path) -> None:
    put(tmp_path, {"Ann/1.jpg": b"one"})
    (arrival,) = snapshot(tmp_path).arrivals
    assert take(tmp_path, known=(arrival.sha256,)) == Placed(0, 1, 0)


def test_a_file_that_is_still_being_written_waits(tmp_path: Path) -> None:
    put(tmp_path, {"Ann/1.jpg": b"one", "Ann/2.jpg.part": b"tw"})
    found = snapshot(tmp_path, after=0)
    assert (len(found.arrivals), found.waiting) == (0, 2)
    found = snapshot(tmp_path)
    assert ([arrival.name for arrival in found.arrivals], found.waiting) == (["Ann/1.jpg"], 1)


def test_an_original_that_was_written_to_meanwhile_stays(tmp_path: Path) -> None:
    put(tmp_path, {"Ann/1.jpg": b"one"})
    found = snapshot(tmp_path)
    put(tmp_path, {"Ann/1.jpg": b"one, and more"})
    place(found, {}, tmp_path / "collected.json", tmp_path / "quarantine")
    assert files_in(tmp_path / "incoming") == {"Ann/1.jpg"}


def test_bad_files_go_to_quarantine_with_a_reason_beside_each(tmp_path: Path) -> None:
    put(tmp_path, {"Ann/1.jpg": b"one", "Ann/notes.txt": b"text", "loose.jpg": b"two"})
    assert take(tmp_path, "Ann/notes.txt", "loose.jpg").quarantined == 2
    assert files_in(tmp_path / "quarantine") == {
        "Ann/notes.txt",
        "Ann/notes.txt" + REASON,
        "loose.jpg",
        "loose.jpg" + REASON,
    }
    assert "in a folder named for its person" in (tmp_path / "quarantine" / ("loose.jpg" + REASON)).read_text()


def test_two_bad_files_of_one_name_are_both_kept(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        put(tmp_path, {"loose.jpg": content})
        take(tmp_path, "loose.jpg")
    kept = [path for path in (tmp_path / "quarantine").iterdir() if not path.name.endswith(REASON)]
    assert {path.read_bytes() for path in kept} == {b"one", b"two"}


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_is_taken_apart(tmp_path: Path, kind: str) -> None:
    put(tmp_path, {})
    (tmp_path / "incoming").mkdir()
    content = {"batch/Ann/1.jpg": b"one", "batch/Bob/1.jpg": b"two", "__MACOSX/Ann/1.jpg": b"junk"}
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "incoming" / "a.zip", "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    else:
        write_tar(tmp_path / "incoming" / "a.tar.gz", content)
    assert take(tmp_path).people == {"Ann", "Bob"}
    assert not files_in(tmp_path / "incoming")


def test_a_damaged_archive_is_quarantined_whole(tmp_path: Path) -> None:
    put(tmp_path, {})
    (tmp_path / "incoming").mkdir()
    path = write_tar(tmp_path / "incoming" / "a.tgz", lfw_files({"Ann": 5}))
    path.write_bytes(path.read_bytes()[:-200])
    found = snapshot(tmp_path)
    assert [(arrival.name, arrival.person) for arrival in found.arrivals] == [("a.tgz", "")]
    assert "truncated or damaged" in found.arrivals[0].fault
    take(tmp_path, "a.tgz")
    assert {"a.tgz", "a.tgz" + REASON} == files_in(tmp_path / "quarantine")


def test_a_link_out_of_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    with tarfile.open(tmp_path / "incoming" / "a.tar", "w") as archive:
        member = tarfile.TarInfo("Ann/1.jpg")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    assert "is a link or a device" in snapshot(tmp_path).arrivals[0].fault


def test_a_name_takes_on_the_spelling_that_is_in_use(tmp_path: Path) -> None:
    put(tmp_path, {"ann  lee/1.jpg": b"one", "Zoë K/1.jpg": b"two", "zoe\u0308_k/2.jpg": b"three"})
    people = {arrival.person for arrival in snapshot(tmp_path, ("Ann_Lee",)).arrivals}
    assert people == {"Ann_Lee", "Zoë_K"}
    assert spelled(" A \t B ") == "A_B"


def test_a_kill_between_any_two_steps_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The k-th change of the disk fails, for every k; the next run ends with the very same collection."""

    class KilledError(BaseException):
        pass

    def run(root: Path, steps: int) -> bool:
        """Takes the batch in, but dies at a step; whether it came to its end."""
        left = [steps]
        with monkeypatch.context() as patch:
            for owner, name in ((os, "replace"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir")):
                original = getattr(owner, name)

                def counted(*args: object, _original: object = original, **kwargs: object) -> object:
                    left[0] -= 1
                    if left[0] < 0:
                        raise KilledError
                    return _original(*args, **kwargs)  # type: ignore[operator]

                patch.setattr(owner, name, counted)
            try:
                take(root, "loose.jpg")
            except KilledError:
                return False
        return True

    outcomes = []
    for steps in range(60):
        root = tmp_path / str(steps)
        put(root, {"Ann/1.jpg": b"one", "Bob/1.jpg": b"two", "loose.jpg": b"three"})
        done = run(root, steps)
        take(root, "loose.jpg")
        collected = Collected.read(root / "collected.json")
        outcomes.append([(photograph.person, photograph.sha256) for photograph in collected.photographs])
        assert {member.data for member in collected} == {b"one", b"two"}
        assert not files_in(root / "incoming")
        assert b"three" in {path.read_bytes() for path in (root / "quarantine").iterdir()}
        if done:
            break
    assert done, "the steps do not end"
    assert len(outcomes) > 10
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_a_note_without_its_photographs_is_reported(tmp_path: Path) -> None:
    put(tmp_path, {"Ann/1.jpg": b"one"})
    take(tmp_path)
    note = tmp_path / "collected.json"
    photograph = next(path for path in (tmp_path / "collected").rglob("*.jpg"))
    photograph.unlink()
    with pytest.raises(DataError, match="restore it from its backup"):
        list(Collected.read(note))
    (tmp_path / "collected" / "index.json").unlink()
    with pytest.raises(DataError, match="counts 1 photographs"):
        Collected.read(note)
    with pytest.raises(DataError, match="is no note of collected photographs"):
        Collected.read(tmp_path / "other.json")


def faces_with(root: Path, late: Mapping[str, bytes]) -> FaceSet:
    """A folder set of twelve people, with photographs that were collected since."""
    base = lfw_files({f"P{number:02d}": 3 for number in range(12)}, "")
    put(root, late)
    take(root)
    located = Located(write_folder(root / "base", base), "base", "none", {})
    ingest(
        located,
        DataParams("folder", None, None, (16, 12)),
        root / "faces",
        collected=Collected.read(root / "collected.json"),
    )
    return FaceSet.open(root / "faces")


def named_test_pairs(faces: FaceSet, params: SplitParams) -> list[tuple[str, str]]:
    split, manifest = make_split(faces, params), faces.manifest
    names = (manifest["person"] + " " + manifest["number"].astype(str)).to_numpy(object)
    return list(zip(names[split.test.a], names[split.test.b], strict=True))


def test_collected_people_are_learned_from_and_the_test_pairs_stay(tmp_path: Path) -> None:
    params = SplitParams("unrestricted", pairs_per_class=12)
    alone = faces_with(tmp_path / "alone", {})
    tested = sorted({name.split()[0] for pair in named_test_pairs(alone, params) for name in pair})
    fresh = list(lfw_files({"New": 6}, "").values())
    late = {f"New/{at}.jpg": fresh[at] for at in range(3)} | {
        f"{tested[0]}/{at}.jpg": fresh[at] for at in range(3, 6)
    }
    faces = faces_with(tmp_path / "more", late)
    assert (faces.source.collected_images, faces.source.collected_people) == (6, 1)
    assert named_test_pairs(faces, params) == named_test_pairs(alone, params)
    identities = make_split(faces, params).identities
    assert identities is not None
    learned = set(faces.manifest["person"].iloc[identities.rows])
    assert "New" in learned
    assert not learned & set(tested)


def test_collected_images_are_numbered_on(tmp_path: Path) -> None:
    fresh = list(lfw_files({"New": 3}, "").values())
    faces = faces_with(tmp_path, {"P03/x.jpg": fresh[0], "P03/y.jpg": fresh[1], "New/z.jpg": fresh[2]})
    late = faces.manifest[faces.collected]
    assert late["path"].tolist() == [
        f"{COLLECTED}New/New_0001.jpg",
        f"{COLLECTED}P03/P03_0004.jpg",
        f"{COLLECTED}P03/P03_0005.jpg",
    ]
    assert faces.manifest["number"].groupby(faces.manifest["person"]).agg(["min", "max"]).loc["P03"].tolist() == [
        1,
        5,
    ]
    assert (faces.pixels.reshape(len(faces), -1).any(axis=1)).all()


def test_the_restricted_protocol_does_not_see_them(tmp_path: Path) -> None:
    fresh = list(lfw_files({"New": 3}, "").values())
    faces = faces_with(tmp_path, {f"New/{at}.jpg": content for at, content in enumerate(fresh)})
    split = make_split(faces, SplitParams(pairs_per_class=12))
    assert split.identities is None
    assert "New" not in set(faces.manifest["person"].iloc[split.train.rows])


@pytest.mark.attack("5")
def test_an_original_goes_only_when_copies_folders_and_index_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"Ann/1.jpg": b"one", "Bob/1.jpg": b"two", "loose.jpg": b"three"})
    synced: set[int] = set()
    before_unlink: list[set[int]] = []
    fsync, unlink = os.fsync, Path.unlink

    def recorded_fsync(handle: int) -> None:
        fsync(handle)
        synced.add(os.fstat(handle).st_ino)

    def recorded_unlink(path: Path, missing_ok: bool = False) -> None:
        if tmp_path / "incoming" in path.parents:
            before_unlink.append(set(synced))
        unlink(path, missing_ok)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "unlink", recorded_unlink)
    take(tmp_path, "loose.jpg")
    collected = tmp_path / "collected"
    kept = [path for path in collected.rglob("*") if path.is_file()]
    assert len(kept) == 3  # two photographs and the index
    for path in (*kept, collected, collected / "Ann", collected / "Bob", tmp_path / "quarantine"):
        assert path.stat().st_ino in before_unlink[0], path
    assert len(before_unlink) == 2, "the refused original was moved"


@pytest.mark.attack("5")
@pytest.mark.parametrize("name", ["Ann/1.jpg", "a.zip"])
def test_a_source_that_is_edited_while_it_is_read_waits(tmp_path: Path, name: str) -> None:
    put(tmp_path, {name: b""})
    path = tmp_path / "incoming" / name
    content = bytes(20 << 20)
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("Ann/1.jpg", content)
    else:
        path.write_bytes(content)
    over = threading.Event()

    def edit() -> None:
        with path.open("r+b") as stream:
            while not over.is_set():
                stream.seek(1000)
                stream.write(os.urandom(8))
                stream.flush()

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        found = snapshot(tmp_path)
    finally:
        over.set()
        editor.join()
    assert [(left.name, left.reason) for left in found.left] == [(name, "It changed while it was read.")]
    assert (found.arrivals, found.waiting) == ((), 1)


@pytest.mark.attack("5")
def test_everything_that_was_not_taken_is_counted_and_named(tmp_path: Path) -> None:
    put(tmp_path, {"Ann/1.jpg": b"one", ".DS_Store": b"junk", "Ann/@eaDir/1.jpg": b"thumbnail"})
    (tmp_path / "incoming" / "Ann" / "link.jpg").symlink_to("1.jpg")
    write_tar(tmp_path / "incoming" / "a.tar", {"Ann/2.jpg": b"two", "__MACOSX/Ann/2.jpg": b"junk"}, "w")
    rows = {row.name: row for row in take(tmp_path).rows}
    assert {name: row.placement for name, row in rows.items()} == {
        "Ann/1.jpg": "merged",
        "a.tar/Ann/2.jpg": "merged",
        ".DS_Store": "aside",
        "Ann/@eaDir/1.jpg": "aside",
        "Ann/link.jpg": "aside",
        "a.tar/__MACOSX/Ann/2.jpg": "aside",
    }
    assert all(row.reason for row in rows.values() if row.placement == "aside")


@pytest.mark.attack("5")
def test_an_archive_without_a_photograph_is_kept(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    write_tar(tmp_path / "incoming" / "a.tar", {".hidden/2.jpg": b"two"}, "w")
    take(tmp_path, "a.tar")
    assert files_in(tmp_path / "quarantine") == {"a.tar", "a.tar" + REASON}


@pytest.mark.attack("4")
def test_a_folder_that_may_not_be_written_to_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another user's folder below the incoming one: its files can be read, and neither moved nor removed."""
    put(tmp_path, {"Ann/1.jpg": b"one", "notes.txt": b"text"})
    replace, unlink = Path.replace, Path.unlink

    def refused(path: Path, original: Callable[..., object], *args: object) -> object:
        if tmp_path / "incoming" in path.parents:
            raise PermissionError(errno.EACCES, "Permission denied")
        return original(path, *args)

    monkeypatch.setattr(Path, "replace", lambda path, target: refused(path, replace, target))
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: refused(path, unlink, missing_ok))
    placed = take(tmp_path, "notes.txt")
    assert placed.merged == 1
    reasons = {row.name: row.reason for row in placed.rows if row.placement == "waiting"}
    assert "cannot be removed" in reasons["Ann/1.jpg"]
    assert "cannot be moved to quarantine" in reasons["notes.txt"]


DAMAGED = [b"", b"{", b'{"photographs": 3}', b'{"photographs": [{"person": "Ann"}]}', b"\xff\xfe", b"[" * 100_000]


@pytest.mark.attack("4")
@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_index_is_made_again_from_the_photographs(tmp_path: Path, content: bytes) -> None:
    for at, batch in enumerate([{"Bob/1.jpg": b"one"}, {"Ann/1.jpg": b"two"}, {"Bob/2.jpg": b"three"}]):
        put(tmp_path, batch)
        take(tmp_path)
        for path in (tmp_path / "collected").glob("*/*"):
            if path.read_bytes() in batch.values():
                os.utime(path, (at, at))
    folder = tmp_path / "collected"
    before = Collected.listed(folder)
    (folder / "Ann" / ("0" * 20 + ".jpg")).write_bytes(b"not what its name says")
    (folder / "index.json").write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        Collected.listed(folder)
    assert Collected.recovered(folder) == before
    (kept,) = folder.glob("index.damaged-*.json")
    assert kept.read_bytes() == content
