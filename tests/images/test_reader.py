from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from likeness.data.archive_members import Member
from likeness.data.images import read_images
from likeness.data.problems import TOO_SMALL
from likeness.data.sources import Cut
from likeness.errors import ImageError
from likeness.images import MAX_BYTES, MAX_SIDE, formats, is_read, read_image
from likeness.models.preprocess import Preprocess
from tests.serving.pictures import encoded, png_bomb, portrait


def luminance(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("L"))


@pytest.mark.parametrize("kind", ["PNG", "PPM"])
def test_lossless_kinds_give_the_luminance_exactly(kind: str) -> None:
    np.testing.assert_array_equal(read_image(encoded(portrait(), kind)), luminance(portrait()))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "GIF"])
def test_lossy_kinds_give_it_nearly(kind: str) -> None:
    read = read_image(encoded(portrait(), kind)).astype(int)
    assert np.abs(read - luminance(portrait())).mean() < 4


def test_path_bytes_and_pixels_are_one_picture(tmp_path: Path) -> None:
    data = encoded(portrait(), "PNG")
    (tmp_path / "a.jpg").write_bytes(data)  # the name lies about the kind, which does not matter
    for picture in (tmp_path / "a.jpg", str(tmp_path / "a.jpg"), portrait(), luminance(portrait())):
        np.testing.assert_array_equal(read_image(picture), read_image(data))


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
    np.testing.assert_array_equal(read_image(stream.getvalue()), np.asarray(upright))


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    deep = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    stream = io.BytesIO()
    Image.fromarray(deep).save(stream, "PNG")
    np.testing.assert_array_equal(read_image(stream.getvalue()), (deep >> 8).astype(np.uint8))


@pytest.mark.fault("D12")
@pytest.mark.parametrize("maximum", [100, 255, 1023, 65535])
@pytest.mark.parametrize("ascii", [False, True])
def test_the_maximum_of_a_pgm_is_white(maximum: int, ascii: bool) -> None:
    grey = luminance(portrait())[:40, :30]
    levels = grey.astype(np.int64) * maximum // 255
    head = f"P{2 if ascii else 5}\n30 40\n{maximum}\n".encode()
    body = " ".join(map(str, levels.ravel())).encode() if ascii else b""
    read = read_image(head + (body or levels.astype(">u2" if maximum > 255 else np.uint8).tobytes()))
    assert np.abs(read.astype(int) - grey).max() <= 255 // maximum + 1


def test_transparent_background_becomes_white() -> None:
    clear = np.zeros((8, 8, 4), dtype=np.uint8)
    clear[2:6, 2:6] = (10, 10, 10, 255)
    gray = read_image(encoded(clear, "PNG"))
    assert gray[0, 0] == 255
    assert gray[3, 3] == 10


def test_a_large_photograph_is_reduced() -> None:
    assert read_image(np.zeros((1000, 5000), dtype=np.uint8)).shape == (819, MAX_SIDE)


def jpeg_behind_fill_bytes(width: int, height: int) -> bytes:
    """A JPEG whose true frame is behind fill bytes (T.81, B.1.1.2), and one of 8×8 in a comment before it."""
    data = encoded(portrait())
    at = data.index(b"\xff\xc0")
    frame = bytearray(data[at:])
    frame[5:9] = struct.pack(">HH", height, width)
    decoy = data[at + 2 :][:17]
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(decoy)) + decoy
    return data[:at] + comment + b"\xff" * 7 + bytes(frame)


def progressive(side: int, scans: int, mode: str = "L") -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    stream = io.BytesIO()
    Image.new(mode, (side, side)).save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    start = data.rindex(b"\xff\xda")
    return data[:-2] + data[start:-2] * scans + data[-2:]


@pytest.mark.attack("2")
@pytest.mark.parametrize(("side", "scans", "mode"), [(1500, 100, "L"), (7000, 20, "L"), (3000, 100, "CMYK")])
def test_scans_are_counted_before_they_are_decoded(side: int, scans: int, mode: str) -> None:
    data = progressive(side, scans, mode)
    assert len(data) < 400_000
    with pytest.raises(ImageError, match=r"JPEG of \d+ scans .*not decoded"):
        read_image(data)
    _, (facts,) = read_images([Member("a/1.jpg", data)], Cut(None, (8, 8)))
    assert "not decoded" in facts.error


@pytest.mark.attack("13")
def test_two_pictures_of_20_000_pixels_a_side_are_refused() -> None:
    with pytest.raises(ImageError, match="not decoded"):
        read_image(png_bomb(20_000, 20_000))


