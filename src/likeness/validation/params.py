"""Section `validate` of params.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from likeness.params import Range

Bounds = Annotated[tuple[float, float], Range(0)]


@dataclass(frozen=True)
class ValidationParams:
    """The bounds that the expectations hold the faces to; each pair is lowest and highest.

    Attributes:
        brightness: mean of an image / 255, warning beyond.
        contrast: standard deviation of an image / 255, warning beyond.
        sharpness: variance of the Laplacian of an image in squared gray levels, warning beyond.
        mean_brightness: mean brightness of all images, critical beyond: the whole set was decoded wrongly.
        images_per_person: warning beyond.
        same_share: share of pairs of one person in a list, critical beyond.
        undecodable_share: share of images that may be undecodable, critical above.
        unread_files: files and folders of the source that may be unreadable, critical above.
        duplicate_distance: most bits of 64 in which the perceptual hashes of one photograph differ.
        duplicate_correlation: least correlation of the stored pixels of one photograph.
    """

    SECTION: ClassVar[str] = "validate"

    brightness: Bounds = (0.1, 0.8)
    contrast: Bounds = (0.05, 0.45)
    sharpness: Bounds = (20.0, 20000.0)
    mean_brightness: Bounds = (0.2, 0.8)
    images_per_person: Annotated[tuple[int, int], Range(1)] = (1, 1000)
    same_share: Bounds = (0.45, 0.55)
    undecodable_share: Annotated[float, Range(low=0, below=1)] = 0.0
    unread_files: Annotated[int, Range(0)] = 0
    duplicate_distance: Annotated[int, Range(0, 16)] = 8
    duplicate_correlation: Annotated[float, Range(-1, 1)] = 0.93

    def __post_init__(self) -> None:
        names = ("brightness", "contrast", "sharpness", "mean_brightness", "images_per_person", "same_share")
        for name in names:
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: the lowest value {low} is above the highest {high}")
