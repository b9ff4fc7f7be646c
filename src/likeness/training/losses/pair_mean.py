"""The mean over pairs, and what the losses over pairs share."""

from __future__ import annotations

from torch import Tensor


def pair_mean(losses: Tensor, same: Tensor, balanced: bool) -> Tensor:
    """Mean of the losses [P] of pairs; if balanced, the mean of the two means over same and different pairs.

    Verification is measured on as many same as different pairs, while a batch of many people holds almost only
    different ones; weighing the two kinds alike estimates the loss of verification without bias.
    """
    if not balanced:
        return losses.mean()
    return (_masked_mean(losses, same) + _masked_mean(losses, ~same)) / 2


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the chosen values, 0 of none; without boolean indexing, which would make a GPU wait."""
    return (values * mask).sum() / mask.sum().clamp(min=1)


def share(right: Tensor) -> Tensor:
    """Share of the decisions that are right."""
    return right.float().mean()


def balance_note(balanced: bool) -> str:
    """The end of a formula that names `pair_mean`."""
    return ", same and different pairs weighing one half each" if balanced else ""
