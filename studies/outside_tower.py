"""LFW deep-funneled with an outside tower alone, without the pipeline and its other figures.

    likeness tower fetch dlib
    python -m studies.outside_tower towers/dlib/tower.json LFW-FOLDER [--view 2]

The face in the middle is framed and fed as the tower's card says; its embedding is averaged with that of its
mirror image. The threshold is the most accurate one on training pairs, whose people are in no test pair; in View
2, on the pairs of the nine other folds. A photograph that shows no face counts with its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from likeness.data.archive import open_reader
from likeness.data.layout import lfw_layout
from likeness.data.pairs import ListedPair, read_pairs
from likeness.errors import FaceNotFoundError
from likeness.faces import framed, iter_faces
from likeness.images import read_image
from likeness.metrics.intervals import Resampling, bootstrap, pair_groups
from likeness.metrics.roc import roc
from likeness.metrics.scores import weighted_mean
from likeness.metrics.thresholds import best_threshold
from likeness.models.architecture import BACKBONES, COMPARATORS, ModelParams
from likeness.models.embedding import embed_pixels
from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess
from likeness.models.towers.tower_card import TowerCard, read_tower_card
from likeness.progress import progress

Embeddings = dict[tuple[str, int], npt.NDArray[np.float32]]


def main(
    card: Annotated[Path, typer.Argument(help="The tower's card.")],
    lfw: Annotated[Path, typer.Argument(help="Folder with the archive, pairsDevTrain.txt and pairsDevTest.txt.")],
    train_pairs: Annotated[int, typer.Option(help="Training pairs to choose the threshold on.")] = 2200,
    view: Annotated[int, typer.Option(help="1, or 2 for the ten folds of pairs.txt.")] = 1,
) -> None:
    tower = read_tower_card(card)
    if view == 2:
        view_2(card, lfw, tower)
        return
    (train,), (test,) = read_pairs(lfw / "pairsDevTrain.txt"), read_pairs(lfw / "pairsDevTest.txt")
    train = train[:: max(1, len(train) // train_pairs)]
    embeddings = embedded([*train, *test], lfw, card, tower)
    threshold = best_threshold(*scored(train, embeddings, tower))
    scores, same = scored(test, embeddings, tower)
    correct = (scores >= threshold) == same
    found = bootstrap(
        lambda weights: {"accuracy": weighted_mean(correct, weights), "AUC": roc(scores, same, weights).auc()},
        pair_groups([pair.first.person for pair in test], [pair.second.person for pair in test]),
        Resampling(1000, 0),
        same,
        members={"accuracy": np.ones_like(same)},
    )
    print(f"{tower.name}, {tower.category}; threshold {threshold:.4f} of {len(train)} training pairs")
    for name, figure in found.items():
        print(f"{name} {figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}] on {len(test)} test pairs")
    print(f"{int((~correct & same).sum())} false non-matches, {int((~correct & ~same).sum())} false matches")


def view_2(card: Path, lfw: Path, tower: TowerCard) -> None:
    """Prints the accuracy of each fold, their mean and its standard error."""
    folds = read_pairs(lfw / "pairs.txt")
    embeddings = embedded([pair for fold in folds for pair in fold], lfw, card, tower)
    found = [scored(fold, embeddings, tower) for fold in folds]
    accuracies = []
    for number, (scores, same) in enumerate(found):
        others = [each for place, each in enumerate(found) if place != number]
        threshold = best_threshold(*(np.concatenate(column) for column in zip(*others, strict=True)))
        accuracies.append(float(((scores >= threshold) == same).mean()))
    error = np.std(accuracies, ddof=1) / np.sqrt(len(accuracies))
    print(f"{tower.name}, {tower.category}; folds {', '.join(f'{one:.4f}' for one in accuracies)}")
    print(f"View 2: {np.mean(accuracies):.4f} ± {error:.4f} (standard error of the mean of {len(folds)} folds)")


def embedded(pairs: Sequence[ListedPair], lfw: Path, card: Path, tower: TowerCard) -> Embeddings:
    """Embeddings of the photographs that pairs name."""
    wanted = {image for pair in pairs for image in (pair.first, pair.second)}
    reader = open_reader(next(lfw.glob("*.t*gz")), lambda path: lfw_layout(path) in wanted)
    shape = (*tower.size, 3) if tower.channels == 3 else tower.size
    preprocess, names, faces, missed = Preprocess(shape, tower.crop), [], [], 0
    for file in progress(reader, "faces", len(wanted), "photos"):
        photograph = read_image(file.data, file.path, colour=True)
        try:
            face = next(
                iter_faces(photograph, align=tower.align, choice="central")
            )  # in profile too: the lists name them
        except FaceNotFoundError:
            face, missed = framed(photograph), missed + 1
        names.append(lfw_layout(file.path))
        faces.append(preprocess.window(face.frame))
    print(f"{len(faces)} photographs, no face found in {missed}", flush=True)
    backbone = BACKBONES.params("external", card=str(card))
    params = ModelParams(backbone, COMPARATORS.params("euclidean"), tower.embedding_dim).resolved()
    given = embed_pixels(build_siamese(params, shape, 0), preprocess, np.stack(faces), mirror=True)
    return {name: embedding for name, embedding in zip(names, given, strict=True) if name is not None}


def scored(
    pairs: Sequence[ListedPair], embeddings: Embeddings, tower: TowerCard
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Scores of pairs by the tower's distance, and which pairs are mated."""
    first, second = (np.stack([embeddings[getattr(pair, side)] for pair in pairs]) for side in ("first", "second"))
    if tower.distance == "cosine":
        first, second = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (first, second))
    scores = -np.linalg.norm(first.astype(np.float64) - second, axis=1)
    return scores, np.array([pair.same for pair in pairs])


if __name__ == "__main__":
    typer.run(main)
