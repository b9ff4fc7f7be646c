"""What the held-out pairs say about a network between two epochs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from likeness.data.splits import Pairs
from likeness.errors import DivergedError
from likeness.models.decision import Decision, fit_decision
from likeness.models.embedding import embed_pixels, evaluating, score_pairs
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.training.batches import IndexPairs, PairBatch
from likeness.training.losses.objective import Objective

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Holdout:
    """The held-out pairs, and how to embed their images.

    Attributes:
        pairs: of people who are not trained on.
        pixels: the pixel store, uint8 [N, H, W].
        preprocess: of the network.
        mirror: average each embedding with that of the mirrored face.
        batch_size: images at a time.
        over_pairs: whether the training loss is over pairs, and so can be taken of these.
    """

    pairs: Pairs
    pixels: npt.NDArray[np.uint8]
    preprocess: Preprocess
    mirror: bool
    batch_size: int
    over_pairs: bool

    def embeddings(self, siamese: Siamese, device: torch.device, limit: int | None = None) -> Floats:
        """Embeddings float32 [M, D] of the pairs' images, each once, in the order of `pairs.rows`."""
        return embed_pixels(
            siamese,
            self.preprocess,
            self.pixels,
            self.pairs.rows[:limit],
            batch_size=self.batch_size,
            device=device,
            mirror=self.mirror,
        )


@dataclass(frozen=True)
class Assessment:
    """Figures of the held-out pairs, as `EpochRecord` describes them, and the decision fitted on them."""

    loss: float
    accuracy: float
    auc: float
    spread: float
    decision: Decision


def assess(
    siamese: Siamese, objective: Objective, holdout: Holdout, device: torch.device, progress: float
) -> Assessment:
    """Embeds, scores and judges the held-out pairs.

    Raises:
        DivergedError: embeddings are not finite any more.
    """
    embeddings = holdout.embeddings(siamese, device)
    if not np.isfinite(embeddings).all():
        raise DivergedError("embeddings of held-out faces are not finite any more")
    pairs = holdout.pairs
    first, second = (np.searchsorted(pairs.rows, rows) for rows in (pairs.a, pairs.b))
    scores = score_pairs(siamese, embeddings[first], embeddings[second])
    decision = fit_decision(scores, pairs.same)
    if holdout.over_pairs:
        places = IndexPairs(*(torch.tensor(column, device=device) for column in (first, second, pairs.same)))
        batch = PairBatch(torch.tensor(pairs.rows, device=device), places)
        with evaluating(siamese), torch.inference_mode():
            loss = float(objective(siamese, torch.from_numpy(embeddings).to(device), batch, progress).value)
    else:
        loss = log_loss(decision.probability(scores), pairs.same)
    accuracy = float((decision.predict(scores) == pairs.same).mean())
    return Assessment(loss, accuracy, area_under_roc(scores, pairs.same), spread(embeddings), decision)


def spread(embeddings: Floats) -> float:
    """Root mean square distance of embeddings [M, D] from their mean, over their root mean square length.

    In [0, 1]: 0 when all faces have become one point, near 1 when their directions cancel out.
    """
    points = embeddings.astype(np.float64)
    length = np.sqrt((points**2).sum(axis=1).mean())
    distance = np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())
    return float(distance / length) if length else 0.0


def area_under_roc(scores: Floats, same: npt.NDArray[np.bool_]) -> float:
    """Probability that a same pair scores higher than a different one, ties counting one half."""
    values, place = np.unique(scores, return_inverse=True)
    positives = np.bincount(place, weights=same, minlength=len(values))
    negatives = np.bincount(place, weights=~same, minlength=len(values))
    below = np.cumsum(negatives) - negatives
    return float((positives * (below + negatives / 2)).sum() / (positives.sum() * negatives.sum()))


def log_loss(probability: Floats, same: npt.NDArray[np.bool_]) -> float:
    """Mean cross-entropy of probabilities of being the same person, in nats."""
    right = np.where(same, probability, 1 - probability)
    return float(-np.log(np.maximum(right, np.finfo(np.float64).tiny)).mean())
