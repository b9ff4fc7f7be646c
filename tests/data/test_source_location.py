from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from likeness.data import source_location
from likeness.data.download import download
from likeness.data.source_location import Located, drawn, locate, variants_in
from likeness.data.sources import LISTS, NEEDED_LISTS, VARIANTS, DataParams, Home, Variant
from likeness.errors import PairListError, SourceError
from tests.data.pictures import lfw_files, write_folder, write_tar
from tests.data.server import Site

ARCHIVE = b"the archive"
LIST_TEXTS = {name: f"the official {name}\n" for name in LISTS}


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture(autouse=True)
def homes(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Official homes on the loopback that hold nothing yet: no test reaches for the real ones."""
    variants = {
        name: Variant(v.archive, v.folder, v.alignment, (Home(f"{site.url}/home/{v.archive}", digest(ARCHIVE)),))
        for name, v in VARIANTS.items()
    }
    lists = {name: (Home(f"{site.url}/home/{name}", digest(text.encode())),) for name, text in LIST_TEXTS.items()}
    monkeypatch.setattr(source_location, "VARIANTS", variants)
    monkeypatch.setattr(source_location, "LISTS", lists)
    return site


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


def params(source: str = "lfw-a", mirror: Path | str | None = None) -> DataParams:
    return DataParams(source, str(mirror) if mirror else None, None, (8, 8))  # type: ignore[arg-type]


def mirror_folder(folder: Path, archive: str = "lfwa.tar.gz", lists: tuple[str, ...] = tuple(LIST_TEXTS)) -> Path:
    return write_folder(folder, {archive: ARCHIVE} | {name: LIST_TEXTS[name].encode() for name in lists})


def serve(site: Site, below: str, names: tuple[str, ...] = tuple(LIST_TEXTS)) -> None:
    site.files |= {f"{below}/lfwa.tar.gz": ARCHIVE} | {
        f"{below}/{name}": LIST_TEXTS[name].encode() for name in names
    }


def test_a_folder_with_official_names_is_taken_as_it_is(homes: Site, tmp_path: Path, downloads: Path) -> None:
    mirror = mirror_folder(tmp_path / "mirror")
    assert locate(params(mirror=mirror), downloads, {}) == Located(
        mirror / "lfwa.tar.gz", "lfwa.tar.gz", "recorded", LIST_TEXTS
    )
    assert homes.ranges == []
    assert not downloads.exists()


def test_the_environment_names_the_mirror_where_the_parameters_do_not(tmp_path: Path, downloads: Path) -> None:
    one, other = mirror_folder(tmp_path / "one"), mirror_folder(tmp_path / "other")
    environment = {"LIKENESS_MIRROR": str(one)}
    assert locate(params(), downloads, environment).images.parent == one
    assert locate(params(mirror=other), downloads, environment).images.parent == other


def test_an_archive_can_be_named_itself(tmp_path: Path, downloads: Path) -> None:
    mirror = mirror_folder(tmp_path / "mirror", "renamed.tgz")
    located = locate(params(mirror=mirror / "renamed.tgz"), downloads, {})
    assert (located.images, located.place, located.lists) == (mirror / "renamed.tgz", "renamed.tgz", LIST_TEXTS)


@pytest.mark.parametrize("inside", [True, False])
def test_an_unpacked_archive_is_found(tmp_path: Path, downloads: Path, inside: bool) -> None:
    files = lfw_files({"Ann": 1}) | {name: text.encode() for name, text in LIST_TEXTS.items()}
    write_folder(tmp_path, files | {f"lfw2/{name}": text.encode() for name, text in LIST_TEXTS.items()})
    located = locate(params(mirror=tmp_path / "lfw2" if inside else tmp_path), downloads, {})
    assert (located.images, located.place, located.checksum) == (tmp_path / "lfw2", "lfw2", "none")


def test_a_mirror_address_is_fetched_once(site: Site, downloads: Path) -> None:
    serve(site, "/faces")
    located = locate(params(mirror=f"{site.url}/faces/"), downloads, {})
    assert located.images.read_bytes() == ARCHIVE
    assert (located.place, located.checksum) == (f"{site.url}/faces/lfwa.tar.gz", "recorded")
    assert located.lists == LIST_TEXTS
    asked = len(site.ranges)
    assert locate(params(mirror=f"{site.url}/faces/"), downloads, {}) == located
    assert len(site.ranges) == asked


def test_two_mirrors_do_not_share_their_files(site: Site, downloads: Path) -> None:
    serve(site, "/one")
    serve(site, "/other")
    site.files["/other/lfwa.tar.gz"] = b"another archive"
    assert locate(params(mirror=f"{site.url}/one"), downloads, {}).images.read_bytes() == ARCHIVE
    assert locate(params(mirror=f"{site.url}/other"), downloads, {}).images.read_bytes() == b"another archive"


def test_a_password_in_the_address_stays_private(site: Site, downloads: Path) -> None:
    serve(site, "/faces")
    address = site.url.replace("http://", "http://me:secret@")
    located = locate(params(mirror=f"{address}/faces"), downloads, {})
    assert located.place == f"{site.url}/faces/lfwa.tar.gz"


def test_without_a_mirror_the_official_home_is_asked_and_its_file_checked(homes: Site, downloads: Path) -> None:
    serve(homes, "/home")
    located = locate(params(), downloads, {})
    assert (located.place, located.checksum) == (f"{homes.url}/home/lfwa.tar.gz", "published")
    assert located.lists == LIST_TEXTS
    asked = len(homes.ranges)
    assert locate(params(), downloads, {}) == located, "the second run must report the same, without the network"
    assert len(homes.ranges) == asked


def test_a_wrong_file_from_an_official_home_is_refused(homes: Site, downloads: Path) -> None:
    serve(homes, "/home")
    homes.files["/home/lfwa.tar.gz"] = b"something else"
    with pytest.raises(SourceError, match=r"home/lfwa\.tar\.gz: is not the published file"):
        locate(params(), downloads, {})
    assert not (downloads / "lfwa.tar.gz").exists()


def test_a_file_put_into_downloads_by_hand_is_recorded(downloads: Path) -> None:
    mirror_folder(downloads)
    (downloads / "lfwa.tar.gz").write_bytes(b"a repacked archive")
    located = locate(params(), downloads, {})
    assert (located.place, located.checksum) == ("lfwa.tar.gz", "recorded")


def test_lists_that_the_mirror_lacks_come_from_the_next_place(
    homes: Site, tmp_path: Path, downloads: Path
) -> None:
    mirror = mirror_folder(tmp_path / "mirror", lists=NEEDED_LISTS)
    serve(homes, "/home", ("people.txt",))
    assert set(locate(params(mirror=mirror), downloads, {}).lists) == {*NEEDED_LISTS, "people.txt"}


def test_view_1_cannot_be_done_without(tmp_path: Path, downloads: Path) -> None:
    mirror = mirror_folder(tmp_path / "mirror", lists=("pairsDevTrain.txt", "pairs.txt"))
    with pytest.raises(SourceError, match=r"pairsDevTest\.txt was found in none of these places"):
        locate(params(mirror=mirror), downloads, {})


def test_a_list_that_is_not_the_official_one_is_refused(tmp_path: Path, downloads: Path) -> None:
    mirror = mirror_folder(tmp_path / "mirror")
    (mirror / "pairsDevTest.txt").write_text("of my own\n")
    with pytest.raises(PairListError, match=r"mirror/pairsDevTest\.txt: is not the official list \(sha256:"):
        locate(params(mirror=mirror), downloads, {})


def test_what_is_missing_is_reported_with_places_and_remedies(
    homes: Site, tmp_path: Path, downloads: Path
) -> None:
    downloads.mkdir()
    mirror = mirror_folder(tmp_path / "mirror", "lfw-deepfunneled.tgz")
    with pytest.raises(SourceError) as caught:
        locate(params(mirror=mirror), downloads, {})
    lines = str(caught.value).splitlines()
    assert lines[0] == "lfwa.tar.gz was found in none of these places:"
    assert lines[1] == (
        f"  {mirror}: holds neither lfwa.tar.gz nor a folder lfw2; "
        "it does hold what data.source=lfw-deepfunneled names"
    )
    assert lines[2] == f"  {downloads}: holds neither lfwa.tar.gz nor a folder lfw2"
    assert lines[3].startswith(f"  {homes.url}/home/lfwa.tar.gz: the server answers 404")
    assert all(way in lines[4] for way in ("data.mirror", "LIKENESS_MIRROR", str(downloads)))


def test_a_mirror_that_does_not_exist_is_reported(tmp_path: Path, downloads: Path) -> None:
    with pytest.raises(SourceError, match="absent: there is no such folder"):
        locate(params(mirror=tmp_path / "absent"), downloads, {})


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        yield unused.getsockname()[1]


def test_a_silent_server_is_not_waited_for_twice(
    silent_port: int, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(source_location, "download", partial(download, pause=waits.append))
    silent = tuple(Home(f"http://127.0.0.1:{silent_port}/{number}", "sha256:0") for number in (1, 2))
    monkeypatch.setattr(source_location, "VARIANTS", {"lfw-a": Variant("lfwa.tar.gz", "lfw2", "LFW-a", silent)})
    with pytest.raises(SourceError, match=r"/1: the server does not answer (.|\n)*/2: the server does not answer"):
        locate(params(), downloads, {})
    assert waits == [1, 2, 4]


def test_a_folder_set_is_whatever_the_mirror_names(tmp_path: Path, downloads: Path) -> None:
    write_folder(tmp_path / "friends", {"Ann/1.jpg": b"", "pairsDevTrain.txt": b"my own pairs"})
    located = locate(params("folder", tmp_path / "friends"), downloads, {})
    assert (located.images, located.place, located.checksum) == (tmp_path / "friends", "friends", "none")
    assert located.lists == {"pairsDevTrain.txt": "my own pairs"}


def test_a_folder_set_can_be_an_archive_or_an_address(site: Site, tmp_path: Path, downloads: Path) -> None:
    path = write_tar(tmp_path / "friends.tgz", {"Ann/1.jpg": b""})
    assert locate(params("folder", path), downloads, {}).place == "friends.tgz"
    site.files["/sets/friends.tgz"] = path.read_bytes()
    located = locate(params("folder", f"{site.url}/sets/friends.tgz"), downloads, {})
    assert located.images.read_bytes() == path.read_bytes()
    assert located.place == f"{site.url}/sets/friends.tgz"


def test_a_folder_set_must_be_named_and_exist(tmp_path: Path, downloads: Path) -> None:
    with pytest.raises(SourceError, match=r"needs a folder: set data\.mirror"):
        locate(params("folder"), downloads, {})
    with pytest.raises(SourceError, match="no such folder or archive"):
        locate(params("folder", tmp_path / "absent"), downloads, {})


def test_a_list_that_is_no_text_is_refused(tmp_path: Path, downloads: Path) -> None:
    write_folder(tmp_path, {"pairs.txt": b"\xff\xfe"})
    with pytest.raises(PairListError, match=r"pairs\.txt: is no UTF-8 text \(byte 0\)"):
        locate(params("folder", tmp_path), downloads, {})


def test_drawn_faces_come_with_their_lists(tmp_path: Path) -> None:
    mirror_folder(tmp_path)
    assert drawn(tmp_path / "lfwa.tar.gz") == Located(
        tmp_path / "lfwa.tar.gz", "lfwa.tar.gz", "recorded", LIST_TEXTS
    )


def test_the_variants_of_a_folder_are_named(tmp_path: Path) -> None:
    write_folder(tmp_path, {"lfw-funneled.tgz": b"", "lfw2/Ann/Ann_0001.jpg": b""})
    assert variants_in(tmp_path) == ["lfw-a", "lfw-funneled"]


@pytest.mark.fault("D17")
def test_a_relative_folder_counts_from_the_project_in_every_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC runs queued experiments in a copy below .dvc/tmp/exps."""
    write_folder(tmp_path / "faces", {"Ann/1.jpg": b"", "Bob/1.jpg": b""})
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "queue" / "abc"
    (copy / ".dvc").mkdir(parents=True)
    for place in (tmp_path, copy):
        monkeypatch.chdir(place)
        assert locate(DataParams("folder", "faces", None, (8, 8)), place / "x", {}).images == tmp_path / "faces"


@pytest.mark.fault("D28")
@pytest.mark.parametrize("around", ["", "lfw2/", "lfw2/lfw2/"])
def test_lists_inside_a_doubled_folder_are_found_and_no_home_is_asked(
    homes: Site, tmp_path: Path, downloads: Path, around: str
) -> None:
    files = {f"lfw2/lfw2/{path}": data for path, data in lfw_files({"Ann": 2}, root="").items()}
    files |= {f"{around}{name}": text.encode() for name, text in LIST_TEXTS.items()}
    files |= {"other/notes.txt": b"", "downloads/synthetic/pairs.txt": b"drawn"}
    mirror = write_folder(tmp_path, files)
    assert locate(params(mirror=mirror), downloads, {}).lists == LIST_TEXTS
    found = locate(params("folder", tmp_path / "lfw2"), downloads, {}).lists
    assert found == (LIST_TEXTS if around else {})
    assert not homes.ranges


@pytest.mark.fault("D22")
def test_lists_as_csv_are_named_where_the_lists_are_missed(tmp_path: Path, downloads: Path) -> None:
    mirror = mirror_folder(tmp_path / "mirror", lists=())
    (mirror / "matchpairsDevTrain.csv").write_text("name,imagenum1,imagenum2\n")
    with pytest.raises(SourceError, match=r"CSV files such as matchpairsDevTrain\.csv are not read"):
        locate(params(mirror=mirror), downloads, {})


def test_lists_of_drawn_faces_are_not_taken_for_those_of_downloads(homes: Site, downloads: Path) -> None:
    serve(homes, "/home")
    write_folder(downloads, {"synthetic/pairs.txt": b"drawn"})
    assert locate(params(), downloads, {}).lists == LIST_TEXTS
