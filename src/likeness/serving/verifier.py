"""`Verifier`: photographs in, a verdict out, at a threshold whose false match rate is stated."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from likeness.artifacts.source_card import Framing
from likeness.data.cores import available_cores
from likeness.deprecated import former_attribute, reads_former
from likeness.errors import ImageError
from likeness.faces import Face
from likeness.images import Image, Pixels
from likeness.images.heat_overlay import HeatMap
from likeness.serving.explanation import Explainer
from likeness.serving.face_reading import Reading, read_face, read_faces
from likeness.serving.gallery_threshold import fmr_at, threshold_at
from likeness.serving.model import Runtime, ServedModel, open_model
from likeness.serving.numpy_comparators import Embeddings

S = TypeVar("S")
T = TypeVar("T")

_SURE = 0.7
_WORDS = ((0.99, "almost certainly"), (0.9, "very likely"), (_SURE, "probably"))
_IN_FLIGHT = 4  # photographs that are read ahead for each thread


@dataclass(frozen=True)
class Verification:
    """The verdict on one pair of photographs.

    Attributes:
        same: whether they are taken to show one person: the score reaches the threshold.
        score: the comparator's, higher = more alike.
        probability: calibrated, that they show one person, if mated and non-mated pairs are equally frequent.
        threshold: on the score's scale.
        fmr: share of pairs of different people that the threshold accepts; None where the card cannot say.
        faces: the framed faces that were compared, before the model's crop.
    """

    same: bool
    score: float
    probability: float
    threshold: float
    fmr: float | None
    faces: tuple[Face, Face]

    far = former_attribute("far", "fmr")

    @property
    def words(self) -> str:
        """The probability in words, such as "very likely the same person"."""
        return in_words(self.probability)

    @property
    def sure(self) -> bool:
        """Whether decision and probability agree, and the probability is well away from even."""
        return self._agrees and max(self.probability, 1 - self.probability) >= _SURE

    @property
    def headline(self) -> str:
        """The decision in a few words that the probability does not contradict.

        A threshold that was chosen may be stricter, or more lenient, than the probability: then they say so.
        """
        if not self._agrees:
            return "Accepted at this threshold" if self.same else "Not accepted at this threshold"
        if not self.sure:
            return "Perhaps the same person" if self.same else "Perhaps different people"
        return "Same person" if self.same else "Different people"

    @property
    def _agrees(self) -> bool:
        return self.same == (self.probability >= 0.5)


class DecisionPoint(NamedTuple):
    """A threshold on the score's scale, and its false match rate; None where the card cannot say."""

    threshold: float
    fmr: float | None


