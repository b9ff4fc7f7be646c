"""Finding a face in a photograph and framing it, for training and for use."""

from likeness.faces.detector import Box, Detection, Detector
from likeness.faces.framing import Face, cut_frame, find_face, framed, largest_clear
from likeness.faces.haar import HaarDetector
from likeness.images.geometry import FRAME

__all__ = [
    "FRAME",
    "Box",
    "Detection",
    "Detector",
    "Face",
    "HaarDetector",
    "cut_frame",
    "find_face",
    "framed",
    "largest_clear",
]
