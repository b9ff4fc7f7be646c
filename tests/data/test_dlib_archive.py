"""dlib's file out of its package: by digest, and nothing else of the archive."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from likeness.data import dlib_archive
from likeness.errors import DownloadError


def packed(path: Path, content: bytes, kind: bytes = tarfile.REGTYPE) -> str:
    """An archive with one member of the right name; its digest."""
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(dlib_archive.MEMBER)
        member.size, member.type = len(content), kind
        archive.addfile(member, io.BytesIO(content))
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_an_archive_of_another_digest_is_not_opened(tmp_path: Path) -> None:
    packed(tmp_path / "any.tar.gz", b"weights")
    with pytest.raises(DownloadError, match=r"any.tar.gz: expected .*sha256:b79bd200.*`pip download"):
        dlib_archive.dlib_weights(tmp_path / "any.tar.gz")
    with pytest.raises(DownloadError, match=r"none.tar.gz: expected .*found none"):
        dlib_archive.dlib_weights(tmp_path / "none.tar.gz")


@pytest.mark.parametrize(
    ("content", "kind", "ok"),
    [
        (b"weights", tarfile.REGTYPE, True),
        (b"weighty", tarfile.REGTYPE, False),
        (b"weights and more", tarfile.REGTYPE, False),
        (b"weights", tarfile.SYMTYPE, False),
    ],
    ids=["right", "another content", "another size", "a link"],
)
def test_the_member_is_taken_where_kind_size_and_digest_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, kind: bytes, ok: bool
) -> None:
    path = tmp_path / "any.tar.gz"
    monkeypatch.setattr(dlib_archive, "ARCHIVE", packed(path, content, kind))
    monkeypatch.setattr(dlib_archive, "SIZE", len(b"weights"))
    monkeypatch.setattr(dlib_archive, "WEIGHTS", hashlib.sha256(b"weights").hexdigest())
    if ok:
        assert dlib_archive.dlib_weights(path) == content
    else:
        with pytest.raises(DownloadError, match=r"holds no .* of 7 bytes"):
            dlib_archive.dlib_weights(path)
