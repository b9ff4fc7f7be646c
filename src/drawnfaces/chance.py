"""Random numbers with bounds, from generators that are named by whole numbers and never shared."""

from __future__ import annotations

import numpy as np

PEOPLE, PHOTOGRAPHS, NAMES, COUNTS = range(4)
"""Second word of a seed, so that no two kinds of things draw from one stream."""


class Chance:
    """Draws from the stream that the words name: equal words, equal draws."""

    def __init__(self, *words: int) -> None:
        self.rng = np.random.default_rng(words)

    def about(self, mean: float, spread: float) -> float:
        """A bell around `mean`, never more than 2.2 spreads away."""
        return mean + spread * float(np.clip(self.rng.standard_normal(), -2.2, 2.2))

    def between(self, low: float, high: float) -> float:
        """Any number between, all alike."""
        return float(self.rng.uniform(low, high))

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high` - 1."""
        return int(self.rng.integers(low, high))
