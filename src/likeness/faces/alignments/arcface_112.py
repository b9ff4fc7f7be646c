"""`arcface-112`: the landmarks where ArcFace's template has them.

The frame shows the template's 112×112 pixels twice as large and in the middle: its central 224×224, halved, are
the aligned face that towers trained elsewhere expect.
"""

from __future__ import annotations

from likeness.faces.alignments.alignment import ALIGNMENTS, LandmarkAlignment, Template

ARCFACE_112 = Template(
    (112, 112),
    ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)),
)
"""The template of ArcFace and SFace towers (Deng et al. 2019)."""


@ALIGNMENTS.register("arcface-112")
class ArcFace112(LandmarkAlignment):
    """The template of ArcFace and SFace towers."""

    template = ARCFACE_112
    side = 224
