"""Image files out of a folder, a tar (gzip, bzip2, xz or plain) or a zip, one by one, never unpacked to disk.

An archive is not trusted: a member that would reach outside its folder, that is a link, a device or sparse, or
that is out of proportion is refused by name, and with it the archive. Headers are bounded before they are read,
and an archive that ends otherwise than archives end is damaged.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from typing import Literal

from likeness.data.archive_members import Reader, Wanted
from likeness.data.folder_source import FolderReader
from likeness.data.tar_archive import TarReader
from likeness.data.zip_archive import ZipReader
from likeness.errors import ArchiveError, SourceError

PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
_FORMS = "tar, tar.gz, tar.bz2, tar.xz or zip"


def open_reader(path: Path, wanted: Wanted) -> Reader:
    """The reader for what is at `path`; `wanted` says by its path whether a file is read at all.

    Raises:
        SourceError: nothing is there.
        ArchiveError: the file is no archive. While iterating: it is truncated, damaged, or holds a member that
            must not be read.
    """
    if path.is_dir():
        return FolderReader(path, wanted)
    try:
        with path.open("rb") as stream:
            kind = kind_of(stream.read(512))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
    if kind == "html":
        raise ArchiveError(
            f"{path}: is an HTML page, not an archive: a server's error page was saved in its place"
        )
    if kind == "unknown":
        raise ArchiveError(f"{path}: is no archive of a kind that is read ({_FORMS})")
    return ZipReader(path, wanted) if kind == "zip" else TarReader(path, wanted, kind)


def kind_of(head: bytes) -> Literal["gzip", "bzip2", "xz", "zip", "tar", "html", "unknown"]:
    """What a file is by its first 512 bytes."""
    for magic, kind in PACKED.items():
        if head.startswith(magic):
            return kind  # type: ignore[return-value]
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head[257:262] == b"ustar" or _is_old_tar(head):
        return "tar"
    return "html" if re.match(rb"\s*<(!doctype|html|head|\?xml)", head, re.IGNORECASE) else "unknown"


def _is_old_tar(head: bytes) -> bool:
    """Whether the checksum of a first header without a magic word is right, as V7 Unix wrote them."""
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
