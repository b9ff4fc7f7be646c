"""The sheet of photographs beside the list of errors."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from likeness.reporting.sections.explore import _sheet
from likeness.reporting.sections.faces import contact_sheet


@pytest.mark.parametrize("colour", [(), (3,)])
def test_photographs_keep_their_colours(colour: tuple[int, ...]) -> None:
    faces = np.zeros((2, 80, 64, *colour), np.uint8)
    faces[0, ..., :1] = 200
    faces[0] = faces[0] if colour else 200
    expected = (200, 0, 0) if colour else 200
    sheet = Image.open(io.BytesIO(_sheet(faces, (38, 48))))
    np.testing.assert_allclose(sheet.getpixel((10, 20)), expected, atol=4)
    assert Image.open(io.BytesIO(contact_sheet(faces, columns=2))).getpixel((10, 20)) == expected
