from __future__ import annotations

import bz2
import contextlib
import copy
import gzip
import hashlib
import io
import lzma
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from likeness.data.archive import open_reader
from likeness.data.archive_members import KEPT_BYTES, LeftAside, Member
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
def test_half_an_archive_is_reported(tmp_path: Path, kind: str, share: float) -> None:
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
        (b"Rar!\x1a\x07\x00", "no archive"),
        (b"", "no archive"),
    ],
)
def test_what_is_no_archive_is_reported(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "lfwa.tar.gz"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=words):
        read(path)


def test_an_absent_archive_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read(tmp_path / "absent.tgz")


def test_a_huge_member_is_refused_before_it_is_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("lfw2/Ann/Ann_0001.jpg")
    info.size = 1 << 40
    (tmp_path / "a.tar").write_bytes(info.tobuf() + bytes(1024))
    with pytest.raises(ArchiveError, match="unexpected end of data"):
        read(tmp_path / "a.tar")


def test_a_gzip_bomb_is_refused_where_it_goes_off(tmp_path: Path) -> None:
    zeros = bytes(20 << 20)
    files = {"Ann/small.jpg": b"fine"} | {f"Ann/{number}.jpg": zeros for number in range(4)}
    path = write_tar(tmp_path / "a.tgz", files)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ArchiveError, match=r"after member 'Ann/2\.jpg': refused as a bomb"):
        read(path)


def test_a_zip_bomb_is_refused_by_name(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {f"Ann/{number}.jpg": bytes(30 << 20) for number in range(4)})
    with pytest.raises(ArchiveError, match=r"at member 'Ann/2\.jpg': refused as a bomb"):
        read(path)


def test_of_a_file_that_is_no_image_for_its_size_no_more_is_kept_than_shows_it(tmp_path: Path) -> None:
    files = {"Ann/1.jpg": os.urandom(40 << 20)}
    for path in (write_folder(tmp_path / "a", files), write_tar(tmp_path / "a.tar", files, "w:")):
        (member,) = read(path)
        assert len(member.data) == KEPT_BYTES


def test_an_encrypted_zip_is_reported(tmp_path: Path) -> None:
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


def peak_of(path: Path) -> tuple[str, int]:
    """What is said of an archive that is refused, and the memory that this took."""
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError) as caught:
            for _ in open_reader(path, lambda name: True):
                pass
        return str(caught.value), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def tar_of(*parts: tuple[tarfile.TarInfo, bytes]) -> bytes:
    blocks = [info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512) for info, data in parts]
    return b"".join(blocks) + bytes(1024)


def extended(kind: bytes, size: int) -> bytes:
    """A tar whose first header is an extended one of so many bytes."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = kind, size
    return tar_of((info, b"a" * size), (tarfile.TarInfo("Ann/1.jpg"), b""))


def sparse(size: int) -> bytes:
    """A GNU sparse member that claims so many bytes and stores none."""
    info = tarfile.TarInfo("Ann/1.jpg")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:398], header[398:410] = b"%011o\0" % (size - 1), b"%011o\0" % 1
    header[483:495] = b"%011o\0" % size
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(512) + bytes(1024)


HOSTILE_TARS = {
    "a pax header of 12 MB": extended(tarfile.XHDTYPE, 12 << 20),
    "a global header of 12 MB": extended(tarfile.XGLTYPE, 12 << 20),
    "a name of 8 MB": extended(tarfile.GNUTYPE_LONGNAME, 8 << 20),
    "a sparse file of 1.5 GB": sparse(3 << 29),
}


@pytest.mark.attack("2")
@pytest.mark.parametrize("case", HOSTILE_TARS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["", "gz", "bz2", "xz"])
def test_a_hostile_tar_is_refused_before_it_costs_memory(tmp_path: Path, case: str, pack: Any) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(pack(HOSTILE_TARS[case]))
    said, peak = peak_of(path)
    assert "\n" not in said
    assert peak < 12 << 20  # xz keeps a dictionary of 8 MB


def lying_zip(compression: int, stated: int, data: bytes) -> bytes:
    """A zip whose member states another size than it has."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("Ann/1.jpg", data)
    content = bytearray(stream.getvalue())
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, stated)
    struct.pack_into("<I", content, 22, stated)
    return bytes(content)


