"""What kind of image a file is, by its content; its name is never trusted."""

from __future__ import annotations

from likeness.errors import ImageError

READ = ("JPEG", "PNG", "WebP", "GIF", "BMP", "PGM", "PPM")
"""The formats that are read; of an animated one its first picture."""
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".pgm", ".ppm", ".pnm"}
)
"""What a folder is searched for."""
OTHER_SUFFIXES = frozenset({".avif", ".heic", ".heif", ".tif", ".tiff", ".jp2", ".svg", ".psd", ".raw", ".dng"})
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


def kind_of(data: bytes, name: str) -> str:
    """The format as Pillow calls it: JPEG, PNG, WEBP, GIF, BMP or PPM (which PGM is part of).

    Raises:
        ImageError: it is none of them; the message says what to do.
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic) and (kind != "PPM" or data[2:3].isspace() or data[2:3] == b"#"):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    raise ImageError(f"{name} is no image of a kind that is read ({', '.join(READ)}){_hint(data)}")


def _hint(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "; it looks like HEIC, AVIF or a video: export it as JPEG"
    if data.lstrip()[:1] == b"<":
        return "; it looks like a web page or SVG"
    other = next((kind for magic, kind in _OTHER if data.startswith(magic)), None)
    return f"; it looks like {other}: export it as JPEG or PNG" if other else "; export it as JPEG or PNG"
