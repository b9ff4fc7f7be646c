"""Binary cross-entropy over pairs: listed ones, or all pairs of a batch where identities are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from likeness.models.siamese import Siamese
from likeness.params import Range
from likeness.training.batches import Batch
from likeness.training.losses.objective import LOSSES, Loss, LossParams, Objective
from likeness.training.losses.pair_mean import balance_note, pair_mean, share


@dataclass(frozen=True)
class BinaryCrossEntropyParams(LossParams):
    """Parameters of binary cross-entropy.

    Attributes:
        scale: initial factor of a score that is no logit.
        balanced: same and different pairs weigh one half each in every batch, whatever their numbers.
    """

    scale: Annotated[float, Range(above=0)] = 10.0
    balanced: bool = False


@LOSSES.register("bce", BinaryCrossEntropyParams)
class BinaryCrossEntropy(Objective):
    """Cross-entropy of P(same) = sigmoid(logit), the loss of Koch et al. 2015.

    With the comparator weighted-l1 the score is the logit. Any other score s becomes one by a learnt scale and
    threshold: scale · (s − threshold).

    Args:
        siamese: says whether scores are logits.
        scale: initial scale.
        balanced: see `pair_mean`.
    """

    over_pairs = True
    trains = "score"

    def __init__(self, siamese: Siamese, scale: float, balanced: bool) -> None:
        super().__init__()
        self.balanced = balanced
        is_logit = siamese.comparator.is_logit
        self.scale = None if is_logit else nn.Parameter(torch.tensor(scale))
        self.threshold = None if is_logit else nn.Parameter(torch.tensor(0.0))

    @classmethod
    def build(cls, params: Any, siamese: Siamese, people: int) -> Self:
        """See `Objective.build`."""
        return cls(siamese, params.scale, params.balanced)

    @property
    def formula(self) -> str:
        """Binary cross-entropy, and what the logit is."""
        logit = "w·|x₁ − x₂| + b" if self.scale is None else "a·(score − t), a and t learnt"
        return f"−y·log σ(z) − (1 − y)·log(1 − σ(z)), z = {logit}" + balance_note(self.balanced)

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's pairs; a decision is right on its side of P = 1/2."""
        first, second, same = batch.pairs
        logits = siamese.score(embeddings[first], embeddings[second])
        if self.scale is not None and self.threshold is not None:
            logits = self.scale * (logits - self.threshold)
        losses = functional.binary_cross_entropy_with_logits(logits, same.to(logits.dtype), reduction="none")
        return Loss(pair_mean(losses, same, self.balanced), share((logits > 0) == same))
