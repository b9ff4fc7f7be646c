"""Who is this? Enrolment into a gallery file, and identification against it; unknown people are refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from likeness.deprecated import reads_former
from likeness.errors import GalleryError
from likeness.faces import Face
from likeness.serving.gallery import Enrolment, Gallery, Person, clean_name
from likeness.serving.gallery_file import editing, load_gallery, remove_people, save_gallery
from likeness.serving.gallery_threshold import GalleryThreshold, gallery_threshold
from likeness.serving.numpy_comparators import Embeddings
from likeness.serving.search import Search
from likeness.serving.verifier import Verifier

DEFAULT_FPIR = 0.01
"""False positive identification rate: of somebody not enrolled being taken for anyone in the gallery."""
DOUBTFUL = 0.2
"""Calibrated probability below which a photograph and the person's others are taken to disagree.

On LFW's View 1 test pairs, with pretrained/arcface-lfw: 83 % of the pairs of different people lie below it, and
4.6 % of those of one person. Of 58 test people enrolled from three photographs, 41 refused their neighbour's.
"""


@dataclass(frozen=True)
class Candidate:
    """A person of the gallery who is like the probe.

    Attributes:
        name: of the person.
        score: the comparator's, higher = more alike.
        probability: calibrated chance that both are one person, for this pair alone, where as many pairs show one
            person as do not; in a large gallery the best of many other people has a high one too.
    """

    name: str
    score: float
    probability: float


@dataclass(frozen=True)
class Identification:
    """Who a photograph shows.

    Attributes:
        name: of the person; None for somebody whom the gallery does not hold.
        candidates: the most alike, best first.
        limit: what the best must reach.
        face: what was compared.
    """

    name: str | None
    candidates: tuple[Candidate, ...]
    limit: GalleryThreshold
    face: Face


@dataclass(frozen=True)
class Doubt:
    """Photographs that look like somebody else than the person as whom they were to be enrolled.

    Attributes:
        name: of the person.
        photographs: places in the list of the person's new photographs, from 0.
        probability: that such a photograph and the person's others show one person; the lowest of them.
    """

    name: str
    photographs: tuple[int, ...]
    probability: float

    def sentence(self, labels: Sequence[str]) -> str:
        """Says which photographs disagree; `labels` are what the new photographs are called."""
        shown = ", ".join(labels[number] for number in self.photographs[:5])
        more = f" and {len(self.photographs) - 5} more" if len(self.photographs) > 5 else ""
        return (
            f"{shown}{more}: not like {self.name}'s other photographs (probability of one person "
            f"{self.probability:.1%}); nothing of {self.name} was enrolled"
        )


@dataclass(frozen=True)
class EnrolmentResult:
    """Who was enrolled, and who was not because the photographs disagree."""

    people: list[Person]
    doubts: list[Doubt]


class People:
    """The people of one gallery file, as one model sees them; safe to be used by several threads at once.

    The file is read when it has changed, so that other programs may enrol people meanwhile.

    Args:
        path: of the gallery; it need not exist before somebody is enrolled.
        verifier: its model must be the one that made the gallery.
    """

    def __init__(self, path: Path, verifier: Verifier) -> None:
        self.path = path
        self.verifier = verifier
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._gallery = Gallery.empty(verifier.digest, verifier.dim)
        self._search = Search(self._gallery.embeddings, verifier.model.comparator)

    def everyone(self) -> list[Person]:
        """Everyone, in the order of enrolment.

        Raises:
            GalleryError: the file cannot be used.
        """
        return load_gallery(self.path).people() if self.path.exists() else []

    def enrol(
        self, photographs: Mapping[str, Sequence[Face]], *, keep: bool = False, force: bool = False
    ) -> EnrolmentResult:
        """Adds people, or photographs to people; they are recognised from the next search on.

        Each photograph is compared with the person's others, new and enrolled. Where one of them is
        doubtful, nothing of that person is enrolled.

        Args:
            photographs: name -> framed faces of that person.
            keep: keep the framed photographs in the gallery, so that a later model can embed them again.
            force: enrol photographs that disagree, too.

        Raises:
            GalleryError: a name cannot be used, a person comes without a photograph, or the gallery is another
                model's.
        """
        names = [clean_name(name) for name in photographs]  # before any work
        embeddings = self.verifier.embed_faces([face for faces in photographs.values() for face in faces])
        ends = np.cumsum([len(faces) for faces in photographs.values()])[:-1]
        enrolments = [
            Enrolment(name, some, np.stack([face.frame for face in faces]) if keep and faces else None)
            for name, faces, some in zip(names, photographs.values(), np.split(embeddings, ends), strict=True)
        ]
        with editing(self.path):
            before = self._read()
            doubts = [] if force else list(self._doubts(before, enrolments))
            doubtful = {doubt.name for doubt in doubts}
            gallery = before.with_people([each for each in enrolments if each.name not in doubtful])
            if len(doubtful) < len(set(names)):
                save_gallery(self.path, gallery)
        enrolled = set(names) - doubtful
        return EnrolmentResult([person for person in gallery.people() if person.name in enrolled], doubts)

    def _doubts(self, gallery: Gallery, enrolments: Sequence[Enrolment]) -> Iterator[Doubt]:
        places = {name: place for place, name in enumerate(gallery.names)}
        for name in dict.fromkeys(enrolment.name for enrolment in enrolments):
            new = np.concatenate([each.embeddings for each in enrolments if each.name == name])
            known = gallery.embeddings[gallery.owners == places.get(name, -1)]
            if len(new) + len(known) > 1 and len(new):
                chances = self._chances(new, known)
                if (chances < DOUBTFUL).any():
                    yield Doubt(name, tuple(np.flatnonzero(chances < DOUBTFUL).tolist()), float(chances.min()))

    def _chances(self, new: Embeddings, known: Embeddings) -> npt.NDArray[np.float64]:
        """Probability [n] that each new photograph shows the person of all others, from the mean of its scores.

        The score with their mean embedding would be too high: averaging shortens it, and cosine ignores length.
        """
        all_of_them = np.concatenate([new, known])
        scores = [
            self.verifier.model.comparator.pairs(np.broadcast_to(one, all_of_them.shape), all_of_them)
            for one in new
        ]
        others = [np.delete(row, place).mean() for place, row in enumerate(scores)]
        return self.verifier.model.card.decision.probability(np.asarray(others))

    def remove(self, names: Sequence[str]) -> None:
        """Removes people with every trace of their embeddings and photographs.

        Raises:
            GalleryError: somebody is not in the gallery; nobody is removed then.
        """
        remove_people(self.path, names)

    def reembed(self) -> int:
        """Embeds the kept photographs of a gallery that another model made; returns how many people it holds.

        Raises:
            GalleryError: somebody's photographs were not kept, or do not suit the model.
        """
        with editing(self.path):
            gallery = load_gallery(self.path)
            if gallery.model != self.verifier.digest:
                reading = self.verifier.reading(aligned=False)
                gallery = gallery.reembedded(
                    self.verifier.digest,
                    lambda frames: self.verifier.embed_faces([Face(frame) for frame in frames]),
                    reading.align,
                    reading.colour,
                )
                save_gallery(self.path, gallery)
        return len(gallery)

    @reads_former(far="fpir")
    def identify(
        self,
        faces: Sequence[Face],
        *,
        top: int = 5,
        fpir: float = DEFAULT_FPIR,
        threshold: float | None = None,
    ) -> list[Identification]:
        """Who each face is, or that it is nobody of the gallery.

        Args:
            faces: framed.
            top: number of candidates to be named.
            fpir: share of people not enrolled who may be taken for anyone of the gallery, whatever its size.
            threshold: accept from this score on instead.

        Raises:
            GalleryError: the gallery is empty or another model's.
            ModelError: the card has no false match rates to choose a threshold from.
        """
        gallery, search = self._current()
        if not len(gallery):
            raise GalleryError(f"{self.path}: nobody is enrolled yet; `likeness enroll NAME PHOTO` does it")
        limit = self._limit(len(gallery), fpir, threshold)
        found = search.best(self.verifier.embed_faces(faces), max(top, 1))
        probabilities = self.verifier.model.card.decision.probability(found.scores)
        results = []
        for face, rows, scores, chances in zip(faces, found.rows, found.scores, probabilities, strict=True):
            columns = zip(rows, scores, chances, strict=True)
            candidates = tuple(Candidate(gallery.names[row], float(score), float(p)) for row, score, p in columns)
            known = candidates[0].score >= limit.threshold
            results.append(Identification(candidates[0].name if known else None, candidates, limit, face))
        return results

    def _limit(self, people: int, fpir: float, threshold: float | None) -> GalleryThreshold:
        decision = self.verifier.model.card.decision
        if threshold is None:
            return gallery_threshold(decision, people, fpir)
        return GalleryThreshold(threshold, None, None, people, extended=False)

    def _current(self) -> tuple[Gallery, Search]:
        """The gallery as it is on disk now, and its search."""
        with self._lock:
            stamp = _stamp(self.path)
            if stamp != self._stamp:
                gallery = self._read()
                templates = gallery.templates(self.verifier.unit)
                self._gallery, self._search = gallery, self._search.renewed(templates)
                self._stamp = stamp
            return self._gallery, self._search

    def _read(self) -> Gallery:
        """The gallery of this model, or an empty one.

        Raises:
            GalleryError: it was made by another model or is damaged.
        """
        if not self.path.exists():
            return Gallery.empty(
                self.verifier.digest, self.verifier.dim, self.verifier.reading(aligned=False).align
            )
        gallery = load_gallery(self.path)
        gallery.check_model(self.verifier.digest)
        return gallery


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Changes whenever the file is replaced."""
    if not path.exists():
        return None
    status = path.stat()
    return (status.st_ino, status.st_mtime_ns, status.st_size)
