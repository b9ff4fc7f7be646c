from __future__ import annotations

import errno
import resource
from pathlib import Path

import numpy as np
import pytest

from likeness.data.pixel_writer import PixelWriter, sort_rows


def random_rows(count: int, size: tuple[int, int] = (5, 7)) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, *size), dtype=np.uint8)


def test_rows_written_in_any_order_are_a_plain_npy(tmp_path: Path) -> None:
    rows = random_rows(12)
    with PixelWriter(tmp_path / "pixels.npy", (5, 7)) as writer:
        for start in (8, 0, 4):
            writer.write(start, rows[start : start + 4])
        writer.finish(12)
    assert np.array_equal(np.load(tmp_path / "pixels.npy"), rows)


def test_the_header_fits_any_number_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "pixels.npy"
    with PixelWriter(path, (105, 105)) as writer:
        writer.write(0, random_rows(1, (105, 105)))
        before = path.stat().st_size
        writer.finish(10**9)
    assert path.stat().st_size == before


def test_sorting_moves_each_row_to_its_place(tmp_path: Path) -> None:
    rows = random_rows(11)
    order = np.random.default_rng(0).permutation(11)
    np.save(tmp_path / "pixels.npy", rows)
    sort_rows(tmp_path / "pixels.npy", order)
    assert np.array_equal(np.load(tmp_path / "pixels.npy"), rows[order])
    assert [path.name for path in tmp_path.iterdir()] == ["pixels.npy"]


def test_rows_in_order_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pixels.npy"
    np.save(path, random_rows(3))
    before = path.stat().st_ino
    sort_rows(path, np.arange(3))
    assert path.stat().st_ino == before


def test_a_full_disk_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with PixelWriter(tmp_path / "pixels.npy", (5, 7)) as writer, pytest.raises(OSError) as caught:  # noqa: PT011
            writer.write(0, random_rows(100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
