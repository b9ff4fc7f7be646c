from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from likeness.data.archive_members import Member
from likeness.data.images import ImageRecord, perceptual_hashes, read_images, square
from likeness.data.problems import TOO_SMALL, UNDECODABLE
from likeness.data.sources import Cut
from likeness.errors import ImageError
from likeness.images import crop_and_resize, read_image
from likeness.models.preprocess import Preprocess
from tests.data.pictures import encoded, jpeg, picture


def read_one(
    data: bytes, crop: tuple[int, int] | None = None, size: tuple[int, int] = (16, 12)
) -> tuple[npt.NDArray[np.uint8], ImageRecord]:
    pixels, facts = read_images([Member("Ann/1.jpg", data)], Cut(crop, size))
    return pixels[0], facts[0]


def grey(seed: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(picture(seed, height, width)[..., 0])


def test_grey_is_the_luma_that_the_jpeg_stores() -> None:
    data = jpeg(1)
    luma = Image.open(io.BytesIO(data))
    luma.draft("L", None)
    assert np.array_equal(read_image(data), np.asarray(luma))


@pytest.mark.parametrize(
    ("form", "mode", "tolerance"),
    [
        ("JPEG", "L", 6),
        ("JPEG", "CMYK", 6),
        ("PNG", "RGB", 1),
        ("PNG", "L", 0),
        ("PNG", "RGBA", 1),
        ("PNG", "LA", 0),
        ("BMP", "RGB", 1),
        ("PPM", "L", 0),
        ("WEBP", "RGB", 12),
    ],
)
def test_every_form_is_read(form: str, mode: str, tolerance: int) -> None:
    data = encoded(picture(2), form, mode, quality=95)
    _, facts = read_one(data)
    expected = np.asarray(Image.fromarray(picture(2)).convert("L"))
    assert np.abs(read_image(data).astype(int) - expected).max() <= tolerance
    assert (facts.width, facts.height, facts.mode, facts.problem, facts.error) == (50, 60, mode, "", "")


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_quick_look_at_a_jpeg_header_sees_what_pillow_sees(mode: str, progressive: bool) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera" * 50
    _, facts = read_one(encoded(picture(3, 70, 90), "JPEG", mode, progressive=progressive, exif=exif))
    assert (facts.width, facts.height, facts.mode) == (90, 70, mode)


def test_a_photograph_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    upright = np.rot90(grey(4, 40, 64), -1)
    data = encoded(grey(4, 40, 64), "JPEG", "L", quality=95, exif=exif)
    assert np.abs(read_image(data).astype(int) - upright).max() < 20
    _, facts = read_one(data)
    assert (facts.width, facts.height) == (40, 64)


@pytest.mark.parametrize("crop", [None, (120, 100), (33, 32), (250, 250)])
@pytest.mark.parametrize("size", [(105, 105), (80, 64), (33, 32), (300, 280), (20, 300)])
def test_the_store_is_cut_as_photographs_are_cut_in_use(
    crop: tuple[int, int] | None, size: tuple[int, int]
) -> None:
    whole = grey(5, 250, 250)
    assert np.array_equal(crop_and_resize(whole, crop, size), Preprocess(size=size, crop=crop).window(whole))


def test_the_crop_is_central_and_shrinking_averages() -> None:
    whole = np.zeros((10, 14), np.uint8)
    whole[3:7, 5:9] = np.arange(16).reshape(4, 4) * 10
    means = whole[3:7, 5:9].reshape(2, 2, 2, 2).mean(axis=(1, 3))
    assert np.array_equal(crop_and_resize(whole, (4, 4), (2, 2)), np.rint(means))


def test_what_is_measured_is_the_stored_crop() -> None:
    checks = np.indices((40, 40)).sum(axis=0) % 2 * 255
    _, facts = read_one(encoded(checks.astype(np.uint8), "PNG", "L"), size=(40, 40))
    assert facts.brightness == pytest.approx(0.5)
    assert facts.contrast == pytest.approx(0.5)
    assert facts.sharpness == pytest.approx(1020**2)  # each pixel differs from its four neighbours by 255
    stored, facts = read_one(jpeg(6), crop=(40, 40))
    laplacian = cv2.Laplacian(stored.astype(float), cv2.CV_64F)
    measured = (facts.brightness * 255, facts.contrast * 255, facts.sharpness)
    assert measured == pytest.approx((stored.mean(), stored.std(), laplacian.var()))


def png_that_declares(width: int, height: int) -> bytes:
    chunks = {b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), b"IDAT": zlib.compress(bytes(1000))}
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg_that_declares(width: int, height: int) -> bytes:
    data = bytearray(jpeg(0))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize("data", [png_that_declares(9000, 9000), png_that_declares(10**6, 10**6)])
