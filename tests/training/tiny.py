"""A network and faces small enough to train in a second: bright bars at a place of their own for each person."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from likeness.data.splits import Identities, Pairs
from likeness.models.comparators.cosine import Cosine
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese

SIDE = 16
PREPROCESS = Preprocess((SIDE, SIDE))


def faces(people: int = 24, each: int = 4, seed: int = 0) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Pixels uint8 [people·each, 16, 16] and the person of each row."""
    random = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), each)
    pattern = random.integers(0, 256, (people, 4, 4)).repeat(4, axis=1).repeat(4, axis=2)
    noise = random.normal(0, 40, (len(person), SIDE, SIDE))
    return np.clip(pattern[person] * 0.6 + 50 + noise, 0, 255).astype(np.uint8), person


def pairs(person: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], count: int, seed: int = 0) -> Pairs:
    """`count` pairs among the rows, half of them same."""
    random = np.random.default_rng(seed)
    first, second = np.triu_indices(len(rows), k=1)
    same = person[rows[first]] == person[rows[second]]
    chosen = np.concatenate(
        [random.choice(np.flatnonzero(kind), count // 2, replace=False) for kind in (same, ~same)]
    )
    return Pairs(rows[first[chosen]], rows[second[chosen]], same[chosen])


def world(people: int = 24) -> tuple[npt.NDArray[np.uint8], Pairs, Identities, Pairs]:
    """Pixels, training pairs, training identities, and holdout pairs of the last third of the people."""
    pixels, person = faces(people)
    training = np.flatnonzero(person < people * 2 // 3)
    held_out = np.flatnonzero(person >= people * 2 // 3)
    listed = pairs(person, training, 64)
    return pixels, listed, Identities(training, person[training]), pairs(person, held_out, 40)


def network(
    comparator: Callable[[], nn.Module] = Cosine, batch_norm: bool = True, dropout: float = 0.2, seed: int = 0
) -> Siamese:
    """A tower of two convolutions and a dense layer, 8 numbers a face."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        norm: list[nn.Module] = [nn.BatchNorm2d(8)] if batch_norm else []
        backbone = nn.Sequential(
            *(
                nn.Conv2d(1, 8, 3),
                *norm,
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Conv2d(8, 8, 3),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ),
            *(nn.Flatten(), nn.Dropout(dropout), nn.Linear(32, 8)),
        )
        return Siamese(backbone, comparator(), 8, unit=comparator is Cosine)
