"""The one reader of image files: what a network is trained on and what it is asked about pass through it alike."""

from likeness.images.formats import SUFFIXES, is_read, kind_of
from likeness.images.geometry import crop_and_resize, grey, rgb
from likeness.images.limits import MAX_BYTES, MAX_PIXELS, MAX_SIDE
from likeness.images.reader import Decoded, Image, Pixels, decode, read_image, work

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "SUFFIXES",
    "Decoded",
    "Image",
    "Pixels",
    "crop_and_resize",
    "decode",
    "grey",
    "is_read",
    "kind_of",
    "read_image",
    "rgb",
    "work",
]
