"""The hardest triplets of a batch."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from likeness.training.losses.miners.miner import MINERS, Miner, Triplets


@MINERS.register("batch-hard")
class BatchHard(Miner):
    """Of each anchor the farthest positive with the nearest negative (Hermans, Beyer and Leibe 2017)."""

    def __init__(self, distance: Any) -> None:
        super().__init__(distance)
        from pytorch_metric_learning.miners import BatchHardMiner

        self.miner = BatchHardMiner(distance=distance)

    def __call__(self, points: Tensor, labels: Tensor, margin: float) -> Triplets:
        """See `Miner`."""
        found: Triplets = self.miner(points, labels)
        return found