@pytest.mark.fault("D08")
def test_what_follows_the_end_of_a_jpeg_is_no_part_of_it() -> None:
    """Phones append a video of some megabytes, in which any bytes may come."""
    photo = encoded(portrait())
    motion = photo + b"ftypmp42" + b"\xff\xda\xff\xd8" * 100_000 + photo
    np.testing.assert_array_equal(read_image(motion), read_image(photo))
    np.testing.assert_array_equal(
        read_images([Member("a/1.jpg", motion)], Cut(None, (32, 32)))[0],
        read_images([Member("a/1.jpg", photo)], Cut(None, (32, 32)))[0],
    )


@pytest.mark.attack("2")
def test_small_scans_are_worth_counting_too() -> None:
    """A picture of 64 pixels whose scans, each of a few bytes, would keep a decoder busy for minutes."""
    with pytest.raises(ImageError, match=r"JPEG of \d+ scans .*not decoded"):
        read_image(progressive(8, 1_000_000))


@pytest.mark.attack("2")
def test_the_coefficients_of_a_progressive_jpeg_count_as_memory() -> None:
    """6000×8500 pixels in full colour take 153 MB, and their coefficients 306 MB more."""
    stream = io.BytesIO()
    Image.new("RGB", (8500, 6000)).save(stream, "JPEG", progressive=True, subsampling=0)
    with pytest.raises(ImageError, match="announces 8500×6000 pixels"):
        read_image(stream.getvalue(), colour=True)
    assert read_image(stream.getvalue()).shape == (2891, MAX_SIDE)


@pytest.mark.fault("D29")
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_damaged_inside_is_reported(mode: str) -> None:
    stream = io.BytesIO()
    Image.fromarray(portrait()).convert(mode).save(stream, "JPEG")
    data = bytearray(stream.getvalue())
    data[len(data) // 2 : len(data) // 2 + 400] = b"\xff\xd9" * 200
    with pytest.raises(ImageError, match="damaged JPEG"):
        read_image(bytes(data))


@pytest.mark.fault("D12")
def test_a_photograph_of_fifty_megapixels_is_read_by_everybody() -> None:
    data = encoded(np.full((6144, 8160), 90, dtype=np.uint8), quality=50)
    assert read_image(data).shape == (3084, MAX_SIDE)
    _, (facts,) = read_images([Member("a/1.jpg", data)], Cut(None, (32, 32)))
    assert (facts.problem, facts.width, facts.height) == ("", 8160, 6144)


@pytest.mark.attack("2")
@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animated_picture_the_first_frame_alone_is_decoded(kind: str) -> None:
    """The frames behind it are cut off, which a decoder that looks at them reports."""
    rng = np.random.default_rng(0)
    first, *others = (Image.fromarray(rng.integers(0, 256, (40, 30, 3), dtype=np.uint8)) for _ in range(50))
    options = {"lossless": True} if kind == "WEBP" else {}
    alone, animated = io.BytesIO(), io.BytesIO()
    first.save(alone, kind, **options)
    first.save(animated, kind, save_all=True, append_images=others, **options)
    data = animated.getvalue()
    if kind == "GIF":
        data = data[: len(data) // 2]
    assert read_image(data).shape == (40, 30)
    np.testing.assert_array_equal(read_image(data), read_image(alone.getvalue()))


KINDS = [
    *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
    *(("PNG", mode) for mode in ("L", "LA", "RGB", "RGBA", "P", "I;16")),
    *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    *(("BMP", mode) for mode in ("L", "RGB")),
    *(("PPM", mode) for mode in ("L", "RGB")),
    ("GIF", "P"),
]


@st.composite
def image_files(draw: st.DrawFn) -> bytes:
    """An image file of any kind, mode, size and orientation."""
    kind, mode = draw(st.sampled_from(KINDS))
    height, width = draw(st.integers(2, 90)), draw(st.integers(2, 90))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    pixels = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    if mode == "I;16":
        image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(pixels).convert(mode)
    options = {}
    if kind in ("JPEG", "PNG", "WEBP"):
        options["exif"] = Image.Exif()
        options["exif"][274] = draw(st.integers(0, 9))
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.fault("D12")
@given(image_files(), st.sampled_from([None, (24, 20)]), st.sampled_from([(16, 12), (40, 40)]))
@settings(max_examples=150, deadline=None)
def test_the_network_sees_in_use_what_it_saw_in_training(
    data: bytes, crop: tuple[int, int] | None, size: tuple[int, int]
) -> None:
    stored, (facts,) = read_images([Member("a/1.jpg", data)], Cut(crop, size))
    picture = read_image(data)
    assert (facts.height, facts.width) == picture.shape
    if facts.problem:
        assert facts.problem == TOO_SMALL
        return
    np.testing.assert_array_equal(stored[0], Preprocess(size, crop).window(picture))
    assert read_image(data, colour=True).shape == (*picture.shape, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_kind_that_has_an_orientation_is_turned_alike(kind: str, orientation: int) -> None:
    picture = Image.fromarray(portrait()[:64, :48])
    exif = Image.Exif()
    exif[274] = orientation
    stored, plain = io.BytesIO(), io.BytesIO()
    picture.save(stored, kind, exif=exif)
    picture.save(plain, kind)
    turned = ImageOps.exif_transpose(_with_exif(read_image(plain.getvalue(), colour=True), exif))
    np.testing.assert_array_equal(read_image(stored.getvalue(), colour=True), np.asarray(turned))


def _with_exif(pixels: np.ndarray, exif: Image.Exif) -> Image.Image:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", exif=exif)
    return Image.open(io.BytesIO(stream.getvalue()))


@given(st.integers(1, 8))
def test_every_orientation_is_undone(orientation: int) -> None:
    picture = np.arange(6 * 9, dtype=np.uint8).reshape(6, 9)
    exif = Image.Exif()
    exif[274] = orientation
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(stream.getvalue())))
    np.testing.assert_array_equal(read_image(stream.getvalue()), np.asarray(upright))


REFUSED = {
    "empty": (b"", "is empty"),
    "too many bytes": (b"\xff\xd8\xff" + bytes(MAX_BYTES), "larger than 32 MB"),
    "10 000 x 10 000": (png_bomb(10_000, 10_000), "10000×10000"),
    "200 000 x 2 000": (png_bomb(200_000, 2_000), "far more pixels"),
    "truncated JPEG": (encoded(portrait())[:9000], "Premature end"),
    "truncated PNG": (encoded(portrait(), "PNG")[:9000], "or cut short"),
    "noise after a JPEG's first bytes": (b"\xff\xd8\xff" + bytes(range(256)) * 20, "or cut short"),
    "a web page": (b"<!doctype html><title>404</title>", "web page"),
    "a video": (b"\0\0\0\x18ftypisom" + bytes(100), "a video"),
    "TIFF": (b"II*\0" + bytes(100), "looks like TIFF"),
    "RIFF but no WebP": (b"RIFF\0\0\0\0WAVE" + bytes(100), "no image of a kind"),
    "one pixel": (encoded(np.zeros((1, 1), dtype=np.uint8), "PNG"), "1×1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_unusable_bytes_are_refused_in_a_sentence(case: str) -> None:
    data, said = REFUSED[case]
    with pytest.raises(ImageError, match=r"^photo (is|has|announces) ") as refusal:
        read_image(data, "photo")
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


HEIC = b"\0\0\0\x18ftypheic" + bytes(100)


def test_heic_is_read_where_its_decoder_is_installed() -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed: HEIC cannot be written")
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(portrait())).save(stream)
    read = read_image(stream.getvalue(), colour=True).astype(int)
    assert np.abs(read - portrait()).mean() < 4


def test_without_its_decoder_heic_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "reads_heic", lambda: False)
    with pytest.raises(ImageError, match=r"^photo is a HEIC picture: install .*pip install pillow-heif"):
        read_image(HEIC, "photo")
    assert not is_read("a/1.HEIC")
    assert is_read("a/1.avif")


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="No such file"):
        read_image(tmp_path / "absent.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)


def test_pixels_of_another_type_are_refused() -> None:
    with pytest.raises(ImageError, match="expected uint8 pixels"):
        read_image(np.zeros((8, 8), dtype=np.float32))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "PPM"])
