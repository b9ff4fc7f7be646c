"""What the quality score of a face is worth: errors of all comparisons, and without those of the lowest quality.

    python -m studies.quality --mirror FOLDER        # holds lfw-deepfunneled.tgz and peopleDevTest.txt

Every photograph of View 1's test people is compared with every other by a model that was trained on other people.
The quality of a comparison is that of its worse photograph. Intervals: percentile bootstrap over people, 95 %.
"""

from __future__ import annotations

import argparse
import itertools
import tarfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from likeness import Verifier
from likeness.faces.detectors.mtcnn import MtcnnDetector
from likeness.faces.quality import measure_quality
from likeness.images import decode
from likeness.progress import progress

_MIDDLE = 124.5  # of a picture of LFW, where its person is
_SHARES = (0.0, 0.1, 0.2, 0.3, 0.5)
_FMR = 1e-3
_RESAMPLES = 200

Floats = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description="What the quality score of a face is worth.")
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--model", default="packaged")
    asked = parser.parse_args()
    people, quality, scores = measured(asked.mirror, asked.model)
    first, second = np.triu_indices(len(people), k=1)
    mated, score = people[first] == people[second], scores[first, second]
    worth = np.minimum(quality[first], quality[second])
    print(f"{len(people)} photographs of {len(set(people))} people, {int(np.isnan(quality).sum())} without a face")
    print(f"{int(mated.sum())} mated and {int((~mated).sum())} non-mated comparisons, model {asked.model}")
    worth = np.nan_to_num(worth, nan=-1.0)
    random = np.random.default_rng(0)
    draws = [np.bincount(random.integers(0, len(set(people)), len(set(people))), minlength=len(set(people)))
             for _ in range(_RESAMPLES)]  # fmt: skip
    print("dropped  FNMR at FMR 1e-3 [95 %]     less than without dropping [95 %, same draws]")
    rates = {}
    for share in progress(_SHARES, "resampling"):
        kept = worth >= np.quantile(worth, share)
        pairs = (people[first][kept], people[second][kept])
        drawn = (draw[pairs[0]] * draw[pairs[1]] for draw in draws)
        weights = itertools.chain([np.ones(int(kept.sum()))], drawn)
        kept_ones = Comparisons(score[kept], mated[kept])
        rates[share] = np.array([kept_ones.fnmr(weight) for weight in weights])
        value, fewer = estimate(rates[share]), estimate(rates[0.0] - rates[share])
        print(f"{share:7.0%}  {value}     {fewer}", flush=True)


def estimate(values: Floats) -> str:
    """The first value, with the interval of the others."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return f"{values[0]:.3f} [{low:.3f}, {high:.3f}]"


def measured(mirror: Path, model: str) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Person, quality (NaN without a face) and scores [N, N] of all photographs of the test people."""
    lines = (mirror / "peopleDevTest.txt").read_text().split("\n")[1:]
    names = {line.split("\t")[0]: number for number, line in enumerate(filter(None, lines))}
    detector, verifier = MtcnnDetector(), Verifier.load(model)
    people, quality, faces = [], [], []
    with tarfile.open(mirror / "lfw-deepfunneled.tgz") as archive:
        for member in progress(archive, "photographs", unit="photos"):
            person = Path(member.name).parent.name
            if not member.isfile() or person not in names:
                continue
            content = archive.extractfile(member)
            data = content.read() if content else b""
            photograph = decode(data, member.name, colour=True).pixels
            found = [each.landmarks for each in detector.detect(photograph) if each.landmarks is not None]
            nearest = min(
                found, key=lambda points: float(np.abs(points.mean(axis=0) - _MIDDLE).sum()), default=None
            )
            people.append(names[person])
            quality.append(np.nan if nearest is None else measure_quality(photograph, nearest).score)
            faces.append(verifier.face(data, aligned=True, name=member.name))
    embeddings = np.asarray(verifier.embed_faces(faces), np.float64)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.array(people), np.array(quality), embeddings @ embeddings.T


class Comparisons:
    """Mated and non-mated comparisons, the non-mated ones sorted once for all draws."""

    def __init__(self, scores: Floats, mated: npt.NDArray[np.bool_]) -> None:
        self.mated, self.mated_scores = np.flatnonzero(mated), scores[mated]
        different = np.flatnonzero(~mated)
        self.highest_first = different[np.argsort(-scores[different])]
        self.scores = scores[self.highest_first]

    def fnmr(self, weights: Floats) -> float:
        """Weighted share of mated comparisons below the score that a thousandth of the non-mated ones exceed."""
        reached = np.cumsum(weights[self.highest_first])
        threshold = self.scores[np.searchsorted(reached, _FMR * reached[-1])]
        mated = weights[self.mated]
        return float(mated[self.mated_scores <= threshold].sum() / mated.sum())


if __name__ == "__main__":
    main()
