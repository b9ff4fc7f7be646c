"""What finding the face costs in accuracy, against pictures that their data set has aligned.

    python -m studies.detection MODEL-FOLDER LFW-FOLDER

View 1's test pairs, with the model's own threshold: once framed as the archive holds them, once as the detector
frames them; and how many photographs show it no face (those are taken as they are).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from likeness.data.splits import Pairs
from likeness.errors import FaceNotFoundError
from likeness.faces import Face, find_face, framed
from likeness.images import Pixels
from likeness.metrics.roc import auc
from likeness.serving.verifier import Verifier
from studies.view1 import read_test_pairs


def main(
    model: Annotated[Path, typer.Argument(help="Folder of a trained model.")],
    lfw: Annotated[Path, typer.Argument(help="Folder with an LFW archive (.tgz) and pairsDevTest.txt.")],
) -> None:
    verifier = Verifier.load(model)
    pictures, pairs = read_test_pairs(lfw, colour=verifier.model.card.preprocess.colour)
    found, missed = found_faces(pictures)
    print(f"{verifier.model.card.recipe}, {len(pairs)} pairs of {len(pictures)} photographs; no face in {missed}")
    for name, faces in {"aligned": [framed(picture) for picture in pictures], "detected": found}.items():
        print(f"{name:9} {verdicts(verifier, pairs, faces)}")


def found_faces(pictures: Sequence[Pixels]) -> tuple[list[Face], int]:
    """As the detector frames them, and how many show it no face."""
    faces, missed = [], 0
    for picture in pictures:
        try:
            faces.append(find_face(picture))
        except FaceNotFoundError:
            faces.append(framed(picture))
            missed += 1
    return faces, missed


def verdicts(verifier: Verifier, pairs: Pairs, faces: Sequence[Face]) -> str:
    embeddings = verifier.embed_faces(faces)
    scores = verifier.model.comparator.pairs(embeddings[pairs.a], embeddings[pairs.b])
    correct = (verifier.model.card.decision.predict(scores) == pairs.same).mean()
    return f"accuracy {correct:.3f}, AUC {auc(scores, pairs.same):.4f}"


if __name__ == "__main__":
    typer.run(main)
