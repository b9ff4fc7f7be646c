"""Which map behind Fisher vectors verifies best where only pairs are granted, and how much it should see.

    python -m studies.restricted_maps --mirror FOLDER     # holds lfw-deepfunneled.tgz and the lists of View 1

The training pairs of View 1 are divided five times into 80 % that the maps are fitted on and 20 % of other people.
Printed are the mean AUC and accuracy of the five; the threshold is from the same 440 pairs, so that accuracy is a
little too high. The codebook is learnt once, from all training pictures without labels. No test pair is used.
"""

from __future__ import annotations

import logging
import tempfile
from collections import defaultdict
from collections.abc import Iterator
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
MOST = 800  # principal components

Vectors = npt.NDArray[np.floating]


def main(mirror: Annotated[Path, typer.Option(help="Folder that holds the archive and the lists.")]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as folder:
        ingest(locate(STORED, mirror, {}), STORED, Path(folder) / "faces")
        faces = FaceSet.open(Path(folder) / "faces")
        splits = [make_split(faces, SplitParams(seed=seed)) for seed in range(DIVISIONS)]
        print("| window | map | AUC | accuracy |\n|---|---|---|---|")
        for seen, window in WINDOWS.items():
            vectors = described(faces, splits[0], window)
            figures: dict[str, list[tuple[float, float]]] = defaultdict(list)
            for split in splits:
                for name, mapped in all_mapped(vectors, split):
                    figures[name].append(measured(mapped, split.holdout))
            for name, found in figures.items():
                print("| {} | {} | {:.4f} | {:.3f} |".format(seen, name, *np.mean(found, axis=0)), flush=True)


def all_mapped(vectors: npt.NDArray[np.float32], split: Split) -> Iterator[tuple[str, Vectors]]:
    """Each map fitted on the training pairs of a division: its name, and all faces [N, K] as it maps them."""
    pairs = split.train
    yield "none", vectors
    axes = principal_axes(vectors[pairs.rows], MOST, fitted=len(pairs.rows), seed=0)
    principal = axes(vectors).astype(np.float64)
    for components in (200, 400, MOST):
        reduced = principal[:, :components]
        yield f"PCA {components}, whitened", reduced / reduced[pairs.rows].std(axis=0)
        residuals = (reduced[pairs.a[pairs.same]] - reduced[pairs.b[pairs.same]]) / np.sqrt(2)
        for shrinkage in (0.1, 0.2, 0.3):
            whiten = within_class_whitening(residuals, shrinkage)
            yield f"PCA {components}, WCCN of pairs, shrinkage {shrinkage}", reduced @ whiten


def described(faces: FaceSet, split: Split, window: tuple[int, int, int, int]) -> npt.NDArray[np.float32]:
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


def measured(mapped: Vectors, pairs: Pairs) -> tuple[float, float]:
    """AUC and best accuracy of the cosine on pairs."""
    first, second = mapped[pairs.a], mapped[pairs.b]
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    scores = (first * second).sum(axis=1) / lengths
    return auc(scores, pairs.same), max(((scores >= threshold) == pairs.same).mean() for threshold in scores)


if __name__ == "__main__":
    typer.run(main)
