"""The multi-similarity loss, over the cosines of all images of a batch."""

from __future__ import annotations

from torch import Tensor

from likeness.models.siamese import Siamese
from likeness.training.batches import Batch
from likeness.training.losses.objective import LOSSES, Loss, LossParams, Objective, labels_of


@LOSSES.register("multi-similarity", LossParams)
class MultiSimilarity(Objective):
    """Weighs pairs by their own and by their neighbours' similarity, over pairs mined within 0.1 of the hardest.

    Wang et al. 2019, "Multi-similarity loss with general pair weighting for deep metric learning", with that
    paper's α = 2, β = 50, λ = 0.5 and ε = 0.1.
    """

    def __init__(self) -> None:
        super().__init__()
        from pytorch_metric_learning.losses import MultiSimilarityLoss
        from pytorch_metric_learning.miners import MultiSimilarityMiner

        self.loss = MultiSimilarityLoss(alpha=2, beta=50, base=0.5)
        self.miner = MultiSimilarityMiner(epsilon=0.1)

    @property
    def formula(self) -> str:
        """The two soft maxima."""
        return (
            "½·log(1 + Σ₊ exp(−2(cos − ½))) + 1/50·log(1 + Σ₋ exp(50(cos − ½))), pairs within 0.1 of the hardest"
        )

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's images."""
        labels = labels_of(batch)
        mined = self.miner(embeddings.detach(), labels)
        return Loss(self.loss(embeddings, labels, mined) + 0 * embeddings.sum())
