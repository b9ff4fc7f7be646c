"""Which map behind Fisher vectors verifies best where only pairs are granted, and how much it should see.

    python -m studies.restricted_maps --mirror FOLDER     # holds lfw-deepfunneled.tgz and the lists of View 1

The training pairs of View 1 are divided five times into 80 % that the map is fitted on and 20 % of other people.
Printed are the mean AUC and accuracy of the five; the threshold is from the same 440 pairs, so that accuracy is a
little too high. The codebook is learnt once, from all training pictures without labels. No test pair is used.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
import typer

from likeness.data.faceset import FaceSet
from likeness.data.ingest import ingest
from likeness.data.protocol import SplitParams, make_split
from likeness.data.source_location import locate
from likeness.data.sources import DataParams
from likeness.data.splits import Pairs, Split
from likeness.metrics.roc import auc
from likeness.models.architecture import BACKBONES, COMPARATORS, ModelParams
from likeness.models.backbones.fisher import FisherVectors
from likeness.models.discriminant import principal_axes, within_class_whitening
from likeness.models.embedding import embed_pixels
from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess
from likeness.training.fitting.codebook import learn_codebook

STORED = DataParams("lfw-deepfunneled", None, crop=(156, 150), size=(104, 96))
WINDOWS = {"face, 120×100": (12, 16, 80, 64), "head, 156×134": (0, 5, 104, 86)}
DIVISIONS = 5
MODEL = ModelParams(BACKBONES.params("fisher"), COMPARATORS.params("cosine"), embedding_dim=33792)

Vectors = npt.NDArray[np.float32]
Fit = Callable[[Vectors, Vectors, Vectors], Callable[[Vectors], Vectors]]
"""A map from the vectors of the training faces, and of both sides of the pairs of one person."""


def main(mirror: Annotated[Path, typer.Option(help="Folder that holds the archive and the lists.")]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as folder:
        ingest(locate(STORED, mirror, {}), STORED, Path(folder) / "faces")
        faces = FaceSet.open(Path(folder) / "faces")
        splits = [make_split(faces, SplitParams(seed=seed)) for seed in range(DIVISIONS)]
        print("| window | map | AUC | accuracy |\n|---|---|---|---|")
        for seen, window in WINDOWS.items():
            vectors = described(faces, splits[0], window)
            for name, fit in maps().items():
                figures = np.array([measured(vectors, split, fit) for split in splits])
                print("| {} | {} | {:.4f} | {:.3f} |".format(seen, name, *figures.mean(axis=0)), flush=True)


def maps() -> dict[str, Fit]:
    """What is compared, by name."""
    found: dict[str, Fit] = {"none": lambda known, first, second: lambda vectors: vectors}
    for components in (200, 400, 800):
        found[f"PCA {components}, whitened"] = pca(components)
        for shrinkage in (0.1, 0.2, 0.3):
            found[f"PCA {components}, WCCN of pairs, shrinkage {shrinkage}"] = wccn(components, shrinkage)
    return found


def pca(components: int) -> Fit:
    return lambda known, first, second: principal_axes(known, components, fitted=len(known), seed=0, whiten=True)


def wccn(components: int, shrinkage: float) -> Fit:
    def fit(known: Vectors, first: Vectors, second: Vectors) -> Callable[[Vectors], Vectors]:
        axes = principal_axes(known, components, fitted=len(known), seed=0)
        whiten = within_class_whitening((axes(first) - axes(second)).astype(float) / np.sqrt(2), shrinkage)
        return lambda vectors: (axes(vectors) @ whiten).astype(np.float32)

    return fit


def described(faces: FaceSet, split: Split, window: tuple[int, int, int, int]) -> Vectors:
    """Fisher vectors [N, D], averaged with the mirror image's, of the faces in training pairs; others are 0."""
    top, left, height, width = window
    pixels = np.ascontiguousarray(faces.pixels[:, top : top + height, left : left + width])
    preprocess, siamese = (
        Preprocess((height, width), standardise="image"),
        build_siamese(MODEL, (height, width), 0),
    )
    assert isinstance(siamese.backbone, FisherVectors)
    rows = np.union1d(split.train.rows, split.holdout.rows)
    siamese.backbone.take(
        learn_codebook(siamese.backbone, lambda some: preprocess.tensor(torch.from_numpy(pixels[some])), rows, 0)
    )
    vectors = np.zeros((len(faces), MODEL.embedding_dim), np.float32)
    vectors[rows] = embed_pixels(siamese, preprocess, pixels, rows, mirror=True)
    return vectors


def measured(vectors: Vectors, split: Split, fit: Fit) -> tuple[float, float]:
    """AUC and best accuracy on the held-out pairs of one division."""
    pairs: Pairs = split.train
    apply = fit(vectors[pairs.rows], vectors[pairs.a[pairs.same]], vectors[pairs.b[pairs.same]])
    first, second = (apply(vectors[side]) for side in (split.holdout.a, split.holdout.b))
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    scores, same = (first * second).sum(axis=1) / lengths, split.holdout.same
    return auc(scores, same), max(((scores >= threshold) == same).mean() for threshold in scores)


if __name__ == "__main__":
    typer.run(main)
