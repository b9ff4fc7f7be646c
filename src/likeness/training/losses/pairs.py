"""Losses over pairs: listed ones, or all pairs of a batch where identities are known."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from likeness.models.comparators import WeightedL1
from likeness.models.siamese import Siamese
from likeness.training.batches import Batch
from likeness.training.losses.objective import Loss, Objective, metric_space
from likeness.training.losses.params import Form, Ramp


class BinaryCrossEntropy(Objective):
    """Cross-entropy of P(same) = sigmoid(logit), the loss of Koch et al. 2015.

    With the comparator weighted-l1 the score is the logit. Any other score s becomes one by a learnt scale and
    threshold: scale · (s − threshold).

    Args:
        siamese: tells whether scores are logits.
        scale: initial scale.
        balanced: see `pair_mean`.
    """

    def __init__(self, siamese: Siamese, scale: float, balanced: bool) -> None:
        super().__init__()
        self.balanced = balanced
        is_logit = isinstance(siamese.comparator, WeightedL1)
        self.scale = None if is_logit else nn.Parameter(torch.tensor(scale))
        self.threshold = None if is_logit else nn.Parameter(torch.tensor(0.0))

    @property
    def formula(self) -> str:
        """Binary cross-entropy, and what the logit is."""
        logit = "w·|x₁ − x₂| + b" if self.scale is None else "a·(score − t), a and t learnt"
        return f"−y·log σ(z) − (1 − y)·log(1 − σ(z)), z = {logit}" + _balance(self.balanced)

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's pairs; a decision is right on its side of P = 1/2."""
        first, second, same = batch.pairs
        logits = siamese.score(embeddings[first], embeddings[second])
        if self.scale is not None and self.threshold is not None:
            logits = self.scale * (logits - self.threshold)
        losses = functional.binary_cross_entropy_with_logits(logits, same.to(logits.dtype), reduction="none")
        return Loss(pair_mean(losses, same, self.balanced), _share((logits > 0) == same))


class Contrastive(Objective):
    """Pulls same pairs together and pushes different ones out to a margin m.

    lecture: y·d² + (1 − y)·max(0, m² − d²); hadsell: y·d² + (1 − y)·max(0, m − d)² (Hadsell, Chopra and LeCun
    2006, "Dimensionality reduction by learning an invariant mapping", their factor ½ left out).

    Args:
        form: which of the two.
        margin: m.
        balanced: see `pair_mean`.
    """

    def __init__(self, form: Form, margin: Ramp, balanced: bool) -> None:
        super().__init__()
        self.form, self.margin, self.balanced = form, margin, balanced

    @property
    def formula(self) -> str:
        """The form chosen."""
        far = "max(0, m² − d²)" if self.form == "lecture" else "max(0, m − d)²"
        return f"y·d² + (1 − y)·{far}, m = {self.margin}" + _balance(self.balanced)

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's pairs; a decision is right on its side of d = m/2."""
        first, second, same = batch.pairs
        points = metric_space(siamese, embeddings)
        squared = (points[first] - points[second]).square().sum(dim=-1)
        margin = self.margin(progress)
        if self.form == "lecture":
            apart = functional.relu(margin**2 - squared)
        else:
            apart = functional.relu(margin - _root(squared)).square()
        loss = pair_mean(torch.where(same, squared, apart), same, self.balanced)
        return Loss(loss, _share((squared < (margin / 2) ** 2) == same))


class Multibatch(Objective):
    """All k² − k pairs of a batch of k images against one global threshold θ, learnt with the metric.

    max(0, m − y·(θ − d²)) with y = ±1 (Tadmor et al. 2016, "Learning a metric embedding for face recognition
    using the multibatch method"). The gradient over all pairs is unbiased, with a variance of order 1/k² where
    k/2 random pairs have 1/k. As d is symmetric, the unordered pairs have the same mean.

    Args:
        margin: m, 1 in the paper.
        threshold: θ at the start.
        balanced: see `pair_mean`; without it different pairs, the vast majority, decide alone.
    """

    def __init__(self, margin: float, threshold: float, balanced: bool) -> None:
        super().__init__()
        self.margin, self.balanced = margin, balanced
        self.threshold = nn.Parameter(torch.tensor(threshold))

    @property
    def formula(self) -> str:
        """The hinge with its margin."""
        return f"max(0, {self.margin:g} − y·(θ − d²)), y = ±1, θ learnt, all k² − k pairs" + _balance(
            self.balanced
        )

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's pairs; a decision is right on its side of θ."""
        first, second, same = batch.pairs
        points = metric_space(siamese, embeddings)
        room = self.threshold - (points[first] - points[second]).square().sum(dim=-1)
        losses = functional.relu(self.margin - torch.where(same, room, -room))
        return Loss(pair_mean(losses, same, self.balanced), _share((room > 0) == same))


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


def _root(squared: Tensor) -> Tensor:
    """Square root with gradient 0 at 0, where two embeddings are one point and no direction leads apart."""
    positive = squared > 0
    return torch.where(positive, torch.where(positive, squared, 1.0).sqrt(), 0.0)


def _share(right: Tensor) -> Tensor:
    return right.float().mean()


def _balance(balanced: bool) -> str:
    return ", same and different pairs weighing one half each" if balanced else ""
