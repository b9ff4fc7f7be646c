"""Finding a face in a photograph and framing it, for training and for use."""

from likeness.faces.detector import Box, Detection, Detector, Landmarks
from likeness.faces.framing import Face, cut_frame, find_face, framed, iter_faces, largest_clear, needs_colour
from likeness.faces.haar import HaarDetector
from likeness.images.geometry import FRAME

__all__ = [
    "FRAME",
    "Box",
    "Detection",
    "Detector",
    "Face",
    "HaarDetector",
    "Landmarks",
    "cut_frame",
    "find_face",
    "framed",
    "iter_faces",
    "largest_clear",
    "needs_colour",
]
