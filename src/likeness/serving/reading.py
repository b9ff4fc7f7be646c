"""From a photograph's bytes to the framed face; imported by worker processes, so it needs little."""

from __future__ import annotations

from likeness.faces import Face, find_face, framed
from likeness.images import Image, read_image


def read_face(photograph: Image, aligned: bool, name: str) -> Face:
    """Reads a photograph and frames its largest clear face.

    Args:
        photograph: path, file content, Pillow image or pixels.
        aligned: it is framed like LFW's pictures already; no face is searched for.
        name: what a message calls it.

    Raises:
        FaceNotFoundError: no face is seen.
        ImageError: it is no usable image.
    """
    grey = read_image(photograph, name)
    return framed(grey) if aligned else find_face(grey, name)
