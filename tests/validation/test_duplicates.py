from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.data.faceset import FaceSet
from likeness.validation.duplicates import SAME_HASH, copies, correlations, near_hashes
from tests.data.tiny import tiny_faceset


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.sets(st.integers(0, 63), max_size=12)), max_size=30),
    st.integers(0, 16),
)
def test_near_hashes_are_those_of_trying_every_pair(
    seeds: list[int], changes: list[tuple[int, set[int]]], radius: int
) -> None:
    flipped = [seeds[i % len(seeds)] ^ sum(1 << bit for bit in bits) for i, bits in changes if seeds]
    hashes = np.array(seeds + flipped, dtype=np.uint64)
    near = {
        (i, j)
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if int(hashes[i] ^ hashes[j]).bit_count() <= radius
    }
    found = near_hashes(hashes, radius)
    assert set(map(tuple, found.tolist())) == near
    assert len(found) == len(near)


def test_correlations_are_those_of_numpy() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 7), dtype=np.uint8)
    pixels[4] = 9
    pairs = np.array([[0, 1], [2, 3], [3, 3], [0, 4]])
    expected = [np.corrcoef(pixels[a].ravel(), pixels[b].ravel())[0, 1] for a, b in pairs[:3]]
    np.testing.assert_allclose(correlations(pixels, pairs), [*expected, 0.0], atol=1e-5)


def faces_with(folder: Path, phash: dict[int, str], sha256: dict[int, str], pixels: dict[int, int]) -> FaceSet:
    """Ann has rows 0 and 1, Bob 2, Cy 3 and 4; `pixels` copies rows, the others are of the manifest."""
    faces = tiny_faceset(folder, {"Ann": 2, "Bob": 1, "Cy": 2})
    stored = faces.pixels.copy()
    for row, original in pixels.items():
        stored[row] = stored[original]
    manifest = faces.manifest.copy()
    for column, values in {"phash": phash, "sha256": sha256}.items():
        for row, value in values.items():
            manifest.loc[row, column] = value
    return dataclasses.replace(faces, pixels=stored, manifest=manifest)


def test_a_copy_has_a_near_hash_and_the_same_pixels(tmp_path: Path) -> None:
    """Row 2 copies row 0; row 3 has a near hash but other pixels; row 4 the pixels but another hash."""
    hashes = {0: "00000000000000ff", 2: "00000000000000fc", 3: "00000000000000fe", 4: "ffffffffffffffff"}
    faces = faces_with(tmp_path / "faces", hashes, {}, {2: 0, 4: 0})
    found = copies(faces, 2, 0.9)
    assert found[["row", "twin", "distance"]].to_numpy().tolist() == [[2, 0, 2]]
    assert abs(found["correlation"].item() - 1) < 1e-5
    assert copies(faces, 1, 0.9).empty
    by_hash_alone = copies(faces, 2, -1.0)
    assert set(zip(by_hash_alone["row"], by_hash_alone["twin"], strict=True)) == {(2, 0), (3, 0), (3, 2)}


def test_files_of_one_content_are_copies_even_if_they_cannot_be_decoded(tmp_path: Path) -> None:
    blank = dict.fromkeys((1, 3, 4), "")
    faces = faces_with(tmp_path / "faces", blank, {1: "abc", 3: "abc", 4: "abc"}, {})
    found = copies(faces, 0, 0.9)
    assert found[["row", "twin", "distance"]].to_numpy().tolist() == [[3, 1, 0], [4, 1, 0]]


def test_thousands_of_blank_images_are_not_compared_with_each_other(tmp_path: Path) -> None:
    faces = tiny_faceset(tmp_path / "faces", {f"Person {i:04d}": 1 for i in range(3000)}, size=(2, 2))
    manifest = faces.manifest.assign(phash="8000000000000000")
    found = copies(dataclasses.replace(faces, manifest=manifest), 4, -1.0)
    assert len(found) == SAME_HASH * (SAME_HASH - 1) // 2
