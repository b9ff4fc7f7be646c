"""The supervised contrastive loss, over the cosines of all images of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self

from torch import Tensor

from likeness.models.siamese import Siamese
from likeness.params import Range
from likeness.training.batches import Batch
from likeness.training.losses.objective import LOSSES, Loss, LossParams, Objective, labels_of


@dataclass(frozen=True)
class SupervisedContrastiveParams(LossParams):
    """Parameters of the supervised contrastive loss.

    Attributes:
        temperature: τ.
    """

    temperature: Annotated[float, Range(above=0)] = 0.1


@LOSSES.register("supcon", SupervisedContrastiveParams)
class SupervisedContrastive(Objective):
    """−log of the share of exp(cos/τ) that falls on a person's other photographs, averaged over them.

    Khosla et al. 2020, "Supervised contrastive learning", L_out. Images without a partner in the batch are no
    anchors, but everybody's negatives.

    Args:
        temperature: τ.
    """

    def __init__(self, temperature: float) -> None:
        super().__init__()
        from pytorch_metric_learning.losses import SupConLoss

        self.temperature = temperature
        self.loss = SupConLoss(temperature)

    @classmethod
    def build(cls, params: Any, siamese: Siamese, people: int) -> Self:
        """See `Objective.build`."""
        return cls(params.temperature)

    @property
    def formula(self) -> str:
        """The share and its temperature."""
        return f"mean over positives p of −log(exp(cos(a,p)/τ) / Σ exp(cos(a,·)/τ)), τ = {self.temperature:g}"

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the anchors."""
        return Loss(self.loss(embeddings, labels_of(batch)) + 0 * embeddings.sum())
