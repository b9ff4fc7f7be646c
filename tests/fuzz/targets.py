"""What is fuzzed: each target hands one input to the code that reads such files in use."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from likeness.artifacts.nightly_run import read_nightly_runs
from likeness.artifacts.source_card import SOURCE_CARD
from likeness.data.archive import kind_of, open_reader
from likeness.data.collected import Collected
from likeness.data.faceset import FaceSet
from likeness.data.pairs import read_pairs, read_people
from likeness.data.splits import Split
from likeness.errors import DownloadError, LikenessError, RequestError
from likeness.images import read_image
from likeness.models.card import read_card
from likeness.params import ParamsSection, load_document, read_params
from likeness.serving.gallery_file import load_gallery
from likeness.training.checkpoint import STATE, load_checkpoint
from tests.data.test_intake_attacks import good_batch, run_intake
from tests.fuzz import seeds
from tests.fuzz.download_target import FILE, fetch
from tests.fuzz.http_target import answer


class LossError(Exception):
    """Something sound was lost, or something altered was taken for sound."""


@dataclass(frozen=True)
class Target:
    """One kind of input.

    Attributes:
        seeds: the files that are altered.
        run: reads one input in an empty folder; returns, or raises what the code raises.
    """

    seeds: Callable[[], tuple[bytes, ...]]
    run: Callable[[bytes, Path], object]


def _file(folder: Path, data: bytes, name: str = "input") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _each(*readers: Callable[[], object]) -> None:
    """Calls every reader; raises the last refusal where all of them refuse."""
    refusals: list[LikenessError] = []
    for reader in readers:
        try:
            reader()
        except LikenessError as error:
            refusals.append(error)
    if len(refusals) == len(readers):
        raise refusals[-1]


def _archive(data: bytes, folder: Path) -> None:
    members = {(member.path, bytes(member.data)) for member in open_reader(_file(folder, data), lambda _: True)}
    if members and members < set(seeds.FILES.items()):
        raise LossError(f"{len(members)} of {len(seeds.FILES)} members were read, and no error was reported")


def _params(data: bytes, folder: Path) -> None:
    path = _file(folder, data, "params.yaml")
    load_document(path)
    _each(*(lambda kind=kind: read_params(path, kind) for kind in _sections()))


@cache
def _sections() -> tuple[type[ParamsSection], ...]:
    from pipelines.sections import OPERATIONS, PARAMS

    return (*PARAMS.values(), *OPERATIONS)


def _card(data: bytes, folder: Path) -> None:
    runs = folder / "runs"
    runs.mkdir()
    _file(runs, data, "a.json")
    path = _file(folder, data, "card.json")
    (folder / "collected").mkdir()
    _file(folder / "collected", data, "index.json")
    read_nightly_runs(runs)
    _each(
        lambda: read_card(path),
        lambda: SOURCE_CARD.read(path),
        lambda: Collected.read(path),
        lambda: Collected.listed(folder / "collected"),
    )


def _list(data: bytes, folder: Path) -> None:
    path = _file(folder, data, "pairs.txt")
    _each(lambda: read_pairs(path), lambda: read_people(path))


def _gallery(data: bytes, folder: Path) -> None:
    read = load_gallery(_file(folder, data, "people.safetensors"))
    if not any(_alike(read, sound) for sound in _sound_galleries()):
        raise LossError("an altered gallery was taken for sound")


@cache
def _sound_galleries() -> tuple[object, ...]:
    with tempfile.TemporaryDirectory() as name:
        return tuple(load_gallery(_file(Path(name), data)) for data in seeds.galleries())


def _alike(one: object, two: object) -> bool:
    return all(np.array_equal(value, vars(two)[name]) for name, value in vars(one).items())


def _checkpoint(data: bytes, folder: Path) -> None:
    read = load_checkpoint(_file(folder, data, STATE).parent, "key")
    if read is None:
        raise LikenessError("starting again")
    (whole,) = seeds.checkpoints()
    sound = load_checkpoint(_file(folder, whole, STATE).parent, "key")
    assert sound is not None
    same = read.tensors.keys() == sound.tensors.keys()
    if not same or not all(value.equal(sound.tensors[name]) for name, value in read.tensors.items()):
        raise LossError("an altered checkpoint was taken for sound")


def _table(data: bytes, folder: Path) -> None:
    """Puts the input in the place of each file that it may be."""
    names = {b"\x93NUMPY": ["faces/pixels.npy"], b"PAR1": ["faces/manifest.parquet", "splits/pairs.parquet"]}
    kind = next((magic for magic in names if data.startswith(magic)), b"")
    readers = []
    for at, name in enumerate(names.get(kind, ["faces/source.json", "splits/card.json"])):
        copy = folder / str(at)
        shutil.copytree(seeds.outputs(), copy)
        (copy / name).write_bytes(data)
        top = copy / name.partition("/")[0]
        readers.append(partial(FaceSet.open if top.name == "faces" else Split.open, top))
    _each(*readers)


def _download(data: bytes, folder: Path) -> None:
    try:
        first, second = fetch(data, folder)
    except LikenessError as error:
        raise LossError("what a server left keeps a sound one from being read") from error
    if first not in (b"", FILE) or second != FILE:
        raise LossError("another file than the published one landed")
    if not first:
        raise DownloadError("refused")


def _request(data: bytes, folder: Path) -> None:
    if (status := answer(data)) >= 400:
        raise RequestError(f"status {status}")


def _intake(data: bytes, folder: Path) -> None:
    """One upload beside three good photographs, which must arrive whatever it is."""
    incoming = folder / "data" / "incoming"
    expected = good_batch(incoming, 0, random.Random(0))
    packed = kind_of(data[:512]) not in ("unknown", "html")
    upload = incoming / "Eve" / "1.jpg" if not packed else incoming / ("x.zip" if data[:2] == b"PK" else "x.tar")
    upload.parent.mkdir(exist_ok=True)
    upload.write_bytes(data)
    placed = run_intake(folder / "data")
    held = {photograph.sha256 for photograph in Collected.read(folder / "data" / "collected.json").photographs}
    if not expected.keys() <= held:
        raise LossError("a good photograph did not arrive")
    if not any(row.name.startswith(upload.relative_to(incoming).as_posix()) for row in placed.rows):
        raise LossError("nothing says what became of the upload")


TARGETS = {
    "images": Target(seeds.images, lambda data, folder: read_image(data)),
    "archives": Target(seeds.archives, _archive),
    "params": Target(seeds.params, _params),
    "cards": Target(seeds.cards, _card),
    "lists": Target(seeds.lists, _list),
    "galleries": Target(seeds.galleries, _gallery),
    "checkpoints": Target(seeds.checkpoints, _checkpoint),
    "tables": Target(seeds.tables, _table),
    "downloads": Target(seeds.answers, _download),
    "http": Target(seeds.requests, _request),
    "intake": Target(lambda: seeds.archives() + seeds.images(), _intake),
}


@dataclass(frozen=True)
class Outcome:
    """What one input did.

    Attributes:
        kind: read, refused (in a sentence), failed (any other error), lost.
        place: of a failure, by which failures are distinguished.
        detail: its message or traceback.
        seconds: by the clock.
        memory: the highest resident size of the process so far, in bytes.
    """

    kind: str
    place: str = ""
    detail: str = ""
    seconds: float = 0.0
    memory: int = 0