def overlapping_zip(times: int) -> bytes:
    """A zip whose directory names the same 20 MB again and again."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Ann/1.jpg", bytes(20 << 20))
        archive.filelist += [copy.copy(archive.filelist[0]) for _ in range(times)]
    return stream.getvalue()


HOSTILE_ZIPS = {
    "a small size, deflated": lying_zip(zipfile.ZIP_DEFLATED, 100, bytes(80 << 20)),
    "a large size, deflated": lying_zip(zipfile.ZIP_DEFLATED, 1 << 31, bytes(1 << 20)),
    "bzip2": lying_zip(zipfile.ZIP_BZIP2, 100, bytes(80 << 20)),
    "lzma": lying_zip(zipfile.ZIP_LZMA, 100, bytes(80 << 20)),
    "overlapping": overlapping_zip(1000),
}


@pytest.mark.attack("2")
@pytest.mark.parametrize("case", HOSTILE_ZIPS)
def test_a_zip_that_lies_is_refused_before_it_costs_memory(tmp_path: Path, case: str) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(HOSTILE_ZIPS[case])
    said, peak = peak_of(path)
    assert "\n" not in said
    assert peak < 100 << 20


@pytest.mark.attack("5")
@pytest.mark.parametrize("bit", range(0, 512 * 8, 61))
def test_no_flipped_bit_of_a_header_drops_a_member_in_silence(tmp_path: Path, bit: int) -> None:
    path = write_tar(tmp_path / "a.tar", FILES, "w:")
    with tarfile.open(path) as archive:
        second = archive.getmembers()[1]
    content = bytearray(path.read_bytes())
    content[second.offset + bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    try:
        assert len(read(path)) == len(FILES)  # a bit that says nothing of names and sizes
    except ArchiveError as error:
        assert "damaged" in str(error)  # noqa: PT017


@pytest.mark.attack("14")
@pytest.mark.parametrize("kind", ["zip", "w:", "w:gz", "w:xz"])
def test_an_archive_with_something_behind_it_is_refused(tmp_path: Path, kind: str) -> None:
    path = write_any(kind, tmp_path)
    path.write_bytes(path.read_bytes() + b"trailing data")
    with pytest.raises(ArchiveError, match="damaged"):
        read(path)


@pytest.mark.attack("5")
def test_a_header_overwritten_with_zeros_is_no_end(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES, "w:")
    with tarfile.open(path) as archive:
        second = archive.getmembers()[1]
    content = bytearray(path.read_bytes())
    content[second.offset : second.offset + 512] = bytes(512)
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="overwritten with zeros"):
        read(path)


@pytest.mark.attack("5")
def test_a_source_that_is_edited_while_it_is_read_is_reported(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES, "w:")
    reader = iter(open_reader(path, lambda name: True))
    next(reader)
    os.utime(path, (1, 1))
    with pytest.raises(ArchiveError, match="changed while it was read"):
        list(reader)


@pytest.mark.fault("D26")
@pytest.mark.parametrize("kind", ["w:bz2", "w:xz"])
def test_other_compressions_are_read(tmp_path: Path, kind: str) -> None:
    assert read(write_any(kind, tmp_path)) == [Member(name, data) for name, data in FILES.items()]


@pytest.mark.fault("D26")
def test_a_tar_of_old_unix_is_read(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES, "w:")
    content = bytearray(path.read_bytes())
    at = 0
    for data in FILES.values():
        content[at + 257 : at + 512] = bytes(255)
        content[at + 148 : at + 156] = b"        "
        content[at + 148 : at + 156] = b"%06o\0 " % sum(content[at : at + 512])
        at += 512 + -(-len(data) // 512) * 512
    path.write_bytes(content)
    assert [member.path for member in read(path)] == list(FILES)


@pytest.mark.fault("D27")
def test_names_in_a_zip_without_the_flag_for_utf8(tmp_path: Path) -> None:
    content = bytearray(write_zip(tmp_path / "a.zip", {"José/1.jpg": b"1"}).read_bytes())
    content[7] &= ~8
    content[content.index(b"PK\x01\x02") + 9] &= ~8
    (tmp_path / "a.zip").write_bytes(content)
    assert [member.path for member in read(tmp_path / "a.zip")] == ["José/1.jpg"]


@pytest.mark.fault("D10")
def test_linked_folders_are_followed_once_and_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    write_folder(tmp_path / "elsewhere", {"Bob/1.jpg": b"1"})
    top = write_folder(tmp_path / "faces", {"Ann/1.jpg": b"1"})
    (top / "Bob").symlink_to(tmp_path / "elsewhere" / "Bob")
    (top / "Ann" / "loop").symlink_to(top)
    (top / "Ann" / "gone.jpg").symlink_to(tmp_path / "nothing")
    reader = open_reader(top, lambda name: True)
    assert [member.path for member in reader] == ["Ann/1.jpg", "Bob/1.jpg"]
    assert sorted(reader.aside) == [
        LeftAside("Ann/gone.jpg", "is a link to nothing", "unread"),
        LeftAside("Ann/loop", "is a link to a folder that was read already"),
    ]


@pytest.mark.fault("D10")
def test_a_folder_without_permission_is_named_and_the_others_are_read() -> None:
    place = Path(tempfile.mkdtemp())  # other users may not enter the folders of pytest
    place.chmod(0o755)
    top = write_folder(place / "faces", {"Ann/1.jpg": b"1", "Bob/1.jpg": b"1"})
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from likeness.data.archive import open_reader\n"
        "os.setuid(65534) if os.geteuid() == 0 else None\n"
        "reader = open_reader(Path(sys.argv[1]), lambda name: True)\n"
        "print([m.path for m in reader], [tuple(a) for a in reader.aside])\n"
    )
    (top / "Bob").chmod(0)
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, str(top)], capture_output=True, text=True, check=False
        )
    finally:
        (top / "Bob").chmod(0o755)
        shutil.rmtree(place)
    reported = done.stdout.strip()
    assert reported == "['Ann/1.jpg'] [('Bob', 'cannot be read (Permission denied)', 'unread')]", done.stderr


@pytest.mark.attack("5")
def test_no_flipped_bit_in_the_directory_of_a_zip_drops_a_member(tmp_path: Path) -> None:
    content = write_zip(tmp_path / "a.zip", FILES).read_bytes()
    damaged = tmp_path / "damaged.zip"
    asked: list[str] = []
    for bit in range(8 * content.index(b"PK\x01\x02"), 8 * len(content)):
        altered = bytearray(content)
        altered[bit // 8] ^= 1 << bit % 8
        damaged.write_bytes(altered)
        asked.clear()
        with contextlib.suppress(ArchiveError):
            list(open_reader(damaged, lambda name: asked.append(name) is None))
            assert len(asked) == len(FILES), f"bit {bit} dropped a member"
