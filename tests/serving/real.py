"""Real faces, for tests that LIKENESS_LFW allows."""

from __future__ import annotations

import tarfile
from pathlib import Path

from likeness.faces import Face, framed
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


def lfw_test_people(folder: Path, people: int, photographs: int) -> dict[str, list[Face]]:
    """Framed faces of the first people of View 1's test set with so many photographs."""
    lines = (folder / "peopleDevTest.txt").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines if line.strip()]
    wanted = [name for name, count in rows if int(count) >= photographs][:people]
    archive = next(path for path in sorted(folder.iterdir()) if path.name.endswith((".tgz", ".tar.gz")))
    found: dict[str, list[Face]] = {name: [] for name in wanted}
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            own = found.get(Path(member.name).parent.name) if member.name.endswith(".jpg") else None
            stream = members.extractfile(member) if own is not None and len(own) < photographs else None
            if stream is not None and own is not None:
                own.append(framed(read_image(stream.read(), member.name)))
    return found
