"""Metrics of the held-out pairs between two epochs, and whether the embeddings have collapsed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from likeness.data.splits import Pairs
from likeness.errors import CollapseError, DivergedError
from likeness.metrics.calibration_error import log_loss
from likeness.metrics.roc import auc
from likeness.models.decision import Decision, fit_decision
from likeness.models.embedding import embed_pixels, evaluating, score_pairs
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.training.batches import IndexPairs, PairBatch
from likeness.training.losses.objective import Objective
from likeness.training.params import TrainParams

Floats = npt.NDArray[np.floating]
_PAIRS_AT_ONCE = 512
_IMAGES_AT_ONCE = 256  # fewer where training batches are smaller
_COLLAPSED = 1e-3  # spread of embeddings: angles of a twentieth of a degree
_OF_START = 0.05  # networks whose embeddings hardly differ at first (koch-2015) have not collapsed


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

    @classmethod
    def of(
        cls, pairs: Pairs, pixels: npt.NDArray[np.uint8], preprocess: Preprocess, params: TrainParams
    ) -> Holdout:
        """The held-out pairs as a training with these parameters measures on them."""
        images = params.batch_size * (1 if params.sampler.part.by_identity else 2)
        over_pairs = all(loss.part.over_pairs for loss in params.losses)
        return cls(pairs, pixels, preprocess, params.mirror_average, min(_IMAGES_AT_ONCE, images), over_pairs)

    @property
    def places(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Both images of each pair as places in `pairs.rows`: int64 [P], [P]."""
        first, second = (np.searchsorted(self.pairs.rows, rows) for rows in (self.pairs.a, self.pairs.b))
        return first, second

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
class HoldoutResult:
    """Figures of the held-out pairs, as `EpochRecord` describes them, and the decision fitted on them."""

    loss: float
    accuracy: float
    auc: float
    spread: float
    decision: Decision


def measure_holdout(
    siamese: Siamese, objective: Objective, holdout: Holdout, device: torch.device, progress: float
) -> HoldoutResult:
    """Metrics of the held-out pairs, with the training loss where it is over pairs.

    Raises:
        DivergedError: embeddings are not finite any more.
    """
    found, embeddings = _evaluate(siamese, holdout, device)
    if not holdout.over_pairs:
        return found
    pairs = holdout.pairs
    places = IndexPairs(*(torch.tensor(column, device=device) for column in (*holdout.places, pairs.same)))
    batch = PairBatch(torch.tensor(pairs.rows, device=device), places)
    with evaluating(siamese), torch.inference_mode():
        loss = objective(siamese, torch.from_numpy(embeddings).to(device), batch, progress)
    return replace(found, loss=float(loss.value))


def evaluate_holdout(siamese: Siamese, holdout: Holdout, device: torch.device) -> HoldoutResult:
    """Metrics of the held-out pairs without a training loss: theirs is the log loss of the calibrated probability.

    Raises:
        DivergedError: embeddings are not finite.
    """
    return _evaluate(siamese, holdout, device)[0]


def holdout_scores(siamese: Siamese, holdout: Holdout, device: torch.device) -> Floats:
    """Scores [P] of the held-out pairs, in their order.

    Raises:
        DivergedError: embeddings are not finite.
    """
    return _score(siamese, holdout, device)[0]


def _score(siamese: Siamese, holdout: Holdout, device: torch.device) -> tuple[Floats, Floats]:
    """Scores of the pairs [P] and embeddings of their images [M, D]."""
    embeddings = holdout.embeddings(siamese, device)
    if not np.isfinite(embeddings).all():
        raise DivergedError("embeddings of held-out faces are not finite any more")
    first, second = holdout.places
    pairs = len(holdout.pairs.same)
    blocks = np.array_split(np.arange(pairs), -(-pairs // _PAIRS_AT_ONCE))  # Fisher vectors are long
    scores = [score_pairs(siamese, embeddings[first[block]], embeddings[second[block]]) for block in blocks]
    return np.concatenate(scores), embeddings


def _evaluate(siamese: Siamese, holdout: Holdout, device: torch.device) -> tuple[HoldoutResult, Floats]:
    scores, embeddings = _score(siamese, holdout, device)
    same = holdout.pairs.same
    decision = fit_decision(scores, same)
    loss = log_loss(decision.probability(scores), same)
    accuracy = float((decision.predict(scores) == same).mean())
    return HoldoutResult(loss, accuracy, auc(scores, same), spread(embeddings), decision), embeddings


def spread(embeddings: Floats) -> float:
    """Root mean square distance of embeddings [M, D] from their mean, over their root mean square length.

    In [0, 1]: 0 when all faces have become one point, near 1 when their directions cancel out.
    """
    points = embeddings.astype(np.float64)
    length = np.sqrt((points**2).sum(axis=1).mean())
    distance = np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())
    return float(distance / length) if length else 0.0


def check_collapse(spread: float, at_start: float, epoch: int, loss: float, formula: str) -> None:
    """Stops a training whose embeddings have all become the same point.

    Args:
        spread: of the held-out embeddings now, see `spread`.
        at_start: before the first step.
        epoch: counted from 1.
        loss: mean training loss of the epoch, which then sits at the margin.
        formula: of the loss.

    Raises:
        CollapseError: they have.
    """
    if spread < _COLLAPSED and spread < _OF_START * at_start:
        raise CollapseError(
            f"all embeddings have become the same point by epoch {epoch}: their spread fell from {at_start:.2g} "
            f"to {spread:.2g}, and the training loss sits at {loss:.4g} = {formula}. Lower train.learning_rate, "
            "let the margin rise (train.loss.margin_start), begin with random triplets (train.loss.easy_until), "
            "or put embeddings on the unit sphere (model.normalise)"
        )
