"""How much is seen of a picture: central windows, and pictures with the face painted over."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from likeness.images.geometry import FRAME
from likeness.models.weights import LoadedModel
from studies.leaks.study import FACE, Mask, Study, StudyResult, classical, scored, seen_by, window

_CROPS = ((250, 208), (200, 167), (160, 133), FACE, (90, 75), (60, 50))
_PAINTED = (FACE, (180, 150), (230, 192))
_GREY = 128


def crop_study(study: Study) -> Iterator[StudyResult]:
    """The baseline on central windows of one shape, each brought to the same sizes."""
    for crop in _CROPS:
        system = classical(study, study.faces.pixels[:, *window(crop)])
        yield study.row("crop", f"the central {crop[0]}×{crop[1]} of 250×250", system)


def background_study(study: Study) -> Iterator[StudyResult]:
    """The baseline without the face, then without ever more around it; and the model, see `looked_through`."""
    pictures = study.faces.pixels[:, *window(_CROPS[0])]
    shown = f"the central {_CROPS[0][0]}×{_CROPS[0][1]}"
    for hole in _PAINTED:
        mask = _ellipse(_CROPS[0], hole)
        system = classical(study, np.where(mask, np.uint8(_GREY), pictures))
        sees = f"{shown} without the ellipse of {hole[0]}×{hole[1]} in its middle"
        yield study.row("background", sees, system)
    if study.model is not None:
        yield from looked_through(study, study.model)


def looked_through(study: Study, model: LoadedModel) -> Iterator[StudyResult]:
    """A trained model, whose threshold is fitted again for each kind of painting."""
    preprocess = model.card.preprocess
    cut = seen_by(study, model)
    height, width = preprocess.crop or (FRAME, FRAME)
    down, across = preprocess.size[:2]
    inner = _ellipse(preprocess.size, (FACE[0] * down / height, FACE[1] * across / width))
    shown, face = f"its window of {height}×{width}", f"the ellipse of {FACE[0]}×{FACE[1]} in its middle"
    for sees, mask in ((shown, None), (f"{shown}, {face} only", ~inner), (f"{shown} without {face}", inner)):
        images = cut if mask is None else np.where(mask, _GREY, cut).astype(np.uint8)
        yield study.row("background", sees, scored(study, model, images))


def _ellipse(size: tuple[int, ...], axes: tuple[float, float]) -> Mask:
    """Which pixels [H, W] lie in the central upright ellipse of this height and width."""
    down, across = ((np.arange(side) - (side - 1) / 2) / (axis / 2) for side, axis in zip(size, axes, strict=True))
    return np.asarray(down[:, None] ** 2 + across[None, :] ** 2 <= 1)
