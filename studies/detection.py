"""What finding the face costs in accuracy, against pictures that their data set has aligned.

    python -m studies.detection MODEL-FOLDER LFW-FOLDER

View 1's test pairs, with the model's own threshold: framed as the archive holds them, by the box of `lfw-frame`,
and by the landmarks of `lfw-landmarks`; and how many photographs show no face (those are taken as they are).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from likeness.artifacts.source_card import Framing
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
    print(f"{verifier.model.card.recipe}, {len(pairs)} pairs of {len(pictures)} photographs")
    print(f"as LFW         {verdicts(verifier, pairs, [framed(picture) for picture in pictures])}")
    aligns: tuple[Framing, ...] = ("lfw-frame", "lfw-landmarks")
    for align in aligns:
        found, missed = found_faces(pictures, align)
        print(f"{align:14} {verdicts(verifier, pairs, found)}, no face in {missed}")


def found_faces(pictures: Sequence[Pixels], align: Framing) -> tuple[list[Face], int]:
    """Framed so, and how many show no face."""
    faces, missed = [], 0
    for picture in pictures:
        try:
            faces.append(find_face(picture, align=align))
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
