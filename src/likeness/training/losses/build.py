"""From the loss sections of params.yaml to an objective, and the weighted sum of two."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from likeness.data.splits import Identities, TrainingData
from likeness.errors import ParamsError
from likeness.models.architecture import COMPARATORS
from likeness.models.siamese import Siamese
from likeness.training.batches import Batch
from likeness.training.losses.objective import LOSSES, Loss, LossParams, Objective


class WeightedSum(Objective):
    """Σ wᵢ·Lᵢ, such as ArcFace with supervised contrastive; its accuracy is that of the first loss that has one.

    Args:
        parts: weight and objective of each summand.
    """

    def __init__(self, parts: list[tuple[float, Objective]]) -> None:
        super().__init__()
        self.weights = [weight for weight, _ in parts]
        self.parts = nn.ModuleList(objective for _, objective in parts)

    @property
    def formula(self) -> str:
        """All summands with their weights."""
        terms = zip(self.weights, self.parts, strict=True)
        return " + ".join(f"{weight:g}·[{part.formula}]" for weight, part in terms)

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """The weighted sum of the summands' values."""
        losses: list[Loss] = [part(siamese, embeddings, batch, progress) for part in self.parts]
        total = torch.stack([w * loss.value for w, loss in zip(self.weights, losses, strict=True)]).sum()
        accuracies = [loss.accuracy for loss in losses if loss.accuracy is not None]
        return Loss(total, accuracies[0] if accuracies else None)


def build_objective(
    sections: list[LossParams], siamese: Siamese, data: TrainingData, by_identity: bool, seed: int
) -> Objective:
    """The objective that `train.loss` (and `train.second_loss`) describe.

    Args:
        sections: one or two losses.
        siamese: the network to be trained.
        data: what the protocol gives; its number of people sizes the classifying losses.
        by_identity: whether batches carry identities (`train.sampler.name`).
        seed: of the objective's own initial weights; the global random state is left as it was.

    Raises:
        ParamsError: a loss does not go with the batches or with the comparator; all mistakes at once.
    """
    _check_compatible(sections, siamese, by_identity)
    people = data.people if isinstance(data, Identities) else 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = [(section.weight, section.part.build(section, siamese, people)) for section in sections]
    weight, only = parts[0]
    return only if len(parts) == 1 and weight == 1 else WeightedSum(parts)


def _check_compatible(sections: list[LossParams], siamese: Siamese, by_identity: bool) -> None:
    mistakes = [
        f"the loss {section.name} needs to know who is on an image: choose train.sampler.name: identities "
        "(which needs split.protocol: unrestricted)"
        for section in sections
        if not section.part.over_pairs and not by_identity
    ]
    if siamese.comparator.by_cohort:
        compared = COMPARATORS.name_of(type(siamese.comparator))
        mistakes.append(f"no training begins with the comparator {compared}: choose cosine, and train.cohort")
    suitable = siamese.comparator.trained_by
    if suitable and not any(section.part.trains in suitable for section in sections):
        names = [name for name in LOSSES.names if LOSSES.part(name).trains in suitable]
        compared = COMPARATORS.name_of(type(siamese.comparator))
        mistakes.append(
            f"no loss would train the comparator {compared}: choose one of {', '.join(names)}, "
            "or a comparator without weights (model.comparator: cosine or euclidean)"
        )
    if mistakes:
        raise ParamsError("train.loss does not fit\n" + "\n".join(f"  {mistake}" for mistake in mistakes))
