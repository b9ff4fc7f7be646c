"""Why an image of a data set is not usable: the values of the manifest's column `problem`."""

from __future__ import annotations

from collections.abc import Mapping

UNDECODABLE, TOO_SMALL = "undecodable", "too small"
NO_FACE, SMALL_FACE, PROFILE = "no face", "small face", "profile face"
NOT_ACQUIRED = (NO_FACE, SMALL_FACE, PROFILE)
"""Failures to acquire (ISO/IEC 19795-1): the photograph can be read, but shows no face that can be compared."""
PROBLEMS: Mapping[str, str] = {
    UNDECODABLE: "cannot be decoded",
    TOO_SMALL: "are smaller than the crop",
    NO_FACE: "show no face that can be found",
    SMALL_FACE: "show a face that is too small",
    PROFILE: "show a face in profile",
}
"""Why an image is not usable, and how a report says so of several. Such an image keeps its row and its sentence,
has no pixels, and is left out of everything that is built on the set."""
