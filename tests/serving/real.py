"""Real faces, for tests that LIKENESS_LFW allows."""

from __future__ import annotations

import tarfile
from pathlib import Path

from likeness.serving.photograph import Gray, read_gray


def lfw_photographs(folder: Path, count: int) -> list[Gray]:
    """The first photographs of the first archive of LFW in `folder`, uint8 [250, 250] each."""
    archive = next(path for path in sorted(folder.iterdir()) if path.name.endswith((".tgz", ".tar.gz")))
    photographs: list[Gray] = []
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            stream = members.extractfile(member) if member.name.endswith(".jpg") else None
            if stream is not None:
                photographs.append(read_gray(stream.read(), member.name))
            if len(photographs) == count:
                break
    return photographs
