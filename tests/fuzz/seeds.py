"""Seed files: what the tests of hostile input build, beside sound files of every kind."""

from __future__ import annotations

import atexit
import dataclasses
import io
import json
import random
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image

from likeness.serving.gallery import Enrolment, Gallery
from likeness.serving.gallery_file import save_gallery
from likeness.training.checkpoint import STATE, Checkpoint, save_checkpoint
from tests.data.hostile import UPLOADS
from tests.data.pictures import encoded, jpeg, lfw_files, picture, write_tar, write_zip
from tests.data.test_faceset import PEOPLE
from tests.data.test_splits import split
from tests.data.tiny import tiny_faceset
from tests.fuzz.download_target import FILE
from tests.serving.pictures import png_bomb, portrait
from tests.test_yaml_file import REFUSED

FILES = lfw_files({"Ann_Lee": 2, "Bob": 1})
ROOT = Path(__file__).parents[2]
_LARGEST = 300_000  # bytes of a seed
_FORMS = {"JPEG": {}, "PNG": {}, "WEBP": {"lossless": True}, "GIF": {}, "BMP": {}, "PPM": {}, "TIFF": {}}


@cache
def images() -> tuple[bytes, ...]:
    """Every kind that is read and some that are not, progressive, turned, transparent, and bombs."""
    pixels = picture(1)
    kinds = [encoded(pixels, form, **options) for form, options in _FORMS.items()]
    more = [
        encoded(pixels, "JPEG", progressive=True),
        encoded(pixels, "JPEG", mode="L", quality=40),
        encoded(pixels, "JPEG", exif=_turned()),
        encoded(pixels, "PNG", mode="RGBA"),
        encoded(pixels, "GIF", save_all=True, append_images=[Image.fromarray(picture(2))]),
        _saved(Image.fromarray(np.arange(3000, dtype=np.uint16).reshape(50, 60)), "PNG"),
        b"P2 4 2 1 " + b"0 1 " * 4,
        png_bomb(8, 8),
        png_bomb(40_000, 4_000),
        png_bomb(8, 8)[:33] + b"\x7f\xff\xff\xffIDAT\0\0\0\0",
        kinds[0][:2] + b"\xff" * 40 + kinds[0][2:],
        b"\0\0\0\x18ftypheic" + bytes(100),
    ]
    return tuple(kinds + more)


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def _saved(image: Image.Image, form: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form)
    return stream.getvalue()


@cache
def archives() -> tuple[bytes, ...]:
    """Tar archives of every packing, zips, and the hostile ones among the uploads."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = [write_tar(folder / f"a.{mode[2:]}", FILES, mode) for mode in ("w:", "w:gz", "w:bz2", "w:xz")]
        made.append(write_zip(folder / "a.zip", FILES))
        return tuple(path.read_bytes() for path in made) + _uploads((".zip", ".tar", ".gz", ".tgz"))


def _uploads(suffixes: tuple[str, ...]) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for upload in UPLOADS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "incoming"
            folder.mkdir()
            upload(folder, random.Random(0))
            paths = sorted(path for path in Path(name).rglob("*") if path.suffix in suffixes and path.is_file())
            found += [path.read_bytes() for path in paths if path.stat().st_size <= _LARGEST]
    return tuple(found)


@cache
def params() -> tuple[bytes, ...]:
    """The project's own, each section alone, and what stopped earlier readers."""
    whole = (ROOT / "params.yaml").read_bytes()
    operations = (ROOT / "operations.yaml").read_bytes()
    parts = [yaml.safe_dump({name: value}).encode() for name, value in yaml.safe_load(whole).items()]
    return (whole, operations, *parts, *(content for content, _ in REFUSED.values() if len(content) < _LARGEST))


@cache
def cards() -> tuple[bytes, ...]:
    """JSON of models, face sets, nightly runs and collected photographs."""
    kept = (ROOT / "pretrained" / "arcface-lfw" / "card.json").read_bytes()
    source = {"source": "folder", "synthetic": False, "alignment": "none", "place": "photos", "size": [80, 64]}
    photograph = {"file": "Ann/1.jpg", "person": "Ann", "sha256": "0" * 64}
    rows = [source, {"photographs": [photograph]}, {"started": "2026-01-01T02:00:00", "outcome": "kept"}, [], {}]
    deep = [b"[" * 100_000, b'{"format": ' + b"9" * 5000 + b"}", b'{"format": NaN}', b"\xff\xfe{}"]
    return (kept, *(json.dumps(row).encode() for row in rows), *deep)


@cache
def lists() -> tuple[bytes, ...]:
    """Lists of pairs and of people, in folds and not, and such as are refused."""
    pairs = "2\nAnn\t1\t2\nBob\t1\t2\nAnn\t1\tBob\t1\nBob\t2\tAnn\t2\n"
    folds = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nCid\t1\t2\nCid\t1\tDan\t1\n"
    people = ["2\nAnn\t2\nBob\t1\n", "2\n1\nAnn\t2\n1\nBob\t1\n"]
    odd = ["1\nAnn\t1\t" + "9" * 4301 + "\nAnn\t1\tBob\t1\n", "<!DOCTYPE html>", "0\n"]
    marked = "\ufeff1\nZoe\u0308\t1\t2\nA\t1\tB\t1"
    return tuple(text.encode() for text in [pairs, folds, *people, *odd, marked])


