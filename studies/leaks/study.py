"""What all studies share: pictures and their division, a line of the table, the systems that are measured."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.data.faceset import FaceSet
from likeness.data.splits import Identities, Split
from likeness.evaluation import estimates
from likeness.evaluation.baselines import BaselineParams, classical_baseline
from likeness.evaluation.estimates import EvaluatedPairs
from likeness.evaluation.systems import ScoredSystem, System, score_system
from likeness.images.geometry import FRAME
from likeness.metrics.intervals import Resampling, pair_groups
from likeness.models.embedding import embed_pixels, score_pairs
from likeness.models.weights import LoadedModel
from likeness.progress import progress

FACE = (120, 100)  # the window that the face fills in an aligned picture

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_RESAMPLING = Resampling(2000, 0)


@dataclass(frozen=True)
class StudyResult:
    """A line of the table: accuracy and AUC on test pairs, each {value, low, high, n}."""

    study: str
    system: str
    sees: str
    accuracy: dict[str, float]
    auc: dict[str, float]

    def __str__(self) -> str:
        shown = ("{value:.3f} [{low:.3f}, {high:.3f}]".format(**figure) for figure in (self.accuracy, self.auc))
        return f"| {self.study} | {self.system} | {self.sees} | {' | '.join(shown)} | {self.accuracy['n']} |"


@dataclass(frozen=True, eq=False)
class Study:
    """Whole pictures, their division, and the model that is looked through."""

    faces: FaceSet
    split: Split
    model: LoadedModel | None

    @functools.cached_property
    def known(self) -> Identities:
        """The training people."""
        assert self.split.identities is not None
        return self.split.identities

    @functools.cached_property
    def paired(self) -> NDArray[np.int64]:
        """Rows that holdout and test pairs speak of."""
        return np.union1d(self.split.holdout.rows, self.split.test.rows)

    def row(self, study: str, sees: str, system: ScoredSystem, keep: Mask | None = None) -> StudyResult:
        """Figures on the test pairs, or on those of them that `keep` marks."""
        chosen = np.ones(len(self.split.test), bool) if keep is None else keep
        scores, test = system.test[chosen], self.split.test.take(chosen)
        people = self.faces.manifest["person"].to_numpy()
        measured = EvaluatedPairs(test, pair_groups(people[test.a], people[test.b]))
        found = estimates.verification(scores, system.decision, measured, (), _RESAMPLING)
        row = StudyResult(study, system.system.name, sees, found["accuracy"], found["auc"])
        print(row, flush=True)
        return row


def classical(study: Study, pixels: Bytes) -> ScoredSystem:
    """The baseline of `likeness.evaluation.baselines`, fitted on pictures [N, h, w] and seen whole.

    It looks at the face's window alone, so each picture is declared to be that window.
    """
    source = dataclasses.replace(study.faces.source, crop=FACE, size=pixels.shape[1:])
    faces = dataclasses.replace(study.faces, pixels=pixels, source=source)
    system = classical_baseline(faces, study.split, study.paired, BaselineParams())
    return score_system(system, study.split.holdout, study.split.test)


def scored(study: Study, model: LoadedModel, images: Bytes) -> ScoredSystem:
    """The model on images [N, H, W] of the pictures in `study.paired`, as many as these."""
    vectors = embed_pixels(model.siamese, model.card.preprocess, images, mirror=model.card.mirror)
    rule = functools.partial(score_pairs, model.siamese)
    return score_system(
        System(model.card.recipe, study.paired, vectors, rule), study.split.holdout, study.split.test
    )


def seen_by(study: Study, model: LoadedModel) -> Bytes:
    """What the model is shown of each picture that holdout and test pairs speak of."""
    pictures, preprocess = study.faces.pixels, model.card.preprocess
    return np.stack([preprocess.window(pictures[row]) for row in progress(study.paired, "cutting")])


def window(crop: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the central crop of a picture."""
    down, across = (slice((FRAME - side) // 2, (FRAME - side) // 2 + side) for side in crop)
    return down, across
