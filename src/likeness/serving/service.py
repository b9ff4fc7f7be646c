"""What the page and its programs can ask for, without HTTP: photographs in, plain replies out."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from likeness.errors import DisagreementError, LikenessError, RequestError
from likeness.faces import Box, Face
from likeness.images.data_uri import data_uri
from likeness.images.heat_overlay import heat_layer
from likeness.models.card import CARD, read_card
from likeness.serving.face_reading import Reading, numbered, read_faces
from likeness.serving.gallery import Person
from likeness.serving.gallery_file import remove_people
from likeness.serving.model import model_folder
from likeness.serving.people import DEFAULT_FPIR, Candidate, People
from likeness.serving.png import png
from likeness.serving.request_queues import ReadFaces
from likeness.serving.verifier import Verifier

_LOGIT = math.log(0.999 / 0.001)
_CHOICES = 20  # faces of a photograph that are shown for choice

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FaceReply:
    """A face that was compared.

    Attributes:
        crop: what the network saw, a PNG as data URI.
        box: where the photograph shows it; None where it was framed already.
        others: further faces in the same photograph.
        number: of this face among them all, from 1; see `Face.number`.
        choices: crops of the first twenty in the order of their numbers; empty where there is one.
        warnings: why the comparison may go wrong, such as "too small: 31 px".
    """

    crop: str = field(repr=False)
    box: Box | None
    others: int
    number: int
    choices: tuple[str, ...] = field(repr=False)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class VerdictReply:
    """The answer to "the same person?"; the figures are those of `Verification`.

    `threshold_probability` is the probability at the threshold itself.
    """

    same: bool
    headline: str
    sure: bool
    probability: float
    words: str
    score: float
    threshold: float
    threshold_probability: float
    fmr: float | None
    faces: tuple[FaceReply, FaceReply]


@dataclass(frozen=True)
class HeatReply:
    """What decided: a layer for each of the two crops, PNGs with transparency as data URIs."""

    heat: tuple[str, str] = field(repr=False)


@dataclass(frozen=True)
class IdentityReply:
    """The answer to "who is this?"; the figures are those of `Identification`.

    `axis` holds the scores between which a chart shows the candidates: those of probabilities near 0 and 1, and
    the threshold.
    """

    name: str | None
    candidates: tuple[Candidate, ...]
    threshold: float
    fpir: float | None
    people: int
    extended: bool
    axis: tuple[float, float]
    face: FaceReply


@dataclass(frozen=True)
class PersonReply:
    """An enrolled person; `enrolled` is an ISO 8601 time."""

    name: str
    photos: int
    kept: int
    enrolled: str


@dataclass(frozen=True)
class Settings:
    """How a question is to be answered; see `Verifier.verify` and `Verifier.face`.

    Attributes:
        rate: the false match rate, see `Verifier.verify_many`, or for `identify` the `fpir` of `People.identify`.
        threshold: see `Verifier.verify_many`.
        aligned: see `Verifier.face`.
        faces: numbers of the faces that are looked at, in the first photograph and in the second.
    """

    rate: float | None = None
    threshold: float | None = None
    aligned: bool = False
    faces: tuple[int, int] = (1, 1)


class Service:
    """One model and one gallery, used by many threads.

    Args:
        source: of the model, see `open_model`.
        gallery: the gallery's file; it need not exist.

    Raises:
        LikenessError: the model cannot be loaded.
    """

    def __init__(self, source: str | Path | None, gallery: Path) -> None:
        self._source, self._gallery = source, gallery
        self._changing = threading.Lock()
        self._people = People(gallery, Verifier.load(source))

    def without_paths(self, message: str) -> str:
        """A message for people who use the service, to whom the server's files are nobody's business."""
        for path, called in ((self._gallery, "the gallery"), (self.verifier.model.folder, "the model")):
            for text in {str(path), str(path.absolute())}:
                message = message.replace(f"{text}: ", "").replace(text, called)
        return message

    @property
    def verifier(self) -> Verifier:
        """The model in use."""
        return self._people.verifier

    def refresh(self) -> bool:
        """Takes the model that the source holds now, if it is another one; returns whether it was.

        Whatever goes wrong is logged, and the model in use stays in use.
        """
        with self._changing:
            try:
                folder = model_folder(self._source)
                if read_card(folder / CARD).weights_sha256 == self.verifier.digest:
                    return False
                self._people = People(self._gallery, Verifier.load(folder))
            except LikenessError as error:
                _log.warning("the model in use is kept: %s", error)
                return False
            return True

    def verify(
        self, first: bytes, second: bytes, settings: Settings, read: ReadFaces = read_faces
    ) -> VerdictReply:
        """Whether two photographs show the same person."""
        verifier = self.verifier
        found = _pair(read, first, second, verifier.reading(settings.aligned))
        faces = _chosen(found, settings.faces)
        result = verifier.compare(*faces, fmr=settings.rate, threshold=settings.threshold)
        return VerdictReply(
            same=result.same,
            headline=result.headline,
            sure=result.sure,
            probability=result.probability,
            words=result.words,
            score=result.score,
            threshold=result.threshold,
            threshold_probability=verifier.probability(result.threshold),
            fmr=result.fmr,
            faces=(_face_reply(verifier, faces[0], found[0]), _face_reply(verifier, faces[1], found[1])),
        )

    def explain(self, first: bytes, second: bytes, settings: Settings, read: ReadFaces = read_faces) -> HeatReply:
        """What decided about two photographs."""
        verifier = self.verifier
        faces = _chosen(_pair(read, first, second, verifier.reading(settings.aligned)), settings.faces)
        heats = verifier.explain(verifier.compare(*faces, fmr=settings.rate, threshold=settings.threshold))
        return HeatReply((data_uri(png(heat_layer(heats[0])), "png"), data_uri(png(heat_layer(heats[1])), "png")))

    def identify(self, photo: bytes, top: int, settings: Settings, read: ReadFaces = read_faces) -> IdentityReply:
        """Who a photograph shows."""
        people = self._people
        found = read(photo, people.verifier.reading(settings.aligned), "the photograph")
        face = numbered(found, settings.faces[0], "the photograph")
        fpir = DEFAULT_FPIR if settings.rate is None else settings.rate
        (result,) = people.identify([face], top=top, fpir=fpir, threshold=settings.threshold)
        return IdentityReply(
            name=result.name,
            candidates=result.candidates,
            threshold=result.limit.threshold,
            fpir=result.limit.fpir,
            people=result.limit.people,
            extended=result.limit.extended,
            axis=_axis(people.verifier, result.limit.threshold),
            face=_face_reply(people.verifier, face, found),
        )

    def enrol(
        self,
        name: str,
        photos: Sequence[bytes],
        keep: bool,
        force: bool,
        settings: Settings,
        read: ReadFaces = read_faces,
    ) -> PersonReply:
        """Adds a person, or photographs of one; all of them are used or none.

        Raises:
            DisagreementError: the photographs do not look like one person, and `force` is not set.
        """
        if not photos:
            raise RequestError("choose one photograph or more")
        people = self._people
        reading = people.verifier.reading(settings.aligned)
        names = [f"photograph {number}" for number in range(1, len(photos) + 1)]
        faces = [
            numbered(read(photo, reading, called), 1, called) for photo, called in zip(photos, names, strict=True)
        ]
        result = people.enrol({name: faces}, keep=keep, force=force)
        for doubt in result.doubts:
            raise DisagreementError(doubt.sentence(names))
        return _person_reply(result.people[0])

    def remove(self, name: str) -> None:
        """Removes a person with every trace."""
        remove_people(self._gallery, [name])

    def everyone(self) -> list[PersonReply]:
        """Who is enrolled."""
        return [_person_reply(person) for person in self._people.everyone()]


_FIRST, _SECOND = "the first photograph", "the second photograph"


def _pair(read: ReadFaces, first: bytes, second: bytes, reading: Reading) -> tuple[list[Face], list[Face]]:
    """The faces of two photographs; a message says which of them cannot be used."""
    return read(first, reading, _FIRST), read(second, reading, _SECOND)


def _chosen(found: tuple[list[Face], list[Face]], numbers: tuple[int, int]) -> tuple[Face, Face]:
    return numbered(found[0], numbers[0], _FIRST), numbered(found[1], numbers[1], _SECOND)


def _axis(verifier: Verifier, threshold: float) -> tuple[float, float]:
    """Scores of the probabilities 0.001 and 0.999, and the threshold between them, or at an end."""
    decision = verifier.model.card.decision
    if decision.slope == 0:
        return threshold - 1, threshold + 1
    low, high = sorted((logit - decision.intercept) / decision.slope for logit in (-_LOGIT, _LOGIT))
    return min(low, threshold), max(high, threshold)


def _face_reply(verifier: Verifier, face: Face, found: Sequence[Face]) -> FaceReply:
    choices = found[:_CHOICES] if len(found) > 1 else []
    crop, *crops = (data_uri(png(window), "png") for window in verifier.windows([face, *choices]))
    return FaceReply(crop, face.box, face.others, face.number, tuple(crops), face.warnings)


def _person_reply(person: Person) -> PersonReply:
    return PersonReply(person.name, person.photos, person.kept, person.enrolled.isoformat())
