"""From an aligned photograph to what a tower is fed, the same way in training, evaluation and use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from likeness.errors import ImageError, ModelError
from likeness.models.architecture import ModelParams

if TYPE_CHECKING:  # a tensor brings its own methods; reading a card must not wait for torch
    from torch import Tensor

ONE_GREY_LEVEL = 1 / 255


def image_shape(size: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height and width of the image that a picture of this shape ([h, w] or [h, w, 3]) becomes."""
    height, width, *channels = size
    return (channels[0] if channels else 1), height, width


def channels_first(pixels: Tensor) -> Tensor:
    """Pixels [B, H, W] or [B, H, W, 3] as [B, C, H, W]."""
    return pixels.unsqueeze(1) if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Preprocess:
    """How faces are cut and scaled.

    Attributes:
        size: shape of what is stored and fed to the tower: height and width, and 3 of RGB pictures.
        crop: height and width of the central crop of an aligned picture (LFW: 250×250) that is resized to `size`;
            None for the whole picture.
        standardise: "unit" leaves values in [0, 1]; "image" gives each image mean 0 and deviation 1, over all its
            channels, which takes the strength of the light out of it.
    """

    size: tuple[int, ...]
    crop: tuple[int, int] | None = None
    standardise: Literal["unit", "image"] = "unit"

    @property
    def colour(self) -> bool:
        """Whether the tower is fed RGB pictures."""
        return len(self.size) == 3

    def require_fit(self, model: ModelParams) -> None:
        """Refuses standardised images for a network with an external tower, which scales grey values itself.

        Raises:
            ModelError: the two do not go together.
        """
        if model.backbone.holds_external and self.standardise != "unit":
            raise ModelError(
                f"an external tower scales grey values by its own mean and scale; set standardise to unit, "
                f"found {self.standardise}"
            )

    def tensor(self, pixels: Tensor) -> Tensor:
        """Images float32 [B, C, H, W] from uint8 pixels [B, H, W] or [B, H, W, 3], on the device of the pixels."""
        return self.standardised(channels_first(pixels).float() / 255)

    def standardised(self, images: Tensor) -> Tensor:
        """Standardises images float [B, C, H, W] with values in [0, 1], such as augmented ones."""
        if self.standardise == "unit":
            return images
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        deviation = images.std(dim=(1, 2, 3), correction=0, keepdim=True)
        # A flat image becomes zeros instead of amplified noise.
        return (images - mean) / (deviation + ONE_GREY_LEVEL)

    def window(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Cuts an aligned picture uint8 [h, w] or RGB [h, w, 3] to what the store holds, uint8 [*size].

        Central crop, then area averaging where that shrinks it and bilinear interpolation otherwise: the rule by
        which the pixel store is made.

        Raises:
            ImageError: the picture is no such array, or is smaller than the crop.
        """
        from likeness.images.geometry import crop_and_resize  # here, because training needs no OpenCV

        if image.shape[2:] != self.size[2:] or image.dtype != np.uint8:
            wanted = "an RGB picture, uint8 [h, w, 3]" if self.colour else "a grey picture, uint8 [h, w]"
            raise ImageError(f"expected {wanted}, found {image.dtype} {list(image.shape)}")
        try:
            return crop_and_resize(image, self.crop, (self.size[0], self.size[1]))
        except ImageError as error:
            raise ImageError(f"the aligned picture {error}; align or enlarge it first") from error
