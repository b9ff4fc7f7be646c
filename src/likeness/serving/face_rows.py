"""The faces of many photographs as rows: where each face is, how good it is, and its embedding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from likeness.errors import ImageError
from likeness.faces import Box, Face, Landmarks
from likeness.faces.listing import ListedFace, list_faces
from likeness.images import read_image
from likeness.serving.verifier import Verifier, read_ahead

_BATCH = 64


@dataclass(frozen=True)
class EmbeddedFace:
    """A face of a photograph with its embedding, or the reason that there is none.

    Attributes:
        path: of the photograph.
        number: of the face, see `Face.number`; 0 for a photograph that could not be used.
        box: where, in pixels of the photograph; None where it was framed already.
        landmarks: five points, [5, 2], in pixels of the photograph; None where none are found.
        quality: in [0, 1], higher = better, see `likeness.faces.quality`; None without landmarks.
        embedding: float32 [D]; None for a photograph that could not be used.
        error: why it could not; "" for a face.
    """

    path: str
    number: int = 0
    box: Box | None = None
    landmarks: Landmarks | None = field(default=None, compare=False, repr=False)
    quality: float | None = None
    embedding: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    error: str = ""


def embed_photographs(
    verifier: Verifier, paths: Sequence[str | Path], *, aligned: bool = False, number: int | None = 1
) -> Iterator[EmbeddedFace]:
    """The faces of photographs, in order; some photographs are read and embedded at a time.

    Args:
        verifier: whose model embeds.
        paths: of the photographs.
        aligned: they are framed like LFW's already; no face is searched for.
        number: of the face that is taken of each, see `Face.number`; None for all of them.
    """

    def read(path: str | Path) -> list[tuple[Face, ListedFace | None]]:
        faces = verifier.faces_in(path, aligned=aligned, number=number)
        if all(face.landmarks is not None for face in faces):
            return [(face, None) for face in faces]
        listed = list_faces(read_image(path, colour=True))
        return [(face, _listed_at(face, listed)) for face in faces]

    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        found = list(read_ahead(read, batch))
        faces = [face for each in found if not isinstance(each, ImageError) for face, _ in each]
        embeddings = iter(verifier.embed_faces(faces))
        for path, each in zip(batch, found, strict=True):
            if isinstance(each, ImageError):
                yield EmbeddedFace(str(path), error=str(each))
            else:
                yield from (_row(path, face, seen, next(embeddings)) for face, seen in each)


def _listed_at(face: Face, listed: Sequence[ListedFace]) -> ListedFace | None:
    """The face among those of the landmark detector: the one whose middle lies in the box, the largest first.

    A photograph that is framed already shows its own face in the largest box.
    """
    if face.box is None:
        return next(iter(listed), None)
    corner, side = np.array([face.box.left, face.box.top]), face.box.side
    for each in listed:
        middle = each.landmarks.mean(axis=0)
        if ((middle >= corner) & (middle < corner + side)).all():
            return each
    return None


def _row(
    path: str | Path, face: Face, seen: ListedFace | None, embedding: npt.NDArray[np.float32]
) -> EmbeddedFace:
    landmarks = face.landmarks if seen is None else seen.landmarks
    quality = None if landmarks is None else face.quality if seen is None else seen.quality.score
    return EmbeddedFace(str(path), face.number, face.box, landmarks, quality, embedding)
