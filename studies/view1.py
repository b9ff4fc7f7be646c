"""View 1's test pairs with their photographs, for studies that show them to a finished model."""

from __future__ import annotations

from pathlib import Path

from likeness.data.archive import open_reader
from likeness.data.layout import lfw_layout
from likeness.data.pairs import locate, read_pairs
from likeness.data.splits import Pairs
from likeness.images import Pixels, read_image


def read_test_pairs(lfw: Path, colour: bool = False) -> tuple[list[Pixels], Pairs]:
    """The photographs that the pairs name, and the pairs as rows of these.

    Args:
        lfw: folder that holds the archive (.tgz) and pairsDevTest.txt.
        colour: RGB instead of grey.
    """
    (listed,) = read_pairs(lfw / "pairsDevTest.txt")
    wanted = {image for pair in listed for image in (pair.first, pair.second)}
    reader = open_reader(next(lfw.glob("*.t*gz")), lambda path: lfw_layout(path) in wanted)
    pictures = {lfw_layout(file.path): read_image(file.data, file.path, colour=colour) for file in reader}
    rows = {image: row for row, image in enumerate(pictures) if image is not None}
    return list(pictures.values()), locate(listed, rows)
