"""Drawn faces are the same, byte for byte, on processors with other vector units."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from drawnfaces import exact

# Of the JPEG files of 8 people with 2 photographs each, with the versions of requirements.lock.
DIGEST = "7a8c5965d169ac3c808da2f02d184f870373e92d97888f196e891cfa8e2388bd"
DRAW = """
import hashlib
from drawnfaces.portrait import draw_photographs
images = draw_photographs(0, [(person, 2) for person in range(8)])
print(hashlib.sha256(b"".join(images)).hexdigest())
"""
PROCESSORS = {
    "this one": {},
    "NumPy without AVX-512": {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
    "NumPy with SSE4 alone": {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"},
    "OpenCV with SSE3 alone": {"OPENCV_CPU_DISABLE": "AVX512-ICL,AVX512-SKX,AVX2,FMA3,AVX,SSE4.2,SSE4.1"},
}


@pytest.mark.parametrize("processor", PROCESSORS)
def test_a_photograph_is_the_same_on_every_processor(processor: str) -> None:
    environ = os.environ | PROCESSORS[processor]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DRAW], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == DIGEST


def test_functions_equal_their_definitions_to_the_last_bit_of_float32() -> None:
    x = np.linspace(0.01, 3.0, 500, dtype=np.float32)
    wide = x.astype(np.float64)
    for found, expected in (
        (exact.exp(-x), np.exp(-wide)),
        (exact.sin(30 * x), np.sin((30 * x).astype(np.float64))),
        (exact.power(x, 0.7), wide**0.7),
        (exact.arctan2(x, x[::-1].copy()), np.arctan2(wide, wide[::-1])),
    ):
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected.astype(np.float32))


def test_a_rotation_multiplies_each_vector_by_the_matrix() -> None:
    matrix = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    vectors = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    np.testing.assert_array_equal(exact.rotate(matrix, vectors), vectors @ matrix.T)
