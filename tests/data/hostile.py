"""Uploads that were made to do harm: each function writes one below a folder."""

from __future__ import annotations

import gzip
import io
import os
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from PIL import Image

from tests.data.pictures import jpeg, write_tar, write_zip

Upload = Callable[[Path, random.Random], None]


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@cache
def _zipped_zeros() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for at in range(12):
            archive.writestr(f"Eve/{at}.pgm", bytes(8 << 20))
    return stream.getvalue()


@cache
def _gzipped_zeros() -> bytes:
    return gzip.compress(bytes(100 << 20), 1)


@cache
def _progressive() -> bytes:
    stream = io.BytesIO()
    Image.new("L", (8000, 8000)).save(stream, "JPEG", progressive=True)
    return stream.getvalue()


def photograph(rng: random.Random) -> bytes:
    return jpeg(rng.randrange(1 << 30))


def long_file_name(incoming: Path, rng: random.Random) -> None:
    _write(incoming / "Eve" / ("x" * 231 + ".txt"), b"text")


def long_folder_name(incoming: Path, rng: random.Random) -> None:
    _write(incoming / ("é" * 127) / "1.jpg", photograph(rng))


def long_names_in_an_archive(incoming: Path, rng: random.Random) -> None:
    name = f"{'p' * 300}/{'q' * 5000}.jpg"
    write_tar(
        incoming / f"long{rng.randrange(9)}.tar.gz", {name: photograph(rng), f"Eve/{'z' * 300}.txt": b"text"}
    )


def many_folders_deep(incoming: Path, rng: random.Random) -> None:
    write_tar(incoming / "deep.tar", {"a/" * 3000 + "1.txt": b"text"}, "w")


def name_with_nul(incoming: Path, rng: random.Random) -> None:
    with tarfile.open(incoming / "nul.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("Eve/1.jpg")
        info.pax_headers = {"path": "Eve/a\0b.jpg"}
        content = photograph(rng)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))


def names_that_are_no_utf8(incoming: Path, rng: random.Random) -> None:
    folder = os.fsencode(incoming) + rng.choice([b"/Ev\xff", b"/\xed\xa0\x80", b"/Eve"])
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103  # a Path of bytes does not exist
    Path(os.fsdecode(folder + b"/\xfe\xff.jpg")).write_bytes(photograph(rng))
    Path(os.fsdecode(folder + b"/\x80.txt")).write_bytes(b"text")


def zip_names_that_are_no_utf8(incoming: Path, rng: random.Random) -> None:
    path = write_zip(incoming / "latin.zip", {"EvX/1.jpg": photograph(rng)})
    path.write_bytes(path.read_bytes().replace(b"EvX", b"Ev\xe9"))


def odd_folder_names(incoming: Path, rng: random.Random) -> None:
    name = rng.choice(
        [" ..", "..\u00a0", " .", "index.json", "INDEX.JSON", " ", "\u2028", "Eve\nEve", "Eve\x1b[2J"]
    )
    _write(incoming / name / "1.jpg", photograph(rng))
    write_zip(incoming / "names.zip", {f"{name}/2.jpg": photograph(rng)})


def huge_sparse_file(incoming: Path, rng: random.Random) -> None:
    path = incoming / "Eve" / rng.choice(["big.jpg", "big.zip", "big.tar.gz", "big.txt"])
    _write(path, b"PK\x03\x04" if path.suffix == ".zip" else b"\x1f\x8b\x08")
    os.truncate(path, 6 << 30)


def odd_sparse_header(incoming: Path, rng: random.Random) -> None:
    info = tarfile.TarInfo("Eve/1.jpg")
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "Eve/1.jpg",
        "GNU.sparse.realsize": rng.choice(["-5", "nine", "9" * 5000, str(1500 << 20)]),
    }
    content = b"1\n0\n" + rng.choice([b"x\n", b"-1\n", str(1500 << 20).encode() + b"\n"])
    info.size = len(content)
    with tarfile.open(incoming / "sparse.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(content))


def zip_bomb(incoming: Path, rng: random.Random) -> None:
    _write(incoming / "bomb.zip", _zipped_zeros())


def gzip_bomb(incoming: Path, rng: random.Random) -> None:
    _write(incoming / "bomb.tar.gz", _gzipped_zeros())


def overlapping_members(incoming: Path, rng: random.Random) -> None:
    """Every entry of the directory names the same compressed data."""
    path = write_zip(incoming / "overlap.zip", {"Eve/1.jpg": bytes(1 << 20)})
    content = path.read_bytes()
    at = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry = content[at:end]
    many = 3000
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, many, many, len(entry) * many, at, 0)
    path.write_bytes(content[:at] + entry * many + tail)