class Verifier:
    """Compares faces with one model; safe to be used by several threads at once.

    Example::

        from likeness import Verifier

        verifier = Verifier.load()
        result = verifier.verify("a.jpg", "b.jpg", fmr=0.01)
        print(result.same, result.words)

    Args:
        model: the model.
    """

    def __init__(self, model: ServedModel) -> None:
        self.model = model
        self._explainer = Explainer(model)

    @classmethod
    def load(cls, source: str | Path | None = None, runtime: Runtime = "auto", threads: int = 1) -> Verifier:
        """Loads a model; see `likeness.serving.model.open_model` for the arguments and errors.

        Without a source it is the project's own, models/model of the current folder, else the packaged one.
        """
        return cls(open_model(source, runtime, threads))

    @property
    def digest(self) -> str:
        """Hex sha256 of the weights, by which galleries know their model."""
        return self.model.card.weights_sha256

    @property
    def name(self) -> str:
        """The model in words: where it was taken from, its recipe, its data and the start of its digest."""
        card = self.model.card
        return f"{self.model.name or self.model.folder} ({card.recipe} on {card.source}, {self.digest[:12]})"

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.model.card.model.output_dim

    @property
    def unit(self) -> bool:
        """Whether embeddings lie on the unit sphere."""
        return self.model.card.model.unit

    def reading(self, aligned: bool) -> Reading:
        """How photographs are framed for the model; `aligned` ones are framed like LFW's pictures already."""
        card = self.model.card
        found: Framing = "lfw-landmarks" if card.align == "none" else card.align
        return Reading("none" if aligned else found, card.preprocess.colour)

    def face(self, picture: Image, *, aligned: bool = False, name: str | None = None, number: int = 1) -> Face:
        """Reads a photograph and frames its largest face, or another.

        Args:
            picture: path, file content or pixels.
            aligned: it is framed like LFW's pictures already; no face is searched for.
            name: what a message calls it.
            number: of the face: 1 is the largest clear one, the others follow by size.

        Raises:
            FaceNotFoundError: there is no face, or there are fewer than `number`.
            ImageError: it is no usable image.
        """
        return read_face(picture, self.reading(aligned), _called(picture, name), number)

    def largest_faces(self, pictures: Iterable[Image], *, aligned: bool = False) -> Iterator[Face | ImageError]:
        """The largest face of each photograph in turn, or the error that it raised; read ahead on every core."""
        return read_ahead(lambda picture: self.face(picture, aligned=aligned), pictures)

    def faces_in(self, picture: Image, *, aligned: bool = False, number: int | None = None) -> list[Face]:
        """Every face of a photograph in the order of their numbers, or the one of a number; see `face`."""
        if number is not None:
            return [self.face(picture, aligned=aligned, number=number)]
        return read_faces(picture, self.reading(aligned), _called(picture))

    def faces_in_each(
        self, pictures: Iterable[Image], *, aligned: bool = False, number: int | None = None
    ) -> Iterator[list[Face] | ImageError]:
        """As `faces_in`, of each photograph in turn, or the error that it raised; read ahead on every core."""
        return read_ahead(lambda picture: self.faces_in(picture, aligned=aligned, number=number), pictures)

    def windows(self, faces: Sequence[Face]) -> Pixels:
        """What the network sees of each face, uint8 [N, H, W] or [N, H, W, 3]."""
        preprocess = self.model.card.preprocess
        empty = np.empty((0, *preprocess.size), dtype=np.uint8)
        return np.stack([preprocess.window(face.frame) for face in faces]) if faces else empty

    def embed_faces(self, faces: Sequence[Face]) -> Embeddings:
        """Embeddings float32 [N, D] of framed faces."""
        return self.model.embed(self.windows(faces))

    def embed(self, pictures: Sequence[Image], *, aligned: bool = False) -> Embeddings:
        """Embeddings float32 [N, D] of photographs.

        Raises:
            ImageError: one of them cannot be used.
        """
        return self.embed_faces([_raised(face) for face in self.largest_faces(pictures, aligned=aligned)])

    @reads_former(far="fmr")
    def verify(
        self,
        first: Image,
        second: Image,
        *,
        fmr: float | None = None,
        threshold: float | None = None,
        aligned: bool = False,
    ) -> Verification:
        """Whether two photographs show the same person; see `verify_many`."""
        return self.verify_many([(first, second)], fmr=fmr, threshold=threshold, aligned=aligned)[0]

    @reads_former(far="fmr")
    def verify_many(
        self,
        pairs: Sequence[tuple[Image, Image]],
        *,
        fmr: float | None = None,
        threshold: float | None = None,
        aligned: bool = False,
    ) -> list[Verification]:
        """Whether the photographs of each pair show the same person; each file is read and embedded once.

        Args:
            pairs: photographs.
            fmr: decide at the threshold at which this share of pairs of different people is accepted; by default
                at the threshold with the fewest errors on the model's held-out pairs.
            threshold: decide at this score instead; it takes precedence over `fmr`.
            aligned: see `face`.

        Raises:
            ImageError: a photograph cannot be used, or shows no face.
            ModelError: the model's card does not support the false match rate.
        """
        point = self.decision_point(fmr, threshold)
        places: dict[object, int] = {}
        pictures = [picture for pair in pairs for picture in pair]
        rows = [places.setdefault(picture_key(picture), len(places)) for picture in pictures]
        unique = dict(zip(rows, pictures, strict=True))
        faces = [_raised(face) for face in self.largest_faces(unique.values(), aligned=aligned)]
        embeddings = self.embed_faces(faces)
        first, second = np.asarray(rows[0::2], dtype=np.intp), np.asarray(rows[1::2], dtype=np.intp)
        scores = self.model.comparator.pairs(embeddings[first], embeddings[second])
        return [
            self.verdict(float(score), (faces[a], faces[b]), point)
            for score, a, b in zip(scores, first, second, strict=True)
        ]

    @reads_former(far="fmr")
    def compare(
        self, first: Face, second: Face, *, fmr: float | None = None, threshold: float | None = None
    ) -> Verification:
        """Whether two framed faces are of the same person; see `verify_many`."""
        point = self.decision_point(fmr, threshold)
        embeddings = self.embed_faces([first, second])
        score = float(self.model.comparator.pairs(embeddings[:1], embeddings[1:])[0])
        return self.verdict(score, (first, second), point)

    def explain(self, result: Verification) -> tuple[HeatMap, HeatMap]:
        """What decided: a map float32 [H, W] in [0, 1] over each of the two `windows`.

        Raises:
            ModelError: the model's weights are not at hand (its exported tower alone cannot explain).
        """
        first, second = self.windows(result.faces)
        return self._explainer.heats(first, second, result.same)

    def verdict(self, score: float, faces: tuple[Face, Face], point: DecisionPoint) -> Verification:
        """The verdict on a pair whose score is known already."""
        return Verification(score >= point.threshold, score, self.probability(score), *point, faces)

    def probability(self, score: float) -> float:
        """Calibrated probability that a pair of this score shows one person."""
        return float(self.model.card.decision.probability(np.asarray(score)))

    def decision_point(self, fmr: float | None, threshold: float | None) -> DecisionPoint:
        """The threshold that is meant, and its false match rate; see `verify_many`."""
        decision = self.model.card.decision
        if threshold is None and fmr is not None:
            return DecisionPoint(threshold_at(decision, fmr), fmr)
        chosen = decision.threshold if threshold is None else threshold
        return DecisionPoint(chosen, fmr_at(decision, chosen))


