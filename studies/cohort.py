"""What a cohort is worth to a trained model, by its size and by how many of the nearest count.

    python -m studies.cohort results/runs/best-colour-seed0     # a finished training of `make results`

Accuracy (at the threshold that is best on these pairs) and AUC are of the held-out pairs, FNMR is of all
comparisons between photographs of held-out people. No test pair is used.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
import typer
from torch import nn

from likeness.data.faceset import FaceSet
from likeness.data.splits import Identities, Split
from likeness.experiments.trials import TrialFolder
from likeness.metrics.roc import auc, roc
from likeness.models.comparators.csls import Csls
from likeness.models.embedding import embed_pixels
from likeness.models.weights import load_model
from likeness.training.fitting.cohort import cohort_rows

_RATES = (1e-2, 1e-3, 1e-4)

Floats = npt.NDArray[np.floating]


def main(run: Annotated[Path, typer.Argument(help="Folder of a finished training, unrestricted.")]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    trial = TrialFolder(run.resolve().parents[1], run.name)
    faces, split, model = FaceSet.open(trial.faces), Split.open(run / "splits"), load_model(run / "model")
    people, held = split.identities, split.holdout_identities
    assert people is not None, "the restricted protocol has no held-out identities"
    assert held is not None
    everyone = cohort_rows(people, len(people), seed=0)
    rows = np.concatenate([held.rows, everyone])
    embeddings = embed_pixels(model.siamese, model.card.preprocess, faces.pixels, rows, mirror=model.card.mirror)
    vectors = nn.functional.normalize(torch.from_numpy(embeddings).double(), dim=-1)
    own, cohort = vectors[: len(held.rows)], vectors[len(held.rows) :]
    print(f"{len(held.rows)} photographs of {held.people} held-out people, {len(cohort)} training people")
    print("| cohort | nearest | accuracy | AUC | " + " | ".join(f"FNMR at FMR {rate:g}" for rate in _RATES) + " |")
    print("|---|---|---|---|" + "---|" * len(_RATES))
    for size, nearest in settings(len(cohort)):
        drawn = cohort[torch.from_numpy(np.random.default_rng(0).permutation(len(cohort))[:size])]
        scores = compared(own, drawn, nearest)
        print(
            f"| {size or 'none'} | {nearest or '–'} | " + " | ".join(figures(scores, held, split)) + " |",
            flush=True,
        )


def settings(people: int) -> Iterator[tuple[int, int]]:
    """Sizes of the cohort, each with how many of the nearest count."""
    yield 0, 0
    yield from ((people, nearest) for nearest in (5, 10, 20, 50, 100, 300))
    yield from ((size, 20) for size in (250, 500, 1000, 2000) if size < people)


def compared(own: torch.Tensor, cohort: torch.Tensor, nearest: int) -> Floats:
    """Scores [M, M] of all photographs with each other; of cosines alone without a cohort."""
    cosines = own @ own.T
    if len(cohort):
        csls = Csls(own.shape[1], len(cohort), nearest).double()
        csls.cohort.copy_(cohort)
        resemblance = csls.prepared(own)[:, -1]
        cosines = cosines - (resemblance[:, None] + resemblance) / 2
    return cosines.numpy()


def figures(scores: Floats, held: Identities, split: Split) -> list[str]:
    """The columns of a line of the table."""
    pairs = split.holdout
    listed = scores[np.searchsorted(held.rows, pairs.a), np.searchsorted(held.rows, pairs.b)]
    accuracy = max(((listed >= threshold) == pairs.same).mean() for threshold in listed)
    first, second = np.triu_indices(len(held.rows), k=1)
    curve = roc(scores[first, second], held.labels[first] == held.labels[second])
    rates = [1 - curve.tmr_at_fmr(rate)[0] for rate in _RATES]
    return [f"{accuracy:.3f}", f"{auc(listed, pairs.same):.4f}", *(f"{rate:.3f}" for rate in rates)]


if __name__ == "__main__":
    typer.run(main)
