"""The gallery: people, and the embeddings of the photographs they were enrolled with.

A gallery belongs to the model that made its embeddings, by the digest of its weights, and refuses any other's. The
framed photographs (250×250) are kept only where the user asks; then a later model can embed them again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from likeness.artifacts.source_card import LFW_FRAMINGS, Framing
from likeness.errors import GalleryError
from likeness.faces import FRAME
from likeness.images import Pixels, grey
from likeness.serving.numpy_comparators import Embeddings

LONGEST_NAME = 100


@dataclass(frozen=True)
class Person:
    """One enrolled person: when first enrolled, from how many photographs, and how many of these are kept."""

    name: str
    enrolled: datetime
    photos: int
    kept: int


@dataclass(frozen=True)
class Enrolment:
    """Photographs of one person to be added.

    Attributes:
        name: 1 to 100 printable characters; it identifies the person.
        embeddings: float32 [n, D], one a photograph.
        frames: uint8 [n, 250, 250] or RGB [n, 250, 250, 3] if the photographs are to be kept, else None.
    """

    name: str
    embeddings: Embeddings = field(repr=False)
    frames: Pixels | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Gallery:
    """A state of a gallery; every change gives a new one.

    Attributes:
        model: hex sha256 of the weights that made the embeddings.
        names: of the N people, in the order of enrolment.
        enrolled: int64 [N], seconds since 1970.
        embeddings: float32 [P, D].
        owners: int64 [P], the person of each embedding.
        frames: uint8 [K, 250, 250] or RGB [K, 250, 250, 3], kept photographs.
        frame_rows: int64 [K], the embedding that each kept photograph gave.
        framing: how the photographs were framed.
    """

    model: str
    embeddings: Embeddings = field(repr=False)
    names: tuple[str, ...] = ()
    enrolled: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    owners: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    frames: Pixels = field(default_factory=lambda: np.empty((0, FRAME, FRAME), dtype=np.uint8), repr=False)
    frame_rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    framing: Framing = "lfw-landmarks"

    @classmethod
    def empty(cls, model: str, dim: int, framing: Framing = "lfw-landmarks") -> Gallery:
        """A gallery of nobody yet, for embeddings of length `dim`."""
        return cls(model, np.empty((0, dim), dtype=np.float32), framing=framing)

    def __len__(self) -> int:
        return len(self.names)

    def people(self) -> list[Person]:
        """Everyone, in the order of enrolment."""
        photos = np.bincount(self.owners, minlength=len(self))
        kept = np.bincount(self.owners[self.frame_rows], minlength=len(self))
        times = [datetime.fromtimestamp(int(second), UTC) for second in self.enrolled]
        return [Person(*row) for row in zip(self.names, times, photos.tolist(), kept.tolist(), strict=True)]

    def templates(self, unit: bool) -> Embeddings:
        """One embedding a person, float32 [N, D]: the mean over their photographs.

        Args:
            unit: put the means back on the unit sphere, where the model's embeddings lie.
        """
        photos = np.bincount(self.owners, minlength=len(self))
        if np.array_equal(self.owners, np.arange(len(self))):
            return self.embeddings  # one photograph a person
        means = np.zeros((len(self), self.embeddings.shape[1]), dtype=np.float64)
        np.add.at(means, self.owners, self.embeddings)
        means /= photos[:, None]
        if unit:
            means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return means.astype(np.float32)

    def check_model(self, model: str) -> None:
        """Refuses a model other than the one that made the embeddings.

        Raises:
            GalleryError: it is another.
        """
        if model != self.model:
            raise GalleryError(
                f"this gallery was made by the model {self.model[:12]}, and {model[:12]} is in use: their "
                "embeddings cannot be compared. Use that model, embed the kept photographs again "
                "(`likeness gallery re-embed`), or begin another gallery"
            )

    def with_people(self, enrolments: Sequence[Enrolment]) -> Gallery:
        """Adds photographs; a name that is known already gets them beside its own.

        Raises:
            GalleryError: a name cannot be used, or the embeddings do not fit.
        """
        places = {name: place for place, name in enumerate(self.names)}
        owners: list[int] = []
        for enrolment in enrolments:
            name = clean_name(enrolment.name)
            self._check_fits(enrolment)
            owners += [places.setdefault(name, len(places))] * len(enrolment.embeddings)
        now = int(datetime.now(UTC).timestamp())
        counts = np.cumsum([len(self.embeddings)] + [len(each.embeddings) for each in enrolments])
        kept = [(x.frames, start) for x, start in zip(enrolments, counts, strict=False) if x.frames is not None]
        return replace(
            self,
            names=tuple(places),
            enrolled=np.concatenate([self.enrolled, np.full(len(places) - len(self), now, dtype=np.int64)]),
            embeddings=np.concatenate([self.embeddings, *(each.embeddings for each in enrolments)]),
            owners=np.concatenate([self.owners, np.asarray(owners, dtype=np.int64)]),
            frames=_joined(self.frames, [frames for frames, _ in kept]),
            frame_rows=np.concatenate(
                [self.frame_rows, *(start + np.arange(len(frames)) for frames, start in kept)]
            ),
        )

    def without(self, names: Sequence[str]) -> Gallery:
        """Removes people, with every embedding and kept photograph of theirs.

        Raises:
            GalleryError: a name is not in the gallery; nobody is removed then.
        """
        wanted = {clean_name(name) for name in names}
        if absent := sorted(wanted - set(self.names)):
            raise GalleryError(f"not in the gallery: {', '.join(absent)}; `likeness gallery list` shows who is")
        stays = np.array([name not in wanted for name in self.names], dtype=bool)
        rows = stays[self.owners]
        frames = rows[self.frame_rows]
        return replace(
            self,
            names=tuple(name for name in self.names if name not in wanted),
            enrolled=self.enrolled[stays],
            embeddings=self.embeddings[rows],
            owners=_renumbered(stays)[self.owners[rows]],
            frames=self.frames[frames],
            frame_rows=_renumbered(rows)[self.frame_rows[frames]],
        )

    def reembedded(
        self,
        model: str,
        embed: Callable[[Pixels], Embeddings],
        framing: Framing = "lfw-landmarks",
        colour: bool = False,
    ) -> Gallery:
        """The same people by another model, from the kept photographs.

        Args:
            model: hex sha256 of its weights.
            embed: frames uint8 [K, 250, 250], or [K, 250, 250, 3] with `colour` -> float32 [K, D].
            framing: how it wants photographs to be framed.
            colour: whether it wants them in RGB.

        Raises:
            GalleryError: somebody has a photograph that was not kept (the message names them), or kept ones are
                framed otherwise, or lack the colours.
        """
        missing = np.setdiff1d(np.arange(len(self.embeddings)), self.frame_rows)
        if len(missing):
            people = sorted({self.names[owner] for owner in self.owners[missing]})
            shown = ", ".join(people[:5]) + (f" and {len(people) - 5} more" if len(people) > 5 else "")
            raise GalleryError(f"photographs were not kept of: {shown}; enrol them again, or remove them first")
        if len(self) and (not _same_place(framing, self.framing) or (colour and self.frames.ndim == 3)):
            found = f"framed as {self.framing}, in {'grey' if self.frames.ndim == 3 else 'colour'}"
            wanted = f"{framing}, in {'colour' if colour else 'grey'}"
            raise GalleryError(
                f"the kept photographs are {found}; the model wants {wanted}: enrol the people again"
            )
        order = np.argsort(self.frame_rows)
        frames = self.frames[order] if colour else grey(self.frames[order])
        return replace(
            self,
            model=model,
            embeddings=embed(frames),
            frames=frames,
            framing=self.framing if len(self) else framing,
            frame_rows=np.arange(len(order), dtype=np.int64),
        )

    def _check_fits(self, enrolment: Enrolment) -> None:
        count, dim = enrolment.embeddings.shape
        if count == 0 or dim != self.embeddings.shape[1] or not np.isfinite(enrolment.embeddings).all():
            raise GalleryError(
                f"{enrolment.name}: expected one or more finite embeddings of length {self.embeddings.shape[1]}, "
                f"found {count} of length {dim}"
            )


def clean_name(name: str) -> str:
    """A person's name in composed Unicode (NFC), without blanks around it.

    Raises:
        GalleryError: it is empty, longer than 100 characters or holds control characters.
    """
    cleaned = unicodedata.normalize("NFC", name).strip()
    if not cleaned or len(cleaned) > LONGEST_NAME or not cleaned.isprintable():
        raise GalleryError(f"a name has 1 to {LONGEST_NAME} printable characters, found {name[:120]!r}")
    return cleaned


def _same_place(first: Framing, second: Framing) -> bool:
    """Whether two framings put a face into the same place, so that one network takes both."""
    return first == second or {first, second} == LFW_FRAMINGS


def _joined(frames: Pixels, added: Sequence[Pixels]) -> Pixels:
    """Kept photographs with those that are added; a gallery that has kept none takes theirs, grey or RGB."""
    return np.concatenate([frames, *added] if len(frames) or not added else added)


def _renumbered(stays: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Old number -> new number of what stays."""
    return np.cumsum(stays, dtype=np.int64) - 1
