"""Why an image of a data set is not usable: the values of the manifest's column `problem`."""

from __future__ import annotations

from collections.abc import Mapping

UNDECODABLE, TOO_SMALL = "undecodable", "too small"
PROBLEMS: Mapping[str, str] = {
    UNDECODABLE: "cannot be decoded",
    TOO_SMALL: "are smaller than the crop",
}
"""Why an image is not usable, and how a report says so of several. Such an image keeps its row and its sentence,
has no pixels, and is left out of everything that is built on the set."""
