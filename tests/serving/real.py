"""Real faces, for tests that LIKENESS_LFW allows."""

from __future__ import annotations

import tarfile
from pathlib import Path

from likeness.images import Pixels, read_image


def lfw_photographs(folder: Path, count: int) -> list[Pixels]:
    """The first photographs of the first archive of LFW in `folder`, uint8 [250, 250] each."""
    archive = next(path for path in sorted(folder.iterdir()) if path.name.endswith((".tgz", ".tar.gz")))
    photographs: list[Pixels] = []
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            stream = members.extractfile(member) if member.name.endswith(".jpg") else None
            if stream is not None:
                photographs.append(read_image(stream.read(), member.name))
            if len(photographs) == count:
                break
    return photographs
