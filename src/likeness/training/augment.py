"""Random changes that leave a face the same person: drawn for a whole batch at once, on the batch's own device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Generator, Tensor
from torch.nn import functional

from likeness.params import Range

_SMALLEST_ERASED = 0.1  # of the image's side
_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class AugmentParams:
    """How far a training image is changed at most (section `train.augment`); all off is S1's original form.

    Attributes:
        mirror: mirror every other image.
        rotation: degrees to either side.
        scale: share by which the face is enlarged or reduced.
        shift: share of height and width by which it is moved.
        gamma: natural logarithm of the exponent put on the grey values.
        brightness: share by which the values are raised or lowered.
        contrast: share by which they are spread away from, or drawn to, the image's mean.
        saturation: of RGB images, share by which the colours are spread away from, or drawn to, the grey value.
        white_balance: of RGB images, share by which each channel is raised or lowered.
        grey: share of the RGB images that lose their colours.
        gradient: rise of the light from the middle to the border, as a share of the grey value.
        blur: share of the image that is replaced by its blurred self.
        noise: standard deviation of additive noise, in grey values of [0, 1].
        erase: share of the images in which a rectangle is painted over.
        erase_size: largest side of that rectangle, as a share of the image's.
    """

    mirror: bool = False
    rotation: Annotated[float, Range(0, 180)] = 0.0
    scale: Annotated[float, Range(0, below=1)] = 0.0
    shift: Annotated[float, Range(0, below=1)] = 0.0
    gamma: Annotated[float, Range(0, 2)] = 0.0
    brightness: Annotated[float, Range(0, 1)] = 0.0
    contrast: Annotated[float, Range(0, 1)] = 0.0
    saturation: Annotated[float, Range(0, 1)] = 0.0
    white_balance: Annotated[float, Range(0, 1)] = 0.0
    grey: Annotated[float, Range(0, 1)] = 0.0
    gradient: Annotated[float, Range(0, 1)] = 0.0
    blur: Annotated[float, Range(0, 1)] = 0.0
    noise: Annotated[float, Range(0, 1)] = 0.0
    erase: Annotated[float, Range(0, 1)] = 0.0
    erase_size: Annotated[float, Range(_SMALLEST_ERASED, 1)] = 0.4


def augment(images: Tensor, params: AugmentParams, random: Generator) -> Tensor:
    """Changes each image of a batch in its own way.

    Args:
        images: float [B, 1, H, W] or RGB [B, 3, H, W] with values in [0, 1].
        params: how far at most.
        random: on the device of `images`; the same state gives the same result.

    Returns:
        The same shape, in [0, 1].
    """
    draw = _RandomNumbers(images, random)
    changed = _move(images, params, draw)
    changed = _relight(changed, params, draw)
    if images.shape[1] == 3:
        changed = _recolour(changed, params, draw)
    if params.blur:
        changed = torch.lerp(changed, _blurred(changed), draw.uniform(0, params.blur))
    if params.noise:
        strength = draw.uniform(0, params.noise)
        grain = torch.randn(changed.shape, generator=random, device=changed.device, dtype=changed.dtype)
        changed = torch.addcmul(changed, strength, grain)
    if params.erase:
        changed = _erased(changed, params, draw)
    return changed if changed is images else changed.clamp(0, 1)


class _RandomNumbers:
    """Random numbers for each image of a batch, shaped [B, 1, 1, 1] or [B, C, 1, 1]."""

    def __init__(self, images: Tensor, random: Generator) -> None:
        self.images, self.random = images, random

    def uniform(self, low: float, high: float, channels: int = 1) -> Tensor:
        shape = (len(self.images), channels, 1, 1)
        lots = torch.rand(shape, generator=self.random, device=self.images.device, dtype=self.images.dtype)
        return low + (high - low) * lots

    def chance(self, share: float) -> Tensor:
        return self.uniform(0, 1) < share


def _move(images: Tensor, params: AugmentParams, draw: _RandomNumbers) -> Tensor:
    """Mirror, rotation, scale and shift in one bilinear resampling; the border is continued outwards."""
    flip = draw.chance(0.5) if params.mirror else None
    if not (params.rotation or params.scale or params.shift):
        return images if flip is None else torch.where(flip, images.flip(-1), images)
    height, width = images.shape[-2:]
    angle = draw.uniform(-math.radians(params.rotation), math.radians(params.rotation))
    zoom = 1 / draw.uniform(1 - params.scale, 1 + params.scale)
    side = zoom if flip is None else torch.where(flip, -zoom, zoom)
    cos, sin = torch.cos(angle), torch.sin(angle)
    down, right = _axes(images)
    # Where each output pixel comes from, on axes from -1 to 1: hence the aspect ratio. Written out, because
    # affine_grid's matrix product takes longer on a CPU than the sampling.
    x = side * (cos * right - (height / width) * sin * down) + draw.uniform(-2 * params.shift, 2 * params.shift)
    y = zoom * ((width / height) * sin * right + cos * down) + draw.uniform(-2 * params.shift, 2 * params.shift)
    grid = torch.stack([x, y], dim=-1).squeeze(1)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _axes(images: Tensor) -> tuple[Tensor, Tensor]:
    """Middles of the pixels on axes from -1 to 1: down [H, 1] and right [W]."""
    height, width = images.shape[-2:]
    down, right = (
        (2 * torch.arange(length, device=images.device, dtype=images.dtype) + 1) / length - 1
        for length in (height, width)
    )
    return down.unsqueeze(1), right


def _relight(images: Tensor, params: AugmentParams, draw: _RandomNumbers) -> Tensor:
    """Gamma, brightness and contrast, then a plane of light across the image in any direction."""
    if params.gamma:
        images = images.clamp(min=1e-6) ** draw.uniform(-params.gamma, params.gamma).exp()
    if params.brightness:
        images = images * draw.uniform(1 - params.brightness, 1 + params.brightness)
    if params.contrast:
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        images = torch.lerp(mean, images, draw.uniform(1 - params.contrast, 1 + params.contrast))
    if params.gradient:
        down, right = _axes(images)
        angle, rise = draw.uniform(0, 2 * math.pi), draw.uniform(0, params.gradient)
        images = images * (1 + rise * torch.sin(angle) * down + rise * torch.cos(angle) * right)
    return images


def _recolour(images: Tensor, params: AugmentParams, draw: _RandomNumbers) -> Tensor:
    """Saturation, white balance and loss of colour of RGB images."""
    if params.saturation or params.grey:
        weights = images.new_tensor(_LUMINANCE).reshape(1, 3, 1, 1)
        grey = (images * weights).sum(dim=1, keepdim=True)
        share = draw.uniform(1 - params.saturation, 1 + params.saturation)
        if params.grey:
            share = torch.where(draw.chance(params.grey), 0.0, share)
        images = torch.lerp(grey, images, share)
    if params.white_balance:
        images = images * draw.uniform(1 - params.white_balance, 1 + params.white_balance, 3)
    return images


def _blurred(images: Tensor) -> Tensor:
    """Twice (1, 2, 1)/4 along both axes, nearly a Gaussian of one pixel; sums of slices, faster than pooling."""
    padded = functional.pad(images, (2, 2, 2, 2), mode="replicate")
    for axis in (-2, -1, -2, -1):
        length = padded.shape[axis] - 2
        before, middle, after = (padded.narrow(axis, start, length) for start in range(3))
        padded = torch.lerp(middle, (before + after) / 2, 0.5)
    return padded


def _erased(images: Tensor, params: AugmentParams, draw: _RandomNumbers) -> Tensor:
    """Paints a rectangle of one grey over the chosen images (Zhong et al. 2020, "Random erasing")."""
    inside = draw.chance(params.erase)
    for axis in (-2, -1):
        length = images.shape[axis]
        size = length * draw.uniform(_SMALLEST_ERASED, params.erase_size)
        start = draw.uniform(0, 1) * (length - size)
        place = torch.arange(length, device=images.device).reshape((-1, 1) if axis == -2 else (-1,))
        inside = inside & (place >= start) & (place < start + size)
    return torch.where(inside, draw.uniform(0, 1), images)