def in_words(probability: float) -> str:
    """A calibrated probability that two photographs show one person, in words."""
    for bound, words in _WORDS:
        if probability >= bound:
            return f"{words} the same person"
        if 1 - probability >= bound:
            return f"{words} different people"
    return (
        "more likely the same person than not" if probability >= 0.5 else "more likely different people than not"
    )


def picture_key(picture: Image) -> object:
    """Equal for photographs that need to be read only once."""
    if isinstance(picture, (str, Path)):
        return str(picture)
    return picture if isinstance(picture, bytes) else id(picture)


def _called(picture: Image, name: str | None = None) -> str:
    return name or (str(picture) if isinstance(picture, (str, Path)) else "the image")


def read_ahead(read: Callable[[S], T], pictures: Iterable[S]) -> Iterator[T | ImageError]:
    """What `read` returns for each photograph in turn, or the error that it raised; read ahead on every core."""

    def read_or_error(picture: S) -> T | ImageError:
        try:
            return read(picture)
        except ImageError as error:
            return error

    cores = available_cores()
    with ThreadPoolExecutor(cores) as pool:
        pending: deque[Future[T | ImageError]] = deque()
        for picture in pictures:
            pending.append(pool.submit(read_or_error, picture))
            if len(pending) >= _IN_FLIGHT * cores:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _raised(face: Face | ImageError) -> Face:
    if isinstance(face, ImageError):
        raise face
    return face