def test_a_png_bomb_is_not_decoded(data: bytes) -> None:
    stored, facts = read_one(data)
    assert not stored.any()
    assert facts.problem == UNDECODABLE
    assert "announces" in facts.error


def test_a_jpeg_bomb_is_not_decoded() -> None:
    _, facts = read_one(jpeg_that_declares(65500, 65500))
    assert "announces 65500×65500 pixels" in facts.error


BROKEN = {
    "empty": (b"", "is empty"),
    "text": (b"<html>not here</html>", "no image"),
    "half a jpeg": (jpeg(1)[: len(jpeg(1)) // 2], "Premature end"),
    "header of a jpeg": (jpeg(1)[:100], "cut short"),
    "half a png": (encoded(picture(1), "PNG")[:2000], "cut short"),
    "half a bmp": (encoded(picture(1), "BMP")[:2000], "cut short"),
    "half a pgm": (encoded(picture(1), "PPM", "L")[:2000], "cut short"),
    "another kind": (encoded(picture(1), "TIFF"), "looks like TIFF"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_image_is_a_row_with_its_error(kind: str) -> None:
    broken, reason = BROKEN[kind]
    pixels, facts = read_images(
        [Member("a", jpeg(1)), Member("b", broken), Member("c", jpeg(2))], Cut(None, (8, 8))
    )
    assert [fact.problem for fact in facts] == ["", UNDECODABLE, ""]
    assert not pixels[1].any()
    assert pixels[0].any()
    assert pixels[2].any()
    assert reason in facts[1].error
    assert (facts[1].path, facts[1].bytes, facts[1].phash) == ("b", len(broken), "")
    assert np.isnan([facts[1].brightness, facts[1].contrast, facts[1].sharpness]).all()


def test_a_picture_smaller_than_the_crop_is_an_error() -> None:
    with pytest.raises(ImageError, match=r"is 60×50 pixels .* smaller than the crop of 80×40"):
        crop_and_resize(grey(1, 60, 50), (80, 40), (8, 8))
    _, facts = read_one(jpeg(1), crop=(80, 40))
    assert facts.problem == TOO_SMALL
    assert "smaller than the crop" in facts.error
    assert (facts.width, facts.height) == (50, 60)


def distance(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> int:
    one, other = perceptual_hashes(np.stack([square(first), square(second)]))
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_the_perceptual_hash_outlives_another_size_quality_and_light() -> None:
    whole = grey(7, 250, 250)
    small = cv2.resize(whole, (180, 180), interpolation=cv2.INTER_AREA)
    large = cv2.resize(whole, (700, 700), interpolation=cv2.INTER_CUBIC)
    poor = read_image(encoded(whole, "JPEG", "L", quality=40))
    dark = (whole * 0.6).astype(np.uint8)
    assert max(distance(whole, other) for other in (small, large, poor, dark)) <= 4


def test_the_perceptual_hash_separates_pictures() -> None:
    others = [distance(grey(7, 250, 250), grey(seed, 250, 250)) for seed in range(8, 28)]
    assert min(others) > 10
    assert distance(grey(7, 250, 250), np.ascontiguousarray(grey(7, 250, 250)[:, ::-1])) > 10


def test_a_hash_does_not_depend_on_its_batch() -> None:
    squares = np.stack([square(grey(seed, 250, 250)) for seed in range(5)])
    together = perceptual_hashes(squares)
    assert together == [perceptual_hashes(one[None])[0] for one in squares]
    assert all(len(text) == 16 for text in together)
