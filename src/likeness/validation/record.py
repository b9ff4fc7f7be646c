"""Asks the record of a validation whether the next stage may build on a face set."""

from __future__ import annotations

from pathlib import Path

from likeness.artifacts.validation_record import VALIDATION
from likeness.data.faceset import FaceSet
from likeness.errors import DataError, ValidationFailedError


def require_valid(faces: FaceSet, validation: Path) -> None:
    """Refuses faces that failed their validation or that the record does not speak of.

    Raises:
        DataError: there is no record, or it speaks of other faces.
        ValidationFailedError: a critical expectation failed.
    """
    record = VALIDATION.read(validation)
    if record.source.fingerprint != faces.source.fingerprint:
        raise DataError(f"{validation}: speaks of other faces than these; run the validate stage again")
    if not record.success:
        raise ValidationFailedError(
            f"{validation}: a critical expectation over these faces failed; see the docs beside it"
        )
