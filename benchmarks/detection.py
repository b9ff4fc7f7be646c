"""What finding the face costs in accuracy, against pictures that their data set has aligned.

    python -m benchmarks.detection MODEL-FOLDER LFW-FOLDER

View 1's test pairs, with the model's own threshold: once framed as the archive holds them, once as the detector
frames them; and how many photographs show it no face (those are taken as they are).
"""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from likeness.errors import FaceNotFoundError
from likeness.faces import Face, find_face, framed
from likeness.images import Pixels, read_image
from likeness.serving.verifier import Verifier

Photo = tuple[str, int]


def main(
    model: Annotated[Path, typer.Argument(help="Folder of a trained model.")],
    lfw: Annotated[Path, typer.Argument(help="Folder with an LFW archive (.tgz) and pairsDevTest.txt.")],
) -> None:
    verifier = Verifier.load(model)
    pairs = read_pairs(lfw / "pairsDevTest.txt")
    photos = sorted({photo for first, second, _ in pairs for photo in (first, second)})
    pictures = read_photographs(lfw, photos)
    found, missed = found_faces(pictures)
    print(f"{verifier.model.card.recipe}, {len(pairs)} pairs of {len(photos)} photographs; no face in {missed}")
    for name, faces in {"aligned": [framed(picture) for picture in pictures], "detected": found}.items():
        tell(name, verifier, pairs, photos, faces)


def read_pairs(path: Path) -> list[tuple[Photo, Photo, bool]]:
    """The official form: NAME n m for the same person, NAME n OTHER m for different people."""
    pairs: list[tuple[Photo, Photo, bool]] = []
    for line in path.read_text().splitlines()[1:]:
        words = line.split()
        other = words[0] if len(words) == 3 else words[2]
        pairs.append(((words[0], int(words[1])), (other, int(words[-1])), len(words) == 3))
    return pairs


def read_photographs(lfw: Path, photos: Sequence[Photo]) -> list[Pixels]:
    wanted = {f"{name}_{number:04d}.jpg": place for place, (name, number) in enumerate(photos)}
    pictures: dict[int, Pixels] = {}
    with tarfile.open(next(lfw.glob("*.t*gz")), "r|gz") as archive:
        for member in archive:
            place = wanted.get(Path(member.name).name)
            stream = archive.extractfile(member) if place is not None else None
            if place is not None and stream is not None:
                pictures[place] = read_image(stream.read(), member.name)
    return [pictures[place] for place in range(len(photos))]


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


def tell(
    name: str,
    verifier: Verifier,
    pairs: Sequence[tuple[Photo, Photo, bool]],
    photos: Sequence[Photo],
    faces: Sequence[Face],
) -> None:
    places = {photo: place for place, photo in enumerate(photos)}
    embeddings = verifier.embed_faces(faces)
    first = embeddings[[places[pair[0]] for pair in pairs]]
    second = embeddings[[places[pair[1]] for pair in pairs]]
    same = np.array([pair[2] for pair in pairs])
    scores = verifier.model.comparator.pairs(first, second)
    correct = (verifier.model.card.decision.predict(scores) == same).mean()
    ahead = scores[same][:, None] - scores[~same][None, :]
    auc = ((ahead > 0) + 0.5 * (ahead == 0)).mean()
    print(f"{name:9} accuracy {correct:.3f}, AUC {auc:.4f}")


if __name__ == "__main__":
    typer.run(main)
