"""The triplet loss, its miners, and the curriculum from easy triplets to mined ones."""

from __future__ import annotations

import torch
from torch import Tensor

from likeness.models.siamese import Siamese
from likeness.training.batches import Batch
from likeness.training.losses.objective import Loss, Objective, labels_of, metric_space
from likeness.training.losses.params import Miner, Ramp

Triplets = tuple[Tensor, Tensor, Tensor]
"""Positions in the batch, int64 [T] each: anchors, positives, negatives."""


class Triplet(Objective):
    """Wants d(A, P)² − d(A, N)² + m < 0: mean of max(0, d(A, P)² − d(A, N)² + m) over the triplets that are not.

    Schroff, Kalenichenko and Philbin 2015, "FaceNet". Of the O(n³) triplets nearly all are soon without a loss;
    the miner picks those that teach. Mining from the first step on makes an untrained network collapse (every
    embedding the same point, the loss at m), hence a share of the training with random triplets before.

    Args:
        miner: random: every (anchor, positive) with any negative. semi-hard: all with the negative farther than
            the positive, but within the margin. batch-hard: of each anchor the farthest positive with the nearest
            negative (Hermans, Beyer and Leibe 2017).
        margin: m, in squared distance.
        easy_until: share of the training with random triplets before `miner` takes over.
    """

    def __init__(self, miner: Miner, margin: Ramp, easy_until: float) -> None:
        super().__init__()
        from pytorch_metric_learning.distances import LpDistance
        from pytorch_metric_learning.losses import TripletMarginLoss
        from pytorch_metric_learning.miners import BatchHardMiner, TripletMarginMiner

        # Embeddings stay as the network gives them: the unit sphere is the model's affair.
        distance = LpDistance(normalize_embeddings=False, p=2, power=2)
        self.loss = TripletMarginLoss(margin.end, distance=distance)
        self.semi_hard = TripletMarginMiner(margin.end, type_of_triplets="semihard", distance=distance)
        self.batch_hard = BatchHardMiner(distance=distance)
        self.miner, self.margin, self.easy_until = miner, margin, easy_until

    @property
    def formula(self) -> str:
        """The hinge, its margin and who picks the triplets."""
        easy = f"random triplets over the first {self.easy_until:.0%}, then " if self.easy_until else ""
        return f"max(0, d(A,P)² − d(A,N)² + m), m = {self.margin}, {easy}{self.miner} triplets"

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the triplets with a loss, 0 where there is none."""
        labels = labels_of(batch)
        points = metric_space(siamese, embeddings)
        self.loss.margin = self.semi_hard.margin = self.margin(progress)
        triplets = self._mined(points.detach(), labels, "random" if progress < self.easy_until else self.miner)
        # A batch without a triplet must still give a loss that hangs on the network.
        return Loss(self.loss(points, labels, triplets) + 0 * points.sum())

    def _mined(self, points: Tensor, labels: Tensor, miner: Miner) -> Triplets:
        match miner:
            case "random":
                return random_triplets(labels)
            case "semi-hard":
                found: Triplets = self.semi_hard(points, labels)
            case "batch-hard":
                found = self.batch_hard(points, labels)
        return found


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
