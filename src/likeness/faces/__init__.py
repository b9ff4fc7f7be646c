"""Finding a face in a photograph and framing it, for training and for use."""

from likeness.faces.haar import FRAME, Box, Face, cut_frame, detect, find_face, framed, steadied

__all__ = ["FRAME", "Box", "Face", "cut_frame", "detect", "find_face", "framed", "steadied"]
