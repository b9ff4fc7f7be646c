"""Semi-hard triplets."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from likeness.training.losses.miners.miner import MINERS, Miner, Triplets


@MINERS.register("semi-hard")
class SemiHard(Miner):
    """All triplets with the negative farther than the positive, but within the margin (Schroff et al. 2015)."""

    def __init__(self, distance: Any) -> None:
        super().__init__(distance)
        from pytorch_metric_learning.miners import TripletMarginMiner

        self.miner = TripletMarginMiner(type_of_triplets="semihard", distance=distance)

    def __call__(self, points: Tensor, labels: Tensor, margin: float) -> Triplets:
        """See `Miner`."""
        self.miner.margin = margin
        found: Triplets = self.miner(points, labels)
        return found
