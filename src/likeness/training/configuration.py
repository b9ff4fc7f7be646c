"""Whether a training can be carried out as its parameters say, found out without faces and without training."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import numpy as np

from likeness.data.splits import Identities, Pairs, TrainingData
from likeness.errors import DataError
from likeness.models.architecture import ModelParams
from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess
from likeness.training.freezing import FrozenLayers
from likeness.training.params import TrainParams
from likeness.training.plan import TrainingTask, check_phase, check_plan, networks_of, phases_of

_PEOPLE = 200  # enough for any share of them


def check_configuration(
    model: ModelParams, params: TrainParams, size: tuple[int, ...], protocol: Literal["restricted", "unrestricted"]
) -> None:
    """Builds every network, sampler and loss of a plan, and refuses what would be refused during the training.

    Args:
        model: section `model`.
        params: section `train`.
        size: shape of a stored face: height and width in pixels (`data.size`), and 3 with `data.colour`.
        protocol: what training may see (`split.protocol`).

    Raises:
        ParamsError: sections contradict each other.
        ModelError: a network cannot be built for these faces, or a file that it starts from does not fit.
    """
    data = _training_data(protocol)
    preprocess = Preprocess(size, None, params.standardise)
    preprocess.require_fit(model)
    check_plan(TrainingTask(data, _pairs(), np.zeros((0, *size), np.uint8), model, preprocess, params))
    for network, plan in networks_of(model, params):
        siamese = build_siamese(network, size, plan.seed)
        for _, student, phase in phases_of(network, siamese, plan):
            with suppress(DataError):  # how many faces there are is not known yet
                check_phase(data, student, phase)
        FrozenLayers(siamese.backbone, plan.freeze)


def _training_data(protocol: str) -> TrainingData:
    if protocol == "restricted":
        return _pairs()
    return Identities(np.arange(2 * _PEOPLE), np.repeat(np.arange(_PEOPLE), 2))


def _pairs() -> Pairs:
    first = np.arange(_PEOPLE)
    return Pairs(first, first + _PEOPLE, first % 2 == 0)
