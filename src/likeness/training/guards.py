"""Names what has gone wrong with a training whose numbers no longer mean anything."""

from __future__ import annotations

from likeness.errors import CollapseError

_COLLAPSED = 1e-3  # spread of embeddings: angles of a twentieth of a degree
_OF_START = 0.05  # networks whose embeddings hardly differ at first (koch-2015) have not collapsed


def check_collapse(spread: float, at_start: float, epoch: int, loss: float, formula: str) -> None:
    """Stops a training whose embeddings have all become the same point.

    Args:
        spread: of the held-out embeddings now, see `likeness.training.holdout.spread`.
        at_start: before the first step.
        epoch: counted from 1.
        loss: mean training loss of the epoch, which then sits at the margin.
        formula: of the loss.

    Raises:
        CollapseError: they have.
    """
    if spread < _COLLAPSED and spread < _OF_START * at_start:
        raise CollapseError(
            f"all embeddings have become the same point by epoch {epoch}: their spread fell from {at_start:.2g} "
            f"to {spread:.2g}, and the training loss sits at {loss:.4g} = {formula}. Lower train.learning_rate, "
            "let the margin rise (train.loss.margin_start), begin with random triplets (train.loss.easy_until), "
            "or put embeddings on the unit sphere (model.normalise)"
        )
