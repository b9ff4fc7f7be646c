"""Photographs in base64, as `mlflow models serve` is given them."""

from __future__ import annotations

import base64
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import ImageError
from likeness.serving.pyfunc import PairVerifier, _decoded, _load_pyfunc
from tests.serving.models import make_model
from tests.serving.pictures import encoded, portrait

PHOTO = encoded(portrait(), quality=90)
PLAIN = base64.b64encode(PHOTO).decode()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PairVerifier:
    folder = tmp_path_factory.mktemp("model")
    make_model(folder)
    return _load_pyfunc(str(folder))


FORMS = {
    "plain": PLAIN,
    "bytes": PLAIN.encode(),
    "lines of 76 letters": base64.encodebytes(PHOTO).decode(),
    "lines ended as on Windows": base64.encodebytes(PHOTO).decode().replace("\n", "\r\n"),
    "data URI": f"data:image/jpeg;base64,{PLAIN}",
    "data URI with a parameter": f"DATA:image/jpeg;name=a.jpg;base64,{PLAIN}",
    "URL-safe": base64.urlsafe_b64encode(PHOTO).decode(),
    "without padding": PLAIN.rstrip("="),
}
MISSING = {"None": None, "NaN": float("nan"), "NaN of numpy": np.nan, "NA of pandas": pd.NA, "empty": ""}
OTHER = {
    "not base64": "!!!",
    "a number": 12345,
    "a list": [PLAIN],
    "a data URI that is not in base64": "data:image/svg+xml,<svg/>",
    "no letters of ASCII": "ä" * 8,
    "base64 of text": base64.b64encode(b"no picture").decode(),
}


@pytest.mark.fault("D15")
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_base64_is_read(model: PairVerifier, form: str) -> None:
    row = model.predict(pd.DataFrame({"first": [FORMS[form]], "second": [PLAIN]}), {"aligned": True}).iloc[0]
    assert row["error"] is None
    assert row["same"]


def test_the_former_parameter_of_a_rate_is_read(model: PairVerifier) -> None:
    request = pd.DataFrame({"first": [PLAIN], "second": [PLAIN]})
    former_rate, rate = {"far": 0.001}, {"fmr": 0.001}
    former, present, neither = (
        model.predict(request, {"aligned": True, **options}).iloc[0] for options in (former_rate, rate, {})
    )
    assert former.to_dict() == present.to_dict()
    assert (present["fmr"], neither["threshold"] == present["threshold"]) == (0.001, False)


@pytest.mark.fault("D15")
@pytest.mark.parametrize("form", MISSING)
def test_a_value_that_is_missing_is_reported_as_such_in_its_row(model: PairVerifier, form: str) -> None:
    request = pd.DataFrame({"first": [PLAIN, PLAIN], "second": pd.Series([MISSING[form], PLAIN], dtype=object)})
    answers = model.predict(request, {"aligned": True})
    assert answers["error"][0] == "second: the photograph is missing; expected its file in base64"
    assert answers["error"][1] is None


@pytest.mark.fault("D15")
@pytest.mark.parametrize("form", OTHER)
def test_anything_else_is_an_error_of_its_row(model: PairVerifier, form: str) -> None:
    request = pd.DataFrame({"first": pd.Series([OTHER[form]], dtype=object), "second": [PLAIN]})
    row = model.predict(request, {"aligned": True}).iloc[0]
    assert row["same"] is None
    assert row["error"]


@pytest.mark.fault("D15")
@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=200), st.integers(1, 80), st.booleans(), st.booleans(), st.booleans())
def test_any_bytes_come_back(content: bytes, width: int, safe: bool, padded: bool, uri: bool) -> None:
    text = (base64.urlsafe_b64encode if safe else base64.b64encode)(content).decode()
    text = text if padded else text.rstrip("=")
    text = "\n".join(text[start : start + width] for start in range(0, len(text), width))
    assert _decoded(f"data:;base64,{text}" if uri else text, "first") == content


@pytest.mark.fault("D15")
@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60), st.floats(), st.none()))
def test_any_value_is_bytes_or_an_error(value: object) -> None:
    with suppress(ImageError):
        assert isinstance(_decoded(value, "first"), bytes)


@pytest.mark.fault("D15")
def test_a_photograph_that_is_too_large_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(ImageError, match="larger than"):
        _decoded("A" * (100 << 20), "first")


def test_the_packaged_loader_takes_a_folder(tmp_path: Path) -> None:
    make_model(tmp_path)
    assert isinstance(_load_pyfunc(str(tmp_path)), PairVerifier)
