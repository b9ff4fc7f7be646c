"""Finds a learning rate to start from: one short run over rising rates (Smith 2017, "Cyclical learning rates")."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from likeness.data.splits import TrainingData
from likeness.errors import DivergedError
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.progress import progress
from likeness.training.batches import Batch, PixelSource
from likeness.training.distributed import DistributedContext, choose_device
from likeness.training.losses.build import build_objective
from likeness.training.params import TrainParams
from likeness.training.precision import choose_precision
from likeness.training.randomness import scoped_randomness
from likeness.training.samplers.sampler import Sampler, build_sampler
from likeness.training.training_state import StepPosition, TrainingState

_SMOOTHING = 0.9  # share of the past in the smoothed loss
_BLOWN_UP = 4.0  # times the smallest smoothed loss
_SETTLING = 10  # steps before the smoothed loss means anything
_LEAST_FALL = 0.01  # share of the smoothed loss that it has to lose, else nothing was learnt
_NOISE = 4.0  # standard deviations of the smoothed loss that a fall has to exceed


@dataclass(frozen=True)
class LearningRateSweep:
    """What a sweep over learning rates showed.

    Attributes:
        rates: of each step, rising.
        losses: smoothed, after each step.
        suggestion: the rate at which the loss fell fastest; None where it fell at none of them.
    """

    rates: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]
    suggestion: float | None


def find_learning_rate(
    data: TrainingData,
    pixels: npt.NDArray[np.uint8],
    siamese: Siamese,
    preprocess: Preprocess,
    params: TrainParams,
    *,
    seed: int,
    device: str = "auto",
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
) -> LearningRateSweep:
    """Trains a copy of the network while the rate grows evenly on a logarithmic scale, until the loss blows up.

    Margins and whatever else the recipe raises during a training stay as they are at its start: a loss
    that rises with its margin says nothing of the rate.

    Args:
        data: pairs or identities, as for `train`.
        pixels: the pixel store, uint8 [N, H, W].
        siamese: left as it is.
        preprocess: of the network.
        params: the recipe; its learning rate and schedule are not used.
        seed: of everything random.
        device: auto, cpu or cuda.
        low: first rate.
        high: last rate.
        steps: at most.

    Raises:
        DivergedError: the loss blew up at once, so that there is nothing to see; begin with a lower rate.
        ParamsError: loss, sampler, comparator and protocol do not go together.
    """
    context = DistributedContext(choose_device(device))
    sampler = build_sampler(data, params.sampler, params.batch_size, seed)
    student = copy.deepcopy(siamese)
    objective = build_objective(params.losses, student, data, params.sampler.part.by_identity, seed)
    rates = np.geomspace(low, high, steps)
    with scoped_randomness(context.device):
        source = PixelSource(pixels, context.device)
        precision = choose_precision(params.precision, student, pixels.shape[1:], context)
        state = TrainingState(student, objective, params, preprocess, source, seed, context, precision)
        state.train()
        losses, noise = _sweep(state, sampler, rates)
    if len(losses) <= _SETTLING:
        raise DivergedError(f"the loss blew up after {len(losses)} steps at {low:g}: begin with a lower rate")
    return LearningRateSweep(rates[: len(losses)], losses, _suggestion(rates, losses[_SETTLING:], noise))


def _suggestion(
    rates: npt.NDArray[np.float64], losses: npt.NDArray[np.float64], noise: float = 0.0
) -> float | None:
    """The rate of the steepest fall on the way to the smallest loss, which has to be a real fall.

    Args:
        rates: of all steps.
        losses: smoothed, from the step on at which they mean something.
        noise: standard deviation of a smoothed loss.
    """
    lowest = int(np.argmin(losses))
    if losses[0] - losses[lowest] < max(_LEAST_FALL * losses[0], _NOISE * noise):
        return None
    return float(rates[_SETTLING + int(np.argmin(np.gradient(losses)[: lowest + 1]))])


def _sweep(
    state: TrainingState, sampler: Sampler, rates: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], float]:
    """Smoothed losses up to the first that is more than `_BLOWN_UP` times the smallest, and their noise."""
    losses: list[float] = []
    single: list[float] = []
    average = 0.0
    steps = zip(rates, _batches(sampler), strict=False)
    for index, (rate, batch) in enumerate(progress(steps, "learning rates", total=len(rates), unit="step")):
        position = StepPosition(0, index, 0.0)  # ramps stay at their start
        loss = float(state.step(batch, position, float(rate)).value)
        average = _SMOOTHING * average + (1 - _SMOOTHING) * loss
        smoothed = average / (1 - _SMOOTHING ** (index + 1))
        if not math.isfinite(smoothed) or (losses and smoothed > _BLOWN_UP * min(losses)):
            break
        losses.append(smoothed)
        single.append(loss)
    steps_apart = np.abs(np.diff(single)) if len(single) > 1 else np.zeros(1)
    deviation = float(np.median(steps_apart)) / 0.954  # of one loss: median of |a - b| of two normal values
    return np.array(losses), deviation * math.sqrt((1 - _SMOOTHING) / (1 + _SMOOTHING))


def _batches(sampler: Sampler) -> Iterator[Batch]:
    return itertools.chain.from_iterable(sampler.epoch(number) for number in itertools.count())
