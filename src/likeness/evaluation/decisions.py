"""The best and the worst decisions: which they are, and what can be measured about why.

A cause is named only where numbers support it: a property of the pair stands out when it lies in the most
extreme tenth of all test pairs. That is a reason to look, not a proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from likeness.artifacts.shown_decisions import Fact, Kind
from likeness.data.faceset import FaceSet
from likeness.data.splits import Pairs
from likeness.evaluation.comparison import Scored
from likeness.evaluation.lbp import resized
from likeness.evaluation.slices import worse_pictures
from likeness.images import grey
from likeness.metrics.scores import Bools, Floats

_EXTREME = 0.1
_NEAR_COPY = 6  # bits of 64 in which the perceptual hashes of one photograph's copies may differ
_THUMBNAIL = 32  # side to which crops are shrunk before their pixels are compared


@dataclass(frozen=True)
class Chosen:
    """A pair that is worth showing.

    Attributes:
        kind: of the outcome.
        place: position of the pair among the test pairs.
    """

    kind: Kind
    place: int


def choose(system: Scored, same: Bools, count: int) -> list[Chosen]:
    """The `count` most confident decisions of each kind, the furthest from the threshold first.

    Errors that are far from the threshold are the worst decisions, right answers that are far the best.
    """
    accepted = system.predicted
    kinds: dict[Kind, Bools] = {
        "true-accept": accepted & same,
        "true-reject": ~accepted & ~same,
        "false-accept": accepted & ~same,
        "false-reject": ~accepted & same,
    }
    distance = np.abs(system.scores - system.threshold)
    chosen: list[Chosen] = []
    for kind, members in kinds.items():
        places = np.flatnonzero(members)
        furthest = places[np.argsort(-distance[places], kind="stable")][:count]
        chosen += [Chosen(kind, int(place)) for place in furthest]
    return chosen


# For each property: what a low value means for a decision, and what a high one means. A property may speak for
# errors of one kind alone: a strong resemblance of the pixels explains a false accept, not a false reject.
_LOW = {
    "sharpness": "its blurrier picture is among the blurriest",
    "brightness": "its darker picture is among the darkest",
    "contrast": "its flatter picture is among those of least contrast",
    "resemblance": "its two crops resemble each other, pixel by pixel, among the least",
}
_HIGH = {
    "resemblance": "its two crops resemble each other, pixel by pixel, among the most",
    "brightness difference": "its two pictures differ in brightness among the most",
    "contrast difference": "its two pictures differ in contrast among the most",
    "sharpness difference": "its two pictures differ in sharpness among the most",
}
_SPEAKS: dict[Kind, tuple[set[str], set[str]]] = {
    "true-accept": (set(), {"resemblance"}),
    "true-reject": ({"resemblance"}, {"brightness difference", "contrast difference"}),
    "false-accept": ({"sharpness", "brightness", "contrast"}, {"resemblance"}),
    "false-reject": (
        {"sharpness", "brightness", "contrast", "resemblance"},
        {"brightness difference", "contrast difference", "sharpness difference"},
    ),
}


@dataclass(frozen=True, eq=False)
class PairFacts:
    """What is measured about every test pair.

    Attributes:
        values: property -> float64 [P].
        hash_distance: int64 [P], bits in which the perceptual hashes of the two whole pictures differ; 64 where
            a hash is missing.
        baseline_right: bool [P], whether the classical baseline is correct on the pair.
    """

    values: Mapping[str, Floats]
    hash_distance: NDArray[np.int64]
    baseline_right: Bools

    @classmethod
    def of(cls, faces: FaceSet, pairs: Pairs, baseline_right: Bools) -> PairFacts:
        """Measures P pairs."""
        values = worse_pictures(faces.manifest, pairs) | _differences(faces.manifest, pairs)
        values["resemblance"] = _resemblance(faces.pixels, pairs)
        return cls(values, _hash_distances(faces.manifest["phash"], pairs), baseline_right)

    def about(self, chosen: Chosen) -> list[Fact]:
        """The facts that stand out for a pair and can have to do with its outcome, the most extreme first."""
        low, high = _SPEAKS[chosen.kind]
        facts: list[tuple[float, Fact]] = []
        for name, values in self.values.items():
            value = float(values[chosen.place])
            below, above = float(np.mean(values < value)), float(np.mean(values > value))
            if name in low and below < _EXTREME:
                facts.append(
                    (
                        below,
                        Fact(name, value, below, f"{_LOW[name]} ({_share(below)} of the test pairs lie lower)"),
                    )
                )
            if name in high and above < _EXTREME:
                facts.append(
                    (
                        above,
                        Fact(name, value, below, f"{_HIGH[name]} ({_share(above)} of the test pairs lie higher)"),
                    )
                )
        return self._near_copy(chosen) + [fact for _, fact in sorted(facts, key=lambda pair: pair[0])]

    def _near_copy(self, chosen: Chosen) -> list[Fact]:
        distance = int(self.hash_distance[chosen.place])
        if distance > _NEAR_COPY:
            return []
        text = (
            f"its two files look like copies of one photograph (perceptual hashes differ in {distance} of 64 bits)"
        )
        return [Fact("hash distance", distance, None, text)]

    def cause(self, chosen: Chosen) -> str:
        """A sentence or two: what stands out, and whether the classical baseline does as well."""
        facts = [fact.text for fact in self.about(chosen)]
        text = "; ".join(facts) if facts else "nothing that is measured about this pair stands out"
        right = bool(self.baseline_right[chosen.place])
        agrees = (
            "is correct on it" if right else "is wrong on it too" if _is_error(chosen.kind) else "is wrong on it"
        )
        return f"{text[0].upper()}{text[1:]}. The classical baseline {agrees}."


def _is_error(kind: Kind) -> bool:
    return kind in ("false-accept", "false-reject")


def _share(value: float) -> str:
    return "none" if value == 0 else f"{100 * value:.1f} %"


def _differences(manifest: pd.DataFrame, pairs: Pairs) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    for name in ("brightness", "contrast", "sharpness"):
        values = manifest[name].to_numpy(np.float64)
        if name == "sharpness":  # spans orders of magnitude: a ratio says more than a difference
            values = np.log(np.maximum(values, 1e-9))
        found[f"{name} difference"] = np.abs(values[pairs.a] - values[pairs.b])
    return found


def _resemblance(pixels: NDArray[np.uint8], pairs: Pairs) -> Floats:
    """Correlation in [-1, 1] of the two shrunk crops of each pair."""
    rows = pairs.rows
    small = (
        resized(grey(np.asarray(pixels[rows])), (_THUMBNAIL, _THUMBNAIL)).reshape(len(rows), -1).astype(np.float64)
    )
    small -= small.mean(axis=1, keepdims=True)
    small /= np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-9)
    first, second = (small[np.searchsorted(rows, side)] for side in (pairs.a, pairs.b))
    return np.asarray(np.sum(first * second, axis=1))


def _hash_distances(hashes: pd.Series[str], pairs: Pairs) -> NDArray[np.int64]:
    known = hashes.str.len().to_numpy() == 16
    bits = np.array([int(text, 16) if ok else 0 for text, ok in zip(hashes, known, strict=True)], np.uint64)
    distance = np.bitwise_count(bits[pairs.a] ^ bits[pairs.b]).astype(np.int64)
    return np.where(known[pairs.a] & known[pairs.b], distance, 64)
