"""Crop, resize and colour: one rule for the pictures of training and of use."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from likeness.errors import SmallImageError

Pixels = npt.NDArray[np.uint8]
"""uint8 [h, w] grey, or [h, w, 3] RGB; 0 black, 255 white."""

FRAME = 250
"""Height and width in pixels of an aligned picture of LFW and of a framed face, which takes the middle 114."""


def crop_and_resize(picture: Pixels, crop: tuple[int, int] | None, size: tuple[int, int]) -> Pixels:
    """Central crop, then area averaging where that shrinks an axis and bilinear interpolation otherwise.

    Args:
        picture: uint8 [h, w] or [h, w, 3].
        crop: height and width of the central window in pixels of the picture; None for the whole.
        size: height and width of the result; a window of other proportions is stretched.

    Raises:
        SmallImageError: the picture is smaller than the crop.
    """
    height, width = crop or picture.shape[:2]
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    if top < 0 or left < 0:
        found = f"{picture.shape[0]}×{picture.shape[1]}"
        raise SmallImageError(f"is {found} pixels (height × width), smaller than the crop of {height}×{width}")
    return resize(picture[top : top + height, left : left + width], size)


def resize(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """To height and width `size`; see `crop_and_resize`."""
    if picture.shape[:2] == size:
        return np.ascontiguousarray(picture)
    shrinks = size[0] < picture.shape[0] or size[1] < picture.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (size[1], size[0]), interpolation=method), np.uint8)


def grey(pixels: Pixels) -> Pixels:
    """The luminance of RGB pixels [..., 3] (ITU-R BT.601); grey pixels as they are."""
    if pixels.ndim < 3 or pixels.shape[-1] != 3:
        return pixels
    flat = cv2.cvtColor(pixels.reshape(1, -1, 3), cv2.COLOR_RGB2GRAY)
    return np.asarray(flat, np.uint8).reshape(pixels.shape[:-1])


def rgb(pixels: Pixels) -> Pixels:
    """A picture grey [h, w] or RGB [h, w, 3] as RGB."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def reduced(picture: Pixels, longest: int) -> Pixels:
    """The picture, at most `longest` pixels on its longer side."""
    height, width = picture.shape[:2]
    if max(height, width) <= longest:
        return picture
    scale = longest / max(height, width)
    return resize(picture, (max(1, round(height * scale)), max(1, round(width * scale))))
