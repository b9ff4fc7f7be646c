"""`lfw-landmarks`: the face where the pictures of LFW deep-funneled have it, turned upright by its landmarks.

The frame shows a face in the size and place that a network trained on LFW knows, however the head is tilted; the
box of `lfw-frame` cannot turn it.
"""

from __future__ import annotations

from likeness.faces.alignments.alignment import ALIGNMENTS, LandmarkAlignment, Template

LFW_LANDMARKS = Template(
    (250, 250),
    ((104.1, 112.9), (146.4, 112.0), (125.4, 137.3), (107.7, 158.5), (144.9, 157.8)),
)
"""Medians over the first photographs of 2 000 of LFW's training people, by `studies/lfw_template.py`."""


@ALIGNMENTS.register("lfw-landmarks")
class LfwLandmarks(LandmarkAlignment):
    """The faces of LFW deep-funneled."""

    template = LFW_LANDMARKS
    side = 250
