from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness.errors import ImageError
from likeness.serving.photograph import MAX_BYTES, MAX_SIDE, read_gray
from tests.serving.pictures import encoded, png_bomb, portrait


def luminance(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("L"))


@pytest.mark.parametrize("kind", ["PNG", "PPM"])
def test_lossless_kinds_give_the_luminance_exactly(kind: str) -> None:
    np.testing.assert_array_equal(read_gray(encoded(portrait(), kind)), luminance(portrait()))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_lossy_kinds_give_it_nearly(kind: str) -> None:
    read = read_gray(encoded(portrait(), kind)).astype(int)
    assert np.abs(read - luminance(portrait())).mean() < 4


def test_path_bytes_and_pixels_are_one_picture(tmp_path: Path) -> None:
    data = encoded(portrait(), "PNG")
    (tmp_path / "a.jpg").write_bytes(data)  # the name lies about the kind, which does not matter
    for picture in (tmp_path / "a.jpg", str(tmp_path / "a.jpg"), portrait(), luminance(portrait())):
        np.testing.assert_array_equal(read_gray(picture), read_gray(data))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int) -> None:
    upright = Image.fromarray(luminance(portrait())[:200, :300])
    # What a camera that was held so stores; each of these undoes the corresponding entry of Exif 2.32.
    stored_by = [None, 0, 3, 1, 5, 2, 6, 4][orientation - 1]
    stored = upright if stored_by is None else upright.transpose(Image.Transpose(stored_by))
    exif = Image.Exif()
    exif[274] = orientation
    stream = io.BytesIO()
    stored.save(stream, "PNG", exif=exif)
    np.testing.assert_array_equal(read_gray(stream.getvalue()), np.asarray(upright))


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    deep = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    stream = io.BytesIO()
    Image.fromarray(deep).save(stream, "PNG")
    np.testing.assert_array_equal(read_gray(stream.getvalue()), (deep >> 8).astype(np.uint8))


def test_transparent_background_becomes_white() -> None:
    clear = np.zeros((8, 8, 4), dtype=np.uint8)
    clear[2:6, 2:6] = (10, 10, 10, 255)
    gray = read_gray(encoded(clear, "PNG"))
    assert gray[0, 0] == 255
    assert gray[3, 3] == 10


def test_a_large_photograph_is_reduced() -> None:
    assert read_gray(np.zeros((1000, 5000), dtype=np.uint8)).shape == (819, MAX_SIDE)


REFUSED = {
    "empty": (b"", "is empty"),
    "too many bytes": (b"\xff\xd8\xff" + bytes(MAX_BYTES), "larger than 20 MB"),
    "10 000 x 10 000": (png_bomb(10_000, 10_000), "10000x10000"),
    "200 000 x 2 000": (png_bomb(200_000, 2_000), "50,000,000 pixels"),
    "truncated JPEG": (encoded(portrait())[:9000], "or cut short"),
    "truncated PNG": (encoded(portrait(), "PNG")[:9000], "or cut short"),
    "noise after a JPEG's first bytes": (b"\xff\xd8\xff" + bytes(range(256)) * 20, "or cut short"),
    "a web page": (b"<!doctype html><title>404</title>", "web page"),
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(100), "HEIC"),
    "TIFF": (b"II*\0" + bytes(100), "no image of a kind"),
    "RIFF but no WebP": (b"RIFF\0\0\0\0WAVE" + bytes(100), "no image of a kind"),
    "one pixel": (encoded(np.zeros((1, 1), dtype=np.uint8), "PNG"), "1x1"),
    "a JPEG of 101 scans": (encoded(portrait()) + b"\xff\xda" * 100, "scans"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_unusable_bytes_are_refused_in_a_sentence(case: str) -> None:
    data, said = REFUSED[case]
    with pytest.raises(ImageError, match=r"^photo (is|has|announces) ") as refusal:
        read_gray(data, "photo")
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="No such file"):
        read_gray(tmp_path / "absent.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        read_gray(tmp_path)


def test_pixels_of_another_type_are_refused() -> None:
    with pytest.raises(ImageError, match="expected uint8 pixels"):
        read_gray(np.zeros((8, 8), dtype=np.float32))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "PPM"])
def test_whatever_is_broken_in_a_file_it_is_an_image_error(kind: str) -> None:
    rng = np.random.default_rng(7)
    whole = encoded(portrait()[:64, :64], kind)
    refused = 0
    for trial in range(200):
        broken = np.frombuffer(whole, dtype=np.uint8).copy()
        places = rng.integers(12, min(200, len(broken)) if trial % 2 else len(broken), 8)
        broken[places] = rng.integers(0, 256, 8)
        try:
            read_gray(broken.tobytes())
        except ImageError:
            refused += 1
    assert refused > 0


def test_a_bomb_costs_no_memory() -> None:
    """160 MB of pixels are announced; the process that refuses them may not grow by 20."""
    program = (
        "import resource, sys\n"
        "from likeness.errors import ImageError\n"
        "from likeness.serving.photograph import read_gray\n"
        "data = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    read_gray(data)\n"
        "except ImageError:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, input=png_bomb(40_000, 4_000), capture_output=True, check=True)
    assert int(done.stdout) < 20_000  # KiB
