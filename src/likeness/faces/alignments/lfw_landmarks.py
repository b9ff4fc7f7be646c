"""`lfw-landmarks`: the face where the pictures of LFW deep-funneled have it, turned upright by its landmarks.

The frame shows a face in the size and place that a network trained on LFW knows, however the head is tilted; the
box of `lfw-frame` cannot turn it.
"""

from __future__ import annotations

from likeness.faces.alignments.alignment import ALIGNMENTS, LandmarkAlignment, Template

LFW_LANDMARKS = Template(
    (250, 250),
    ((104.3, 113.1), (146.2, 112.1), (125.5, 137.1), (108.1, 158.7), (145.0, 157.9)),
)
"""Medians over photographs of LFW's training people, by `studies/lfw_template.py`."""


@ALIGNMENTS.register("lfw-landmarks")
class LfwLandmarks(LandmarkAlignment):
    """The faces of LFW deep-funneled."""

    template = LFW_LANDMARKS
    side = 250
