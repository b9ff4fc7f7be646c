"""The triplet loss, and the curriculum from easy triplets to mined ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self

from torch import Tensor

from likeness.models.siamese import Siamese
from likeness.params import Range
from likeness.training.batches import Batch
from likeness.training.losses.miners.miner import MINERS
from likeness.training.losses.objective import LOSSES, Loss, Objective, labels_of
from likeness.training.losses.ramp import MarginParams, Ramp


@dataclass(frozen=True)
class TripletParams(MarginParams):
    """Parameters of the triplet loss; its margin is a squared distance.

    Attributes:
        miner: name of the miner that picks the triplets of a batch.
        easy_until: share of the training with random triplets, before the miner takes over.
    """

    margin: Annotated[float, Range(low=0)] = 0.2
    miner: str = "semi-hard"
    easy_until: Annotated[float, Range(0, 1)] = 0.0

    def __post_init__(self) -> None:
        MINERS.part(self.miner)


@LOSSES.register("triplet", TripletParams)
class Triplet(Objective):
    """Wants d(A, P)² − d(A, N)² + m < 0: mean of max(0, d(A, P)² − d(A, N)² + m) over the triplets that are not.

    Schroff, Kalenichenko and Philbin 2015, "FaceNet". Of the O(n³) triplets nearly all are soon without a loss;
    the miner picks those that teach. Mining from the first step on makes an untrained network collapse (every
    embedding the same point, the loss at m), hence a share of the training with random triplets before.

    Args:
        miner: name of the miner that picks the triplets of a batch.
        margin: m, in squared distance.
        easy_until: share of the training with random triplets before `miner` takes over.
    """

    trains = "distance"

    def __init__(self, miner: str, margin: Ramp, easy_until: float) -> None:
        super().__init__()
        from pytorch_metric_learning.distances import LpDistance
        from pytorch_metric_learning.losses import TripletMarginLoss

        # Embeddings stay as the network gives them: the unit sphere is the model's affair.
        distance = LpDistance(normalize_embeddings=False, p=2, power=2)
        self.loss = TripletMarginLoss(margin.end, distance=distance)
        self.mine, self.mine_easy = MINERS.part(miner)(distance), MINERS.part("random")(distance)
        self.miner, self.margin, self.easy_until = miner, margin, easy_until

    @classmethod
    def build(cls, params: Any, siamese: Siamese, people: int) -> Self:
        """See `Objective.build`."""
        return cls(params.miner, params.ramp, params.easy_until)

    @property
    def formula(self) -> str:
        """The hinge, its margin and who picks the triplets."""
        easy = f"random triplets over the first {self.easy_until:.0%}, then " if self.easy_until else ""
        return f"max(0, d(A,P)² − d(A,N)² + m), m = {self.margin}, {easy}{self.miner} triplets"

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the triplets with a loss, 0 where there is none."""
        labels = labels_of(batch)
        points = siamese.comparator.metric_space(embeddings)
        self.loss.margin = self.margin(progress)
        miner = self.mine_easy if progress < self.easy_until else self.mine
        triplets = miner(points.detach(), labels, self.loss.margin)
        # A batch without a triplet must still give a loss that depends on the network.
        return Loss(self.loss(points, labels, triplets) + 0 * points.sum())
