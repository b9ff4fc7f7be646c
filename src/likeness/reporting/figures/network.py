"""The Siamese network as a drawing: two photographs through one tower, the comparator, the score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from likeness.models.preprocess import image_shape
from likeness.reporting.document import Figure
from likeness.reporting.figures.style import BASELINE, GRID, INK, MUTED, OURS

_WIDTH, _MIDDLES, _STEP, _BOX = 340, (84, 256), 46, 26
_NARROW, _WIDE = 44, 150


def siamese_diagram(
    size: tuple[int, ...], maps: Sequence[str], embedding: str, comparator: str, parameters: str
) -> Figure:
    """Two columns of boxes, which share their weights, joined by the comparator.

    Args:
        size: shape of a stored photograph: height and width in pixels, and 3 where it is RGB.
        maps: shapes such as 64×48×48 of the feature maps between photograph and embedding, in their order.
        embedding: its length.
        comparator: its name.
        parameters: of the tower, as text.
    """
    photograph = "×".join(map(str, image_shape(size)))
    labels = [photograph, *maps, embedding]
    areas = [max(1.0, float(math.prod(_spatial(label)))) for label in labels]
    widest = math.log(max(areas) + 1)
    parts = [
        _text(middle, 12, name, INK)
        for middle, name in zip(_MIDDLES, ("first photograph", "second photograph"), strict=True)
    ]
    for place, (label, area) in enumerate(zip(labels, areas, strict=True)):
        width = _NARROW + (_WIDE - _NARROW) * math.log(area + 1) / widest
        top = 22 + place * _STEP
        fill = GRID if place == 0 else OURS if label != embedding or place < len(labels) - 1 else BASELINE
        for middle in _MIDDLES:
            parts += [_box(middle, top, width, fill), _text(middle, top + 17, label, INK)]
            if place:
                parts.append(_arrow(middle, top - _STEP + _BOX, middle, top))
    bottom = 22 + (len(labels) - 1) * _STEP + _BOX
    shared = 22 + (len(labels) // 2) * _STEP - 6
    parts += [_text(_WIDTH // 2, shared, "same", MUTED), _text(_WIDTH // 2, shared + 13, "weights", MUTED)]
    joined = bottom + 28
    parts += [
        _arrow(middle, bottom, _WIDTH / 2 + side * 40, joined)
        for middle, side in zip(_MIDDLES, (-1, 1), strict=True)
    ]
    parts += [_box(_WIDTH / 2, joined, 170, BASELINE), _text(_WIDTH / 2, joined + 17, comparator, INK)]
    parts += [
        _arrow(_WIDTH / 2, joined + _BOX, _WIDTH / 2, joined + _BOX + 20),
        _text(_WIDTH / 2, joined + _BOX + 34, "score", INK),
    ]
    height = joined + _BOX + 42
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="system-ui, sans-serif" font-size="12" text-anchor="middle">{"".join(parts)}</svg>'
    )
    caption = (
        "The network, read off its layers: channels × height × width after each change of resolution. Both "
        f"photographs pass through the same tower of {parameters} parameters."
    )
    return Figure("siamese", svg, caption)


def _spatial(shape: str) -> list[int]:
    """Height and width of a shape; none of a vector."""
    return [int(length) for length in shape.split("×")[1:]]


def _box(middle: float, top: float, width: float, fill: str) -> str:
    opacity = 1 if fill == GRID else 0.28
    place = f'x="{middle - width / 2:.1f}" y="{top}" width="{width:.1f}" height="{_BOX}" rx="3"'
    return f'<rect {place} fill="{fill}" fill-opacity="{opacity}"/>'


def _text(x: float, y: float, text: str, fill: str) -> str:
    return f'<text x="{x}" y="{y}" fill="{fill}">{escape(text)}</text>'


def _arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    head = f"M{to_x - 3},{to_y - 5}L{to_x},{to_y}L{to_x + 3},{to_y - 5}"
    return f'<path d="M{x},{y}L{to_x},{to_y}{head}" fill="none" stroke="{MUTED}"/>'
