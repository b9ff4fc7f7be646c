"""Why an image of a data set is not usable: the values of the manifest's column `problem`."""

from __future__ import annotations

from collections.abc import Mapping

UNDECODABLE, TOO_SMALL, NO_FACE, SMALL_FACE = "undecodable", "too small", "no face", "small face"
PROBLEMS: Mapping[str, str] = {
    UNDECODABLE: "cannot be decoded",
    TOO_SMALL: "are smaller than the crop",
    NO_FACE: "show no face that can be found",
    SMALL_FACE: "show a face that is too small",
}
"""Why an image is not usable, and how a report says so of several. Such an image keeps its row and its sentence,
has no pixels, and is left out of everything that is built on the set."""
