"""A folder with a folder of photographs for each person, embedded, and what is suspicious about it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from likeness.data.layout import people_of
from likeness.data.picture_files import pictures_below
from likeness.errors import DataError, ImageError
from likeness.files import atomic_path, write_text
from likeness.progress import progress
from likeness.serving.face_reading import read_face
from likeness.serving.suspects import Suspicion, rank_suspicions
from likeness.serving.suspects_page import shown_rows, suspects_page
from likeness.serving.verifier import Verifier, read_ahead

_BATCH = 64


@dataclass(frozen=True)
class LabelledFolder:
    """What was found in a folder.

    Attributes:
        folder: which.
        paths: of the photographs that could be used, below the folder.
        people: whose folder each of them is in.
        failed: paths below the folder of those that could not be used, with the reasons.
        suspicions: the most suspicious first; their rows are places in `paths`.
    """

    folder: Path
    paths: tuple[str, ...]
    people: tuple[str, ...]
    failed: dict[str, str]
    suspicions: tuple[Suspicion, ...]


def inspect_folder(verifier: Verifier, folder: Path, *, aligned: bool = False, shown: str = "") -> LabelledFolder:
    """Embeds the largest face of every photograph of a folder, and ranks what may be a wrong label.

    Args:
        verifier: whose model embeds.
        folder: it holds a folder for each person; what lies in none is nobody's and is left out.
        aligned: see `Verifier.face`.
        shown: name of a progress bar; "" for none.

    Raises:
        DataError: no photograph is in a person's folder, or all are in one folder.
    """
    found = pictures_below(folder) if folder.is_dir() else []
    paths = [path for path in found if path.parent != folder]
    failed = {path.name: "in no person's folder" for path in found if path.parent == folder}
    names = [path.relative_to(folder).as_posix() for path in paths]
    people = [person for person, _ in people_of(names)]
    if len(set(people)) < 2:
        raise DataError(
            f"{folder}: expected folders of two or more people with photographs, found {len(set(people))}"
        )
    rows, embeddings = [], []
    starts: Iterable[int] = range(0, len(paths), _BATCH)
    for start in progress(starts, shown, unit=f"x{_BATCH} photos") if shown else starts:
        faces = list(verifier.largest_faces(paths[start : start + _BATCH], aligned=aligned))
        usable = [face for face in faces if not isinstance(face, ImageError)]
        failed |= {names[start + i]: str(face) for i, face in enumerate(faces) if isinstance(face, ImageError)}
        rows += [start + i for i, face in enumerate(faces) if not isinstance(face, ImageError)]
        embeddings.append(verifier.embed_faces(usable))
    used = tuple(people[row] for row in rows)
    model = verifier.model
    suspicions = rank_suspicions(np.concatenate(embeddings), used, model.comparator, model.card.decision)
    return LabelledFolder(folder, tuple(names[row] for row in rows), used, failed, tuple(suspicions))


def write_suspects_page(target: Path, found: LabelledFolder, verifier: Verifier, top: int, aligned: bool) -> None:
    """Writes the page of the first `top` suspicions, with their photographs framed and in colour."""
    suspicions = found.suspicions[:top]
    members: dict[str, list[int]] = {}
    for row, person in enumerate(found.people):
        members.setdefault(person, []).append(row)
    groups = [shown_rows(each, members[each.person]) for each in suspicions]
    rows = sorted({row for shown in groups for some in shown.values() for row in some})
    reading = replace(verifier.reading(aligned), colour=True)
    pictures = read_ahead(lambda row: read_face(found.folder / found.paths[row], reading, found.paths[row]), rows)
    frames = {
        row: face.frame for row, face in zip(rows, pictures, strict=True) if not isinstance(face, ImageError)
    }
    about = (
        f"{len(suspicions)} of {len(found.suspicions)} suspicions about {len(found.paths)} photographs of "
        f"{len(members)} people in {found.folder}, by the model {verifier.name}."
    )
    write_text(target, suspects_page(suspicions, groups, found.paths, frames, about))


def write_suspects_table(target: Path, found: LabelledFolder) -> None:
    """Writes every suspicion as a row of a CSV file, then every photograph that could not be used."""
    columns = ("rank", "kind", "log_odds", "person", "photograph", "own", "other", "alike", "reason")
    with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for rank, each in enumerate(found.suspicions, start=1):
            writer.writerow(
                {
                    "rank": rank,
                    "kind": each.kind,
                    "log_odds": round(each.log_odds, 4),
                    "person": each.person,
                    "photograph": "" if each.own is None else found.paths[each.photographs[0]],
                    "own": _rounded(each.own),
                    "other": each.other,
                    "alike": _rounded(each.alike),
                }
            )
        for path, reason in found.failed.items():
            writer.writerow({"kind": "not used", "photograph": path, "reason": reason})


def _rounded(probability: float | None) -> str:
    return "" if probability is None else f"{probability:.6f}"
