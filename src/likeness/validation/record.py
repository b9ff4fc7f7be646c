"""The record of a validation, as the next stage asks for it."""

from __future__ import annotations

from pathlib import Path

from likeness.data.faceset import FaceSet
from likeness.errors import DataError, ValidationFailedError
from likeness.files import read_json


def require_valid(faces: FaceSet, validation: Path) -> None:
    """Refuses faces that failed their validation or that the record does not speak of.

    Raises:
        DataError: there is no record, or it speaks of other faces.
        ValidationFailedError: a critical expectation failed.
    """
    try:
        record = read_json(validation)
        success, fingerprint = record["success"], record["source"]["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{validation}: is no record of the validate stage ({error!r}); run that first") from error
    if fingerprint != faces.source.fingerprint:
        raise DataError(f"{validation}: speaks of other faces than these; run the validate stage again")
    if not success:
        raise ValidationFailedError(
            f"{validation}: a critical expectation over these faces failed; see the docs beside it"
        )