def scan_bomb(incoming: Path, rng: random.Random) -> None:
    content = _progressive()
    at = content.rindex(b"\xff\xda")
    _write(incoming / "Eve" / "scans.jpg", content[:at] + content[at:-2] * 300 + b"\xff\xd9")


def png_that_claims_gigabytes(incoming: Path, rng: random.Random) -> None:
    header = b"\x89PNG\r\n\x1a\n"
    size = struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I4s", 13, b"IHDR") + size + struct.pack(">I", zlib.crc32(b"IHDR" + size))
    _write(incoming / "Eve" / "chunk.png", header + chunk + struct.pack(">I4s", 0x7FFFFFF0, b"tEXt"))


def file_that_is_no_picture(incoming: Path, rng: random.Random) -> None:
    _write(incoming / "Eve" / "noise.jpg", rng.randbytes(rng.randrange(2000)))
    _write(incoming / "Eve" / "short.jpg", photograph(rng)[: rng.randrange(1, 600)])
    _write(incoming / "loose.jpg", photograph(rng))
    _write(incoming / "Eve" / "page.webp", b"<html>")


def archive_that_is_none(incoming: Path, rng: random.Random) -> None:
    _write(incoming / "page.zip", b"<!doctype html><p>not found")
    _write(incoming / "empty.zip", b"")
    _write(incoming / "noise.tar", rng.randbytes(3000))


def damaged_archive(incoming: Path, rng: random.Random) -> None:
    """Some bytes of a good archive are changed, or its end is missing; the same names come again and again."""
    files = {f"Eve/{at}.jpg": photograph(rng) for at in range(3)}
    if rng.random() < 0.5:
        path = write_tar(incoming / "again.tar.gz", files, rng.choice(["w", "w:gz"]))
    else:
        path = write_zip(incoming / "again.zip", files)
    content = bytearray(path.read_bytes())
    for _ in range(rng.randrange(1, 6)):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content[: rng.choice([len(content), rng.randrange(len(content))])])


def archive_with_bad_members(incoming: Path, rng: random.Random) -> None:
    """Its name is one that a damaged archive had before: that lies in quarantine as a file."""
    write_zip(incoming / "again.zip", {"Eve/notes.txt": b"text", "Eve/again.zip": b"PK", "Eve": b"a file"})


def archive_that_reaches_outside(incoming: Path, rng: random.Random) -> None:
    name = rng.choice(["../../escaped.jpg", "/escaped/1.jpg", "C:\\escaped\\1.jpg", "Eve/../../../1.jpg"])
    write_tar(incoming / "outside.tar", {name: photograph(rng)}, "w")


def same_name_twice(incoming: Path, rng: random.Random) -> None:
    with zipfile.ZipFile(incoming / "twice.zip", "w") as archive:
        for name in ("Eve/a.txt", "Eve/a.txt/b.txt", "eve/A.txt"):
            archive.writestr(name, rng.randbytes(5))


def no_regular_files(incoming: Path, rng: random.Random) -> None:
    folder = incoming / "Eve"
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in (("link.jpg", "/etc/passwd"), ("loop", ".")):
        if not os.path.lexists(folder / name):
            (folder / name).symlink_to(target)
    if not (folder / "pipe.jpg").exists():
        os.mkfifo(folder / "pipe.jpg")


def texts_of_the_quarantine(incoming: Path, rng: random.Random) -> None:
    _write(incoming / "Eve" / "1.jpg.reason.txt", b"It was too dark.")


UPLOADS: tuple[Upload, ...] = (
    long_file_name,
    long_folder_name,
    long_names_in_an_archive,
    many_folders_deep,
    name_with_nul,
    names_that_are_no_utf8,
    zip_names_that_are_no_utf8,
    odd_folder_names,
    huge_sparse_file,
    odd_sparse_header,
    zip_bomb,
    gzip_bomb,
    overlapping_members,
    scan_bomb,
    png_that_claims_gigabytes,
    file_that_is_no_picture,
    archive_that_is_none,
    damaged_archive,
    archive_with_bad_members,
    archive_that_reaches_outside,
    same_name_twice,
    no_regular_files,
    texts_of_the_quarantine,
)
