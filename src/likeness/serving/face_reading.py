"""From a photograph's bytes to the framed face; imported by worker processes, so it needs little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from likeness.artifacts.source_card import Framing
from likeness.errors import FaceNotFoundError
from likeness.faces import Face, framed, iter_faces, needs_colour, refuse_profile
from likeness.images import Image, grey, read_image

MOST_FACES = 100
"""Of one photograph; of a larger crowd the largest."""


@dataclass(frozen=True)
class Reading:
    """How a model wants its photographs.

    Attributes:
        align: how the face is found and framed, see `find_face`; "none": it is framed already.
        colour: in RGB instead of grey.
    """

    align: Framing = "lfw-landmarks"
    colour: bool = False


def read_face(photograph: Image, reading: Reading, name: str, number: int = 1) -> Face:
    """Reads a photograph and frames its largest clear face, or another.

    Args:
        photograph: path, file content, Pillow image or pixels.
        reading: how.
        name: what a message calls it.
        number: of the face, see `Face.number`.

    Raises:
        FaceNotFoundError: no face is seen, or not so many.
        ProfileFaceError: the face is in profile.
        ImageError: it is no usable image.
    """
    return numbered(list(islice(_faces(photograph, reading, name), number)), number, name)


def read_faces(photograph: Image, reading: Reading, name: str) -> list[Face]:
    """The faces of a photograph in the order of their numbers, one or more; see `read_face`."""
    return list(islice(_faces(photograph, reading, name), MOST_FACES))


def numbered(faces: Sequence[Face], number: int, name: str) -> Face:
    """The face of that number among the first faces of a photograph.

    Raises:
        FaceNotFoundError: there are not so many.
        ProfileFaceError: the face is in profile.
    """
    if len(faces) < number:
        shown = "1 face" if len(faces) == 1 else f"{len(faces)} faces"
        raise FaceNotFoundError(f"{name} shows {shown}: there is no face {number}")
    return refuse_profile(faces[number - 1], name)


def _faces(photograph: Image, reading: Reading, name: str) -> Iterator[Face]:
    pixels = read_image(photograph, name, colour=reading.colour or needs_colour(reading.align))
    found = [framed(pixels)] if reading.align == "none" else iter_faces(pixels, name, reading.align)
    for face in found:
        yield face if reading.colour else replace(face, frame=grey(face.frame))
