"""Finding a face in a photograph and framing it, for training and for use."""

from likeness.faces.alignments.alignment import ALIGNMENTS, Alignment, get_alignment
from likeness.faces.detectors.detector import (
    DEFAULT_DETECTOR,
    DETECTORS,
    Box,
    Detection,
    Detector,
    Landmarks,
    get_detector,
)
from likeness.faces.framing import (
    Face,
    find_face,
    framed,
    iter_faces,
    largest_clear,
    most_central,
    needs_colour,
    refuse_profile,
)
from likeness.images.geometry import FRAME

__all__ = [
    "ALIGNMENTS",
    "DEFAULT_DETECTOR",
    "DETECTORS",
    "FRAME",
    "Alignment",
    "Box",
    "Detection",
    "Detector",
    "Face",
    "Landmarks",
    "find_face",
    "framed",
    "get_alignment",
    "get_detector",
    "iter_faces",
    "largest_clear",
    "most_central",
    "needs_colour",
    "refuse_profile",
]
