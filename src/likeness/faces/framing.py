"""Finds the face of any photograph and frames it, in training and in use alike; see `alignments` for the ways."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from likeness.artifacts.source_card import FaceChoice, Framing
from likeness.errors import FaceNotFoundError, ProfileFaceError, SmallFaceError
from likeness.faces.alignments.alignment import get_alignment
from likeness.faces.detectors.detector import DETECTORS, Box, Detection, Landmarks, get_detector
from likeness.faces.quality import measure_exposure, measure_quality, quality_warnings
from likeness.faces.turning import detect_turned, turn, turned_back
from likeness.images import Pixels, grey
from likeness.images.geometry import FRAME, resize

_CLEAR = 1 / 3
"""Of the highest score in a photograph: a box below it is taken for no face where another is found."""


_PROFILE = 55.0
"""Degrees of yaw beyond which a face is in profile: its landmarks give 60 for a full profile, which hides one eye.
Two of 1102 photographs of LFW are refused, both full profiles."""
_AS_ALIGNED = 210
"""Side in pixels of a frame of LFW whose face is about as large as an aligned one of 112."""


@dataclass(frozen=True)
class Face:
    """One person's face, framed.

    Attributes:
        frame: uint8 [250, 250] or RGB [250, 250, 3]; not shown by `repr`, which ends up in logs.
        box: where the detector saw it; None for a photograph that was taken as framed already.
        others: how many other faces the detector reports.
        number: of this face among them all, from 1, the chosen one; the others follow by size.
        landmarks: five points in the photograph, [5, 2]; None where the detector reports none.
        score: the detector's; NaN for a photograph that was taken as framed already.
        quality: in [0, 1], higher = better; NaN where it is not measured, which takes landmarks.
        yaw: turn of the head in degrees, positive to the right of the picture; NaN as for `quality`.
        warnings: why a comparison may go wrong, such as "too small: 31 px".
        turned: by how many degrees the photograph had to be turned counter-clockwise to be upright; box and
            landmarks are those before.
    """

    frame: Pixels = field(repr=False)
    box: Box | None = None
    others: int = 0
    number: int = 1
    landmarks: Landmarks | None = field(default=None, compare=False, repr=False)
    turned: int = 0
    score: float = field(default=math.nan, compare=False)
    quality: float = field(default=math.nan, compare=False)
    yaw: float = field(default=math.nan, compare=False)
    warnings: tuple[str, ...] = ()


def needs_colour(align: Framing) -> bool:
    """Whether faces are found in colour, whatever the network is fed."""
    return align != "none" and DETECTORS.part(get_alignment(align).detector).colour


def find_face(
    photograph: Pixels,
    name: str = "the image",
    smallest: int = 0,
    align: Framing = "lfw-landmarks",
    choice: FaceChoice = "largest",
) -> Face:
    """One face of a photograph, framed; a photograph on its side or upside down is turned, see `turning`.

    Args:
        photograph: uint8 [h, w] or RGB [h, w, 3].
        name: what a message calls it.
        smallest: side that the face must have, in pixels.
        align: how it is framed; "none" counts as "lfw-landmarks", for photographs that are compared by a network
            that was trained on pictures framed before.
        choice: which face, where there are several.

    Raises:
        FaceNotFoundError: the detector sees no face.
        SmallFaceError: the face is smaller than that.
        ProfileFaceError: its landmarks are those of a face in profile.
    """
    face = next(iter_faces(photograph, name, align, choice))
    if face.box is not None and face.box.side < smallest:
        raise SmallFaceError(
            f"{name} shows a face of {face.box.side} pixels, fewer than {smallest}; use a larger photograph"
        )
    return refuse_profile(face, name)


def iter_faces(
    photograph: Pixels, name: str = "the image", align: Framing = "lfw-landmarks", choice: FaceChoice = "largest"
) -> Iterator[Face]:
    """Every face of a photograph, framed when it is asked for: the chosen one, the others by size.

    For the arguments and errors see `find_face`.
    """
    alignment = get_alignment("lfw-landmarks" if align == "none" else align)
    detector = get_detector(alignment.detector)
    searched = photograph if detector.colour else grey(photograph)
    turns, found = detect_turned(detector, searched)
    if not found:
        raise FaceNotFoundError(
            f"{name} shows no face that can be found; use a photograph in which the face looks towards the "
            "camera and takes a tenth of the shorter side or more, or say that it is framed like the pictures "
            "of LFW already (aligned)"
        )
    upright, searched = turn(photograph, turns), turn(searched, turns)
    first = largest_clear(found) if choice == "largest" else most_central(found, upright.shape)
    for number, each in enumerate([first, *(other for other in found if other is not first)], start=1):
        refined = replace(each, box=detector.refine(searched, each.box))
        frame = alignment.frame(upright, refined)
        seen = turned_back(refined, turns, photograph.shape)
        yield Face(
            frame,
            seen.box,
            others=len(found) - 1,
            number=number,
            landmarks=seen.landmarks,
            turned=90 * turns,
            score=each.score,
            **_quality(upright, refined, frame),
        )


def _quality(photograph: Pixels, found: Detection, frame: Pixels) -> dict[str, Any]:
    """Quality, yaw and warnings of a face; without landmarks, warnings alone, from its frame."""
    if found.landmarks is None:
        shown = resize(frame, (_AS_ALIGNED, _AS_ALIGNED))
        margin = (_AS_ALIGNED - 112) // 2
        exposure = measure_exposure(shown[margin : margin + 112, margin : margin + 112])
        return {"warnings": quality_warnings(exposure, found.box.side)}
    quality = measure_quality(photograph, found.landmarks)
    warnings = quality_warnings(quality, found.box.side)
    return {"quality": quality.score, "yaw": quality.yaw, "warnings": warnings}


def refuse_profile(face: Face, name: str) -> Face:
    """The face, unless it is in profile.

    Raises:
        ProfileFaceError: its landmarks are those of a face in profile.
    """
    if abs(face.yaw) > _PROFILE:
        raise ProfileFaceError(
            f"{name} shows a face in profile (turned by about {abs(face.yaw):.0f}°, at most {_PROFILE:.0f}°); "
            "use a photograph in which it looks towards the camera"
        )
    return face


def largest_clear(found: Sequence[Detection]) -> Detection:
    """The largest of one or more faces that scores at least a third of the highest score.

    A larger box with a low score is mostly no face. The share was chosen on every fourth photograph of LFW
    deep-funneled; on another fourth, in the 298 photographs with several boxes of which one is the person's, the
    largest box is that in 267, the largest clear one in 290.
    """
    clear = _CLEAR * max(each.score for each in found)
    return max((each for each in found if each.score >= clear), key=lambda each: each.box.side)


def most_central(found: Sequence[Detection], shape: Sequence[int]) -> Detection:
    """The face of one or more whose box is nearest to the middle of a photograph of that height and width."""
    height, width = shape[:2]

    def distance(each: Detection) -> float:
        half = each.box.side / 2
        return math.hypot(each.box.top + half - height / 2, each.box.left + half - width / 2)

    return min(found, key=distance)


def framed(picture: Pixels) -> Face:
    """A picture that is framed like LFW's already; one of another size is scaled to 250×250."""
    return Face(resize(picture, (FRAME, FRAME)))
