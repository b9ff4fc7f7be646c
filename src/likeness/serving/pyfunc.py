"""The verifier behind `mlflow models serve`: two photographs in base64 in, same or different out.

MLmodel names this module as its loader, so that loading a version reads safetensors and a card and runs no code
that came with them. Every row of a request is answered on its own: a photograph that cannot be used is an
`error` in its row, never a failed request.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import pandas as pd

from likeness.errors import ImageError, LikenessError
from likeness.images import MAX_BYTES
from likeness.serving.verifier import Verifier

COLUMNS = ("first", "second")
_MAX_LETTERS = 4 * (MAX_BYTES // 3 + 1)  # base64 writes 3 bytes in 4 letters
_URL_SAFE = str.maketrans("-_", "+/")
_ANSWER = ("same", "probability", "score", "threshold", "fmr", "words", "error")


class PairVerifier:
    """What MLflow calls `predict` of.

    Args:
        verifier: the loaded model.
    """

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Verifies pairs of photographs.

        Args:
            model_input: columns `first` and `second`, each a photograph's file in base64.
            params: `aligned` (bool, the pictures are framed like LFW's), `fmr` (decide at this
                false match rate; 0 for the threshold with the fewest errors), and until 1.0 its former name `far`.

        Returns:
            One row a pair: same, probability, score, threshold, fmr, words, and error (None where
            all is well; else the other values are None).

        Raises:
            LikenessError: a column is missing, or the false match rate is beyond the model's card.
        """
        absent = [name for name in COLUMNS if name not in model_input]
        if absent:
            raise LikenessError(
                f"expected columns first and second with photographs in base64; missing: {', '.join(absent)}"
            )
        options = params or {}
        fmr = options.get("fmr") or options.get("far") or None  # deprecated: far
        rows = [
            self._row(first, second, bool(options.get("aligned", False)), fmr)
            for first, second in zip(model_input["first"], model_input["second"], strict=True)
        ]
        return pd.DataFrame(rows, columns=list(_ANSWER)).astype(object).where(lambda frame: frame.notna(), None)

    def _row(self, first: object, second: object, aligned: bool, fmr: float | None) -> dict[str, Any]:
        try:
            photos = _decoded(first, "first"), _decoded(second, "second")
            found = self._verifier.verify(*photos, aligned=aligned, fmr=fmr)
        except ImageError as error:
            return {"error": str(error)}
        return {
            "same": found.same,
            "probability": found.probability,
            "score": found.score,
            "threshold": found.threshold,
            "fmr": found.fmr,
            "words": found.words,
        }


def _decoded(value: object, column: str) -> bytes:
    """The bytes of a photograph in base64, in any of its usual forms.

    Taken are lines of any length (RFC 2045), a data URI (RFC 2397), the URL-safe alphabet (RFC 4648, section 5)
    and padding that is left out.

    Raises:
        ImageError: the value is missing, is no base64, or holds more bytes than a photograph may have.
    """
    if value is None or value is pd.NA or value != value or value == "":  # NaN differs from itself
        raise ImageError(f"{column}: the photograph is missing; expected its file in base64")
    text = "".join((value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)).split())
    if text[:5].lower() == "data:":
        kind, _, text = text.partition(",")
        if not kind.lower().endswith(";base64"):
            raise ImageError(f"{column}: expected a data URI in base64, found {kind[:40]!r}")
    if len(text) > _MAX_LETTERS:
        raise ImageError(
            f"{column}: the photograph is larger than {MAX_BYTES >> 20} MB, the most that is read; save it smaller"
        )
    text = text.translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ImageError(f"{column}: expected a photograph's file in base64, found something else") from None


def _load_pyfunc(path: str) -> PairVerifier:
    """Called by MLflow with the folder that holds weights and card."""
    return PairVerifier(Verifier.load(path))