def test_whatever_is_broken_in_a_file_it_is_an_image_error(kind: str) -> None:
    rng = np.random.default_rng(7)
    whole = encoded(portrait()[:64, :64], kind)
    refused = 0
    for trial in range(200):
        broken = np.frombuffer(whole, dtype=np.uint8).copy()
        places = rng.integers(12, min(200, len(broken)) if trial % 2 else len(broken), 8)
        broken[places] = rng.integers(0, 256, 8)
        try:
            read_image(broken.tobytes())
        except ImageError:
            refused += 1
    assert refused > 0


BOMBS = {
    "160 MB of pixels": png_bomb(40_000, 4_000),
    "a chunk of 2 GB in 45 bytes": png_bomb(8, 8)[:33] + b"\x7f\xff\xff\xffIDAT\0\0\0\0",
    "a frame behind fill bytes": jpeg_behind_fill_bytes(32_000, 32_000),
}


@pytest.mark.attack("2")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_no_memory(bomb: str) -> None:
    """The process that refuses it may not grow by 20 MB; in use and at ingest, which read by the same code."""
    program = (
        "import resource, sys\n"
        "from likeness.errors import ImageError\n"
        "from likeness.images import read_image\n"
        "data = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    read_image(data)\n"
        "    sys.exit('it was read')\n"
        "except ImageError:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, input=BOMBS[bomb], capture_output=True, check=True)
    assert int(done.stdout) < 20_000  # KiB
