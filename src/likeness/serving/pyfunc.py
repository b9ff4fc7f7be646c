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
_ANSWER = ("same", "probability", "score", "threshold", "false_accept_rate", "words", "error")


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
            params: `aligned` (bool, the pictures are framed like LFW's), `far` (decide at this
                false-accept rate; 0 for the threshold with the fewest errors).

        Returns:
            One row a pair: same, probability, score, threshold, false_accept_rate, words, and error (None where
            all is well; else the other values are None).

        Raises:
            LikenessError: a column is missing, or the false-accept rate is beyond the model's card.
        """
        absent = [name for name in COLUMNS if name not in model_input]
        if absent:
            raise LikenessError(
                f"expected columns first and second with photographs in base64; missing: {', '.join(absent)}"
            )
        options = params or {}
        rows = [
            self._row(first, second, bool(options.get("aligned", False)), options.get("far") or None)
            for first, second in zip(model_input["first"], model_input["second"], strict=True)
        ]
        return pd.DataFrame(rows, columns=list(_ANSWER)).astype(object).where(lambda frame: frame.notna(), None)

    def _row(self, first: str, second: str, aligned: bool, far: float | None) -> dict[str, Any]:
        try:
            found = self._verifier.verify(_decoded(first), _decoded(second), aligned=aligned, far=far)
        except ImageError as error:
            return {"error": str(error)}
        return {
            "same": found.same,
            "probability": found.probability,
            "score": found.score,
            "threshold": found.threshold,
            "false_accept_rate": found.far,
            "words": found.words,
        }


def _decoded(text: object) -> bytes:
    written = str(text)
    if len(written) > _MAX_LETTERS:
        raise ImageError(
            f"the photograph is larger than {MAX_BYTES >> 20} MB, the most that is read; save it smaller"
        )
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        raise ImageError("expected a photograph's file in base64, found something else") from None


def _load_pyfunc(path: str) -> PairVerifier:
    """Called by MLflow with the folder that holds weights and card."""
    return PairVerifier(Verifier.load(path))
