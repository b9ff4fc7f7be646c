"""Random numbers as a function of (seed, purpose, epoch, step): an interrupted training has none to store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import numpy as np
import torch


class Purpose(IntEnum):
    """Independent streams, so that drawing more for one purpose never shifts another."""

    ORDER = 1
    SUBSET = 2
    AUGMENT = 3
    DROPOUT = 4
    MINING = 5


def stream(seed: int, purpose: Purpose, *key: int) -> np.random.Generator:
    """NumPy's generator for a purpose and any further numbers, such as the epoch."""
    return np.random.default_rng((seed, purpose, *key))


def torch_seed(seed: int, purpose: Purpose, *key: int) -> int:
    """A seed for a torch generator, in [0, 2⁶³)."""
    return int(np.random.SeedSequence((seed, purpose, *key)).generate_state(1, np.uint64)[0] >> 1)


@contextmanager
def scoped_randomness(device: torch.device) -> Iterator[None]:
    """After the block torch's global random state is what it was before."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
