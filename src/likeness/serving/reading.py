"""From a photograph's bytes to the framed face; imported by worker processes, so it needs little."""

from __future__ import annotations

from dataclasses import dataclass, replace

from likeness.artifacts.source_card import Framing
from likeness.faces import Face, find_face, framed, needs_colour
from likeness.images import Image, grey, read_image


@dataclass(frozen=True)
class Reading:
    """How a model wants its photographs.

    Attributes:
        align: how the face is found and framed, see `find_face`; "none": it is framed already.
        colour: in RGB instead of grey.
    """

    align: Framing = "lfw-frame"
    colour: bool = False


def read_face(photograph: Image, reading: Reading, name: str) -> Face:
    """Reads a photograph and frames its largest clear face.

    Args:
        photograph: path, file content, Pillow image or pixels.
        reading: how.
        name: what a message calls it.

    Raises:
        FaceNotFoundError: no face is seen.
        ImageError: it is no usable image.
    """
    pixels = read_image(photograph, name, colour=reading.colour or needs_colour(reading.align))
    face = framed(pixels) if reading.align == "none" else find_face(pixels, name, align=reading.align)
    return face if reading.colour else replace(face, frame=grey(face.frame))
