"""What kind of image a file is, by its content; its name is never trusted."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import PurePosixPath

from likeness.errors import ImageError

READ = ("JPEG", "PNG", "WebP", "AVIF", "GIF", "BMP", "PGM", "PPM")
"""The formats that are read; of an animated one its first picture. HEIC is read where pillow-heif is installed."""
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif", ".bmp", ".dib", ".pgm", ".ppm", ".pnm"}
)
"""What a folder is searched for; HEIC beside it where it is read."""
HEIC_SUFFIXES = frozenset({".heic", ".heif"})
OTHER_SUFFIXES = frozenset({*HEIC_SUFFIXES, ".tif", ".tiff", ".jp2", ".svg", ".psd", ".raw", ".dng"})
"""Pictures of formats that are not read: named where they are left aside."""

_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    *((b"P%d" % number, "PPM") for number in (2, 3, 5, 6)),
)
_OTHER = (
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"8BPS", "PSD"),
    (b"\0\0\0\x0cjP", "JPEG 2000"),
    (b"%PDF", "PDF"),
)


_BRANDS = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"
)
"""Of ISO base media files (ISO/IEC 14496-12, 4.3)."""
INSTALL_HEIF = "install its decoder (pip install pillow-heif) or export it as JPEG"


@functools.cache
def reads_heic() -> bool:
    """Whether HEIC pictures can be decoded: pillow-heif, which is no dependency, is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


def is_read(path: str) -> bool:
    """Whether a file is called a picture of a format that is read."""
    suffix = PurePosixPath(path).suffix.lower()
    return suffix in SUFFIXES or (suffix in HEIC_SUFFIXES and reads_heic())


def kind_of(data: bytes, name: str) -> str:
    """The format as Pillow calls it: JPEG, PNG, WEBP, AVIF, HEIF, GIF, BMP or PPM (which PGM is part of).

    Raises:
        ImageError: it is none of them; the message says what to do.
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic) and (kind != "PPM" or data[2:3].isspace() or data[2:3] == b"#"):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    brand = _BRANDS.get(data[8:12]) if data[4:8] == b"ftyp" else None
    if brand == "HEIF" and not reads_heic():
        raise ImageError(f"{name} is a HEIC picture: {INSTALL_HEIF}")
    if brand:
        return brand
    raise ImageError(f"{name} is no image of a kind that is read ({', '.join(READ)}){_hint(data)}")


def _hint(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "; it looks like a video: export a picture of it as JPEG"
    if data.lstrip()[:1] == b"<":
        return "; it looks like a web page or SVG"
    other = next((kind for magic, kind in _OTHER if data.startswith(magic)), None)
    return f"; it looks like {other}: export it as JPEG or PNG" if other else "; export it as JPEG or PNG"
