"""The contrastive loss over pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import torch
from torch import Tensor
from torch.nn import functional

from likeness.models.siamese import Siamese
from likeness.training.batches import Batch
from likeness.training.losses.objective import LOSSES, Loss, Objective
from likeness.training.losses.pair_mean import balance_note, pair_mean, share
from likeness.training.losses.ramp import MarginParams, Ramp

Form = Literal["lecture", "hadsell"]


@dataclass(frozen=True)
class ContrastiveParams(MarginParams):
    """Parameters of the contrastive loss, beside its margin.

    Attributes:
        form: y·d² + (1−y)·max(0, m² − d²) (lecture) or y·d² + (1−y)·max(0, m − d)² (hadsell).
        balanced: same and different pairs weigh one half each in every batch, whatever their numbers.
    """

    form: Form = "hadsell"
    balanced: bool = False


@LOSSES.register("contrastive", ContrastiveParams)
class Contrastive(Objective):
    """Pulls same pairs together and pushes different ones out to a margin m.

    lecture: y·d² + (1 − y)·max(0, m² − d²); hadsell: y·d² + (1 − y)·max(0, m − d)² (Hadsell, Chopra and LeCun
    2006, "Dimensionality reduction by learning an invariant mapping", their factor ½ left out).

    Args:
        form: which of the two.
        margin: m.
        balanced: see `pair_mean`.
    """

    over_pairs = True
    trains = "distance"

    def __init__(self, form: Form, margin: Ramp, balanced: bool) -> None:
        super().__init__()
        self.form, self.margin, self.balanced = form, margin, balanced

    @classmethod
    def build(cls, params: Any, siamese: Siamese, people: int) -> Self:
        """See `Objective.build`."""
        return cls(params.form, params.ramp, params.balanced)

    @property
    def formula(self) -> str:
        """The form chosen."""
        far = "max(0, m² − d²)" if self.form == "lecture" else "max(0, m − d)²"
        return f"y·d² + (1 − y)·{far}, m = {self.margin}" + balance_note(self.balanced)

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's pairs; a decision is right on its side of d = m/2."""
        first, second, same = batch.pairs
        points = siamese.comparator.metric_space(embeddings)
        squared = (points[first] - points[second]).square().sum(dim=-1)
        margin = self.margin(progress)
        if self.form == "lecture":
            apart = functional.relu(margin**2 - squared)
        else:
            apart = functional.relu(margin - _root(squared)).square()
        loss = pair_mean(torch.where(same, squared, apart), same, self.balanced)
        return Loss(loss, share((squared < (margin / 2) ** 2) == same))


def _root(squared: Tensor) -> Tensor:
    """Square root with gradient 0 at 0, where two embeddings are one point and no direction leads apart."""
    positive = squared > 0
    return torch.where(positive, torch.where(positive, squared, 1.0).sqrt(), 0.0)
