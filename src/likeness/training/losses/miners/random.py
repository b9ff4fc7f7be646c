"""Random triplets."""

from __future__ import annotations

import torch
from torch import Tensor

from likeness.training.losses.miners.miner import MINERS, Miner, Triplets


@MINERS.register("random")
class Random(Miner):
    """Every (anchor, positive) with any negative."""

    def __call__(self, points: Tensor, labels: Tensor, margin: float) -> Triplets:
        """See `random_triplets`."""
        return random_triplets(labels)


def random_triplets(labels: Tensor) -> Triplets:
    """Each (anchor, positive) of the batch with one negative, every negative as likely.

    Drawn with torch's current random state, which the training loop sets from (seed, epoch, step).

    Args:
        labels: person of each image, int64 [U].
    """
    same = labels[:, None] == labels[None, :]
    paired = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    anchors, positives = torch.nonzero(paired & ~same.all(dim=1, keepdim=True), as_tuple=True)
    lots = torch.rand(len(anchors), len(labels), device=labels.device)
    negatives = lots.masked_fill(same[anchors], -1.0).argmax(dim=1)
    return anchors, positives, negatives
