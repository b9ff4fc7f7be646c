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
from likeness.evaluation.poses import Poses
from likeness.evaluation.slices import worse_pictures
from likeness.images import grey
from likeness.metrics.scores import Bools, Floats

EXTREME = 0.1
"""Share of the test pairs on one side that counts as standing out."""
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
        "true-match": accepted & same,
        "true-non-match": ~accepted & ~same,
        "false-match": accepted & ~same,
        "false-non-match": ~accepted & same,
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
    "brightness": "its darker picture is among the darkest, by the light or by the skin",
    "contrast": "its flatter picture is among those of least contrast",
    "resemblance": "its two crops resemble each other, pixel by pixel, among the least",
    "yaw difference": "its two heads are turned alike",
}
_HIGH = {
    "sharpness": "both of its pictures are among the sharpest",
    "resemblance": "its two crops resemble each other, pixel by pixel, among the most",
    "brightness difference": "its two pictures differ in brightness among the most, by the light or by the skin",
    "contrast difference": "its two pictures differ in contrast among the most",
    "sharpness difference": "its two pictures differ in sharpness among the most",
    "yaw": "one of its heads is among those turned most to the side",
    "yaw difference": "its two heads are turned differently, among the most",
    "roll": "one of its heads is among those tilted most",
}
SPEAKS: dict[Kind, tuple[set[str], set[str]]] = {
    "true-match": ({"yaw difference"}, {"resemblance", "sharpness"}),
    "true-non-match": (
        {"resemblance"},
        {"brightness difference", "contrast difference", "yaw difference", "sharpness"},
    ),
    "false-match": (
        {"sharpness", "brightness", "contrast", "yaw difference"},
        {"resemblance", "yaw", "roll"},
    ),
    "false-non-match": (
        {"sharpness", "brightness", "contrast", "resemblance"},
        {
            "brightness difference",
            "contrast difference",
            "sharpness difference",
            "yaw",
            "yaw difference",
            "roll",
        },
    ),
}
"""Properties of which a low, and of which a high value can have to do with an outcome."""


@dataclass(frozen=True, eq=False)
class PairFacts:
    """What is measured about every test pair.

    Attributes:
        values: property -> float64 [P]; NaN where one is not known.
        hash_distance: int64 [P], bits in which the perceptual hashes of the two whole pictures differ; 64 where
            a hash is missing.
        baseline_right: bool [P], whether the classical baseline is correct on the pair.
    """

    values: Mapping[str, Floats]
    hash_distance: NDArray[np.int64]
    baseline_right: Bools

    @classmethod
    def of(cls, faces: FaceSet, pairs: Pairs, baseline_right: Bools, poses: Poses) -> PairFacts:
        """Measures P pairs."""
        values = worse_pictures(faces.manifest, pairs) | _differences(faces.manifest, pairs)
        values |= poses.of_pairs(pairs)
        values["resemblance"] = _resemblance(faces.pixels, pairs)
        return cls(values, _hash_distances(faces.manifest["phash"], pairs), baseline_right)

    def about(self, chosen: Chosen) -> list[Fact]:
        """The facts that stand out for a pair and can have to do with its outcome, the most extreme first."""
        ranked = self._ranked(chosen)
        return self._near_copy(chosen) + [fact for beyond, fact in ranked if beyond < EXTREME]

    def beyond(self, name: str, high: bool) -> Floats:
        """Share of the pairs that are more extreme than each, float64 [P]; NaN where the property is not known."""
        values = self.values[name] if high else -self.values[name]
        known = np.sort(values[~np.isnan(values)])
        more = len(known) - np.searchsorted(known, values, side="right")
        return np.where(np.isnan(values), np.nan, more / max(len(known), 1))

    def _ranked(self, chosen: Chosen) -> list[tuple[float, Fact]]:
        """Properties that can have to do with the outcome, with the share beyond each, the most extreme first."""
        found = []
        for high, names in zip((False, True), SPEAKS[chosen.kind], strict=True):
            for name in names:
                beyond = float(self.beyond(name, high)[chosen.place])
                value = float(self.values[name][chosen.place])
                below = float(np.mean(self.values[name] < value))
                side = f"{_share(beyond)} of the test pairs lie {'higher' if high else 'lower'}"
                found.append((beyond, Fact(name, value, below, f"{meaning(name, high)} ({side})")))
        known = [pair for pair in found if not np.isnan(pair[0])]
        return sorted(known, key=lambda pair: (pair[0], pair[1].name))

    def _near_copy(self, chosen: Chosen) -> list[Fact]:
        distance = int(self.hash_distance[chosen.place])
        if distance > _NEAR_COPY:
            return []
        text = (
            f"its two files look like copies of one photograph (perceptual hashes differ in {distance} of 64 bits)"
        )
        return [Fact("hash distance", distance, None, text)]

    def cause(self, chosen: Chosen) -> str:
        """What stands out, else what comes nearest to it, and whether the classical baseline is right."""
        facts = [fact.text for fact in self.about(chosen)]
        text = "; ".join(facts) if facts else self._nearest(chosen)
        right = bool(self.baseline_right[chosen.place])
        agrees = (
            "is correct on it" if right else "is wrong on it too" if _is_error(chosen.kind) else "is wrong on it"
        )
        return f"{text[0].upper()}{text[1:]}. The classical baseline {agrees}."

    def _nearest(self, chosen: Chosen) -> str:
        found = "nothing that is measured lies in the most extreme tenth"
        ranked = self._ranked(chosen)
        if not ranked:
            return found
        beyond, fact = ranked[0]
        return f"{found}; nearest to it: {fact.name}, with {_share(beyond)} of the test pairs beyond"


def meaning(name: str, high: bool) -> str:
    """What a high or a low value of a property means, in words."""
    return (_HIGH if high else _LOW)[name]


def _is_error(kind: Kind) -> bool:
    return kind in ("false-match", "false-non-match")


def _share(value: float) -> str:
    return "none" if value == 0 else f"{100 * value:.1f}\u202f%"


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