@cache
def galleries() -> tuple[bytes, ...]:
    """Galleries: of nobody, of one person, and of two, one with a kept photograph."""
    vectors = np.eye(4, dtype=np.float32)
    nobody = Gallery.empty("m" * 64, 4)
    one = nobody.with_people([Enrolment("Ann", vectors[:1])])
    two = one.with_people([Enrolment("Zoë", vectors[1:2], np.zeros((1, 250, 250), dtype=np.uint8))])
    dated = [dataclasses.replace(gallery, enrolled=np.arange(len(gallery))) for gallery in (nobody, one, two)]
    return tuple(_written(lambda path, gallery=gallery: save_gallery(path, gallery)) for gallery in dated)


@cache
def checkpoints() -> tuple[bytes, ...]:
    """One checkpoint of a training."""
    tensors = {"weight": torch.arange(6.0).reshape(2, 3), "steps": torch.tensor(3)}
    return (
        _written(
            lambda path: save_checkpoint(path.parent, "key", Checkpoint(1, 2, {"loss": 0.5}, tensors)), STATE
        ),
    )


@cache
def tables() -> tuple[bytes, ...]:
    """Arrays and tables of a face set and of a split."""
    return tuple(path.read_bytes() for path in sorted(outputs().rglob("*")) if path.is_file())


@cache
def outputs() -> Path:
    """A folder with a face set and a split."""
    folder = Path(tempfile.mkdtemp(prefix="likeness-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tiny_faceset(folder / "faces", PEOPLE)
    split().write(folder / "splits")
    return folder


def _written(write: Callable[[Path], object], name: str = "people.safetensors") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


@cache
def answers() -> tuple[bytes, ...]:
    """HTTP answers to a download: sound ones in every form, and such as the tests of misbehaving servers send."""
    length, chunk = f"Content-Length: {len(FILE)}", f"{len(FILE):x}\r\n".encode() + FILE + b"\r\n0\r\n\r\n"
    half = len(FILE) // 2
    part = f"Content-Range: bytes {half}-{len(FILE) - 1}/{len(FILE)}"
    heads = {
        f'200 OK\r\n{length}\r\nETag: "1"': FILE,
        f"200 OK\r\n{length}\r\nETag: one\r\n two": FILE,
        f"200 OK\r\n{length}\r\nETag: \x80\x01": FILE,
        "200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT": FILE,
        "200 OK\r\nTransfer-Encoding: chunked": chunk,
        "200 OK\r\nContent-Length: -1": FILE,
        f"200 OK\r\nContent-Length: {'9' * 30}": FILE,
        f'206 Partial Content\r\n{part}\r\nETag: "1"': FILE[half:],
        "206 Partial Content\r\nContent-Range: bytes 7-9/10": FILE[:3],
        "416 Range Not Satisfiable": b"",
        "404 Not Found": b"<!doctype html>",
        "503 Service Unavailable": b"",
        "200 OK": b"<!doctype html><title>404</title>",
    }
    return tuple(f"HTTP/1.1 {head}\r\n\r\n".encode("latin-1") + body for head, body in heads.items())


@cache
def requests() -> tuple[bytes, ...]:
    """HTTP requests to every address of the service, sound ones and such as other sites or programs send."""
    photo, other = jpeg(1), encoded(portrait(), quality=80)
    forms = [
        ("/api/verify", {"first": photo, "second": other, "fmr": b"0.01"}),
        ("/api/explain", {"first": other, "second": other}),
        ("/api/identify", {"photo": other, "top": b"3"}),
        ("/api/people", {"name": "Zoë".encode(), "photos": other, "keep": b"1"}),
        ("/api/people/remove", {"name": "Zoë".encode()}),
        ("/session", {"token": b"guess"}),
    ]
    plain = [
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in ("/", "/health", "/api/people")
    ]
    odd = [
        b"POST /api/people HTTP/1.1\r\nHost: localhost\r\nOrigin: http://[\r\n\r\n",
        b"POST /api/people HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded; "
        b"charset=punycode\r\nContent-Length: 6\r\n\r\nname=x",
        b"GET /static/../../card.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /?token=%ff HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: a=\xff; b\r\n\r\n",
    ]
    return (*(_post(path, parts) for path, parts in forms), *plain, *odd)


def _post(path: str, parts: dict[str, bytes]) -> bytes:
    """A request with a multipart form; parts that begin as pictures are files."""
    pieces = []
    for name, value in parts.items():
        file = '; filename="a.jpg"' if value.startswith(b"\xff\xd8") else ""
        head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        pieces.append(head.encode() + value + b"\r\n")
    body = b"".join(pieces) + b"--frontier--\r\n"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=frontier\r\n\r\n"
    )
    return head.encode() + body
