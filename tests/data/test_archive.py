from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from likeness.data.archive import Member, open_reader
from likeness.errors import ArchiveError, SourceError
from tests.data.pictures import lfw_files, write_folder, write_tar, write_zip

FILES = lfw_files({"Ann": 2, "Bob": 1})


def read(path: Path) -> list[Member]:
    return list(open_reader(path, lambda name: True))


def write_any(kind: str, folder: Path) -> Path:
    if kind == "folder":
        return write_folder(folder / "faces", FILES)
    if kind == "zip":
        return write_zip(folder / "faces.zip", FILES)
    return write_tar(folder / "faces", FILES, kind)


@pytest.mark.parametrize("kind", ["folder", "zip", "w:", "w:gz"])
def test_every_container_gives_the_same_files(tmp_path: Path, kind: str) -> None:
    assert read(write_any(kind, tmp_path)) == [Member(name, data) for name, data in FILES.items()]


@pytest.mark.parametrize("kind", ["zip", "w:", "w:gz"])
def test_the_digest_is_that_of_the_whole_archive(tmp_path: Path, kind: str) -> None:
    path = write_any(kind, tmp_path)
    reader = open_reader(path, lambda name: True)
    list(reader)
    assert reader.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["folder", "zip", "w:gz"])
def test_what_is_not_wanted_is_not_read(tmp_path: Path, kind: str) -> None:
    asked: list[str] = []

    def wanted(name: str) -> bool:
        asked.append(name)
        return name.endswith("0002.jpg")

    members = list(open_reader(write_any(kind, tmp_path), wanted))
    assert [member.path for member in members] == ["lfw2/Ann/Ann_0002.jpg"]
    assert asked == list(FILES)


def test_one_spelling_for_every_path(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"./lfw2//Ann/1.jpg": b"1", "lfw2\\Ann\\2.jpg": b"2"})
    assert [member.path for member in read(path)] == ["lfw2/Ann/1.jpg", "lfw2/Ann/2.jpg"]


def test_a_name_that_is_no_utf8_can_be_stored(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", encoding="latin-1", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("José/1.jpg"))
    (member,) = read(tmp_path / "a.tar")
    assert member.path.encode("utf-8").decode("utf-8") == "Jos\ufffd/1.jpg"


def test_gzip_parts_one_after_the_other_are_one_stream(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "a.tar", FILES, "w:").read_bytes()
    parts = gzip.compress(tar[:5000]) + gzip.compress(tar[5000:]) + bytes(300)
    (tmp_path / "a.tgz").write_bytes(parts)
    assert [member.path for member in read(tmp_path / "a.tgz")] == list(FILES)


def special_member(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (tarfile.TarInfo("/etc/passwd"), "has an absolute path"),
        (tarfile.TarInfo("C:\\faces\\1.jpg"), "has an absolute path"),
        (tarfile.TarInfo("lfw2/../../x.jpg"), "points outside"),
        (tarfile.TarInfo("lfw2\\..\\x.jpg"), "points outside"),
        (special_member("lfw2/Ann/link.jpg", tarfile.SYMTYPE), "is a link or a device"),
        (special_member("lfw2/Ann/hard.jpg", tarfile.LNKTYPE), "is a link or a device"),
        (special_member("lfw2/Ann/zero.jpg", tarfile.CHRTYPE), "is a link or a device"),
        (special_member("lfw2/Ann/pipe.jpg", tarfile.FIFOTYPE), "is a link or a device"),
    ],
    ids=lambda value: value.name if isinstance(value, tarfile.TarInfo) else "",
)
def test_a_dangerous_tar_member_is_refused_by_name(tmp_path: Path, info: tarfile.TarInfo, reason: str) -> None:
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        archive.addfile(info)
    with pytest.raises(ArchiveError, match=reason) as caught:
        read(tmp_path / "a.tgz")
    assert info.name.replace("\\", "/") in str(caught.value)


@pytest.mark.parametrize(
    ("name", "attributes", "reason"),
    [
        ("/etc/passwd", 0, "absolute path"),
        ("lfw2/../../x.jpg", 0, "outside"),
        ("lfw2/Ann/1.jpg", 0o120777 << 16, "link"),
    ],
)
def test_a_dangerous_zip_member_is_refused_by_name(
    tmp_path: Path, name: str, attributes: int, reason: str
) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = attributes
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, b"target")
    with pytest.raises(ArchiveError, match=reason) as caught:
        read(tmp_path / "a.zip")
    assert name in str(caught.value)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("kind", ["w:gz", "zip"])
def test_half_an_archive_is_told_so(tmp_path: Path, kind: str, share: float) -> None:
    path = write_any(kind, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: max(10, int(len(content) * share))])
    with pytest.raises(ArchiveError, match=r"truncated or damaged|is no tar"):
        read(path)


def test_a_tar_cut_between_two_members_is_not_taken_for_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    write_tar(path, FILES, "w:")
    with tarfile.open(path) as archive:
        last = archive.getmembers()[-1]
    path.write_bytes(path.read_bytes()[: last.offset])
    with pytest.raises(ArchiveError, match=r"damaged after member 'lfw2/Ann/Ann_0002\.jpg'"):
        read(path)


def test_flipped_bits_are_found(tmp_path: Path) -> None:
    path = write_any("w:gz", tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="fetch the archive again"):
        read(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html>Not Found</html>", "HTML page"),
        (b"\n <html><body>moved</body></html>", "HTML page"),
        (b"Rar!\x1a\x07\x00", "no tar"),
        (b"", "no tar"),
    ],
)
def test_what_is_no_archive_is_told_so(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "lfwa.tar.gz"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=words):
        read(path)


def test_an_absent_archive_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read(tmp_path / "absent.tgz")


def test_a_huge_member_is_refused_before_it_is_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("lfw2/Ann/Ann_0001.jpg")
    info.size = 1 << 40
    (tmp_path / "a.tar").write_bytes(info.tobuf() + bytes(1024))
    with pytest.raises(ArchiveError, match=r"Ann_0001\.jpg' is 1099511627776 bytes large"):
        read(tmp_path / "a.tar")


def test_a_gzip_bomb_is_refused_where_it_goes_off(tmp_path: Path) -> None:
    zeros = bytes(20 << 20)
    files = {"Ann/small.jpg": b"fine"} | {f"Ann/{number}.jpg": zeros for number in range(4)}
    path = write_tar(tmp_path / "a.tgz", files)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ArchiveError, match=r"after member 'Ann/2\.jpg': refused as a bomb"):
        read(path)


def test_a_zip_bomb_is_refused_by_name(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"Ann/1.jpg": bytes(80 << 20)})
    with pytest.raises(ArchiveError, match=r"'Ann/1\.jpg' expands .* refused as a bomb"):
        read(path)


def test_an_encrypted_zip_is_told_so(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"Ann/1.jpg": b"content"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the directory; needs no cipher to be set
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="is encrypted"):
        read(path)


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "one.jpg").write_bytes(b"1")
    assert [member.path for member in read(tmp_path)] == ["one.jpg"]


def test_memory_does_not_grow_with_the_number_of_members(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        files = {f"Ann/{number}.jpg": b"x" for number in range(count)}
        reader = open_reader(write_tar(tmp_path / f"{count}.tar", files, "w:"), lambda name: True)
        tracemalloc.start()
        for _ in reader:
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(3000) < 1.2 * peak(300)
