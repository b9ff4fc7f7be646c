"""What makes LFW look easier than it is: how much of an accuracy comes from elsewhere than the face.

    python -m benchmarks.leaks --mirror FOLDER [--model FOLDER] [--out FOLDER]

Four studies on View 1, unrestricted, no outside data. Whatever is fitted is fitted on training people, thresholds
on held-out ones; the 1 000 test pairs are only scored. Intervals: 95 %, bootstrap over person-pairs.

- crop: the classical baseline, fitted anew on ever smaller central windows of the 250×250 pictures
- background: the same with the face painted over, down to what lies outside the whole head; a trained model, if
  one is given, with the inner ellipse of its own window painted over, and with all but that ellipse
- file: a logistic regression that sees the files alone: bytes, size, JPEG quality; and one that sees light and
  sharpness
- twins: the same photograph on both sides, by hash and pixels; test accuracy without the pairs that it touches
"""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from likeness.data.archive import open_reader
from likeness.data.faceset import FaceSet
from likeness.data.ingest import ingest
from likeness.data.layout import lfw_layout
from likeness.data.places import Located, locate
from likeness.data.protocol import SplitParams, make_split
from likeness.data.sources import DataParams
from likeness.data.splits import Identities, Pairs, Split
from likeness.evaluation import figures
from likeness.evaluation.baselines import BaselineParams, classical_baseline
from likeness.evaluation.bootstrap import Resampling, pair_groups
from likeness.evaluation.figures import Measured
from likeness.evaluation.systems import Decided, System, decide
from likeness.files import write_json, write_text
from likeness.models.decision import fit_decision
from likeness.models.embedding import embed_pixels, score_pairs
from likeness.models.weights import LoadedModel, load_model
from likeness.params import from_mapping
from likeness.progress import progress
from likeness.validation.duplicates import copies

FRAME = 250
FACE = (120, 100)  # the window that the face fills in an aligned picture
CROPS = ((250, 208), (200, 167), (160, 133), FACE, (90, 75), (60, 50))
PAINTED = (FACE, (180, 150), (230, 192))
GREY = 128
RESAMPLING = Resampling(2000, 0)
TWINS = ((8, 0.93), (12, 0.85))  # bits between hashes, correlation of pixels: the same photograph; nearly so

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
log = logging.getLogger("benchmarks.leaks")


@dataclass(frozen=True)
class Row:
    """A line of the table: accuracy and AUC on test pairs, each {value, low, high, n}."""

    study: str
    system: str
    sees: str
    accuracy: dict[str, float]
    auc: dict[str, float]

    def __str__(self) -> str:
        told = ("{value:.3f} [{low:.3f}, {high:.3f}]".format(**figure) for figure in (self.accuracy, self.auc))
        return f"| {self.study} | {self.system} | {self.sees} | {' | '.join(told)} | {self.accuracy['n']} |"


@dataclass(frozen=True, eq=False)
class Study:
    """Whole pictures, their division, and the model that is looked through."""

    faces: FaceSet
    split: Split
    model: LoadedModel | None

    @functools.cached_property
    def known(self) -> Identities:
        """The training people."""
        assert self.split.identities is not None
        return self.split.identities

    @functools.cached_property
    def paired(self) -> NDArray[np.int64]:
        """Rows that holdout and test pairs speak of."""
        return np.union1d(self.split.holdout.rows, self.split.test.rows)

    def row(self, study: str, sees: str, system: Decided, keep: Mask | None = None) -> Row:
        """Figures on the test pairs, or on those of them that `keep` marks."""
        chosen = np.ones(len(self.split.test), bool) if keep is None else keep
        scores, test = system.test[chosen], self.split.test.take(chosen)
        people = self.faces.manifest["person"].to_numpy()
        measured = Measured(test, pair_groups(people[test.a], people[test.b]))
        found = figures.verification(scores, system.decision, measured, (), RESAMPLING)
        row = Row(study, system.system.name, sees, found["accuracy"], found["auc"])
        print(row, flush=True)
        return row


def main(
    mirror: Annotated[Path, typer.Option(help="Folder that holds the archive and the lists.")],
    source: Annotated[str, typer.Option(help="Which LFW variant.")] = "lfw-deepfunneled",
    model: Annotated[Path | None, typer.Option(help="A model trained on View 1's training people.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for leaks.json and leaks.md.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="crop, background, file, twins; else all.")] = None,
) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    values = {"source": source, "mirror": str(mirror), "crop": None, "size": (FRAME, FRAME)}
    params = from_mapping(DataParams, values, "the command line")
    located = locate(params, mirror, {})
    with tempfile.TemporaryDirectory() as folder:
        ingest(located, params, Path(folder) / "faces")
        faces = FaceSet.open(Path(folder) / "faces")
        split = make_split(faces, SplitParams(protocol="unrestricted"))
        study = Study(faces, split, None if model is None else load_model(model))
        print("| study | system | what it sees | accuracy | AUC | pairs |\n|---|---|---|---|---|---|")
        rows: list[Row] = []
        facts: dict[str, Any] = {}
        if not only or "file" in only:
            rows += file_study(study, located, facts)
        if not only or "twins" in only:
            rows += twin_study(study, facts)
        if not only or "background" in only:
            rows += background_study(study)
        if not only or "crop" in only:
            rows += crop_study(study)
    print(json.dumps(facts, indent=2))
    if out is not None:
        protocol = {**{name: split.card[name] for name in ("protocol", "view", "seed")}, "outside_data": "none"}
        lines = [dataclasses.asdict(row) for row in rows]
        write_json(out / "leaks.json", {"protocol": protocol, "source": source, "facts": facts, "rows": lines})
        write_text(out / "leaks.md", "".join(f"{row}\n" for row in rows))


def crop_study(study: Study) -> Iterator[Row]:
    """The baseline on central windows of one shape, each brought to the same sizes."""
    for crop in CROPS:
        system = classical(study, study.faces.pixels[:, *window(crop)])
        yield study.row("crop", f"the central {crop[0]}×{crop[1]} of 250×250", system)


def background_study(study: Study) -> Iterator[Row]:
    pictures = study.faces.pixels[:, *window(CROPS[0])]
    shown = f"the central {CROPS[0][0]}×{CROPS[0][1]}"
    for hole in PAINTED:
        mask = ellipse(CROPS[0], hole)
        system = classical(study, np.where(mask, np.uint8(GREY), pictures))
        sees = f"{shown} without the ellipse of {hole[0]}×{hole[1]} in its middle"
        yield study.row("background", sees, system)
    if study.model is not None:
        yield from looked_through(study, study.model)


def looked_through(study: Study, model: LoadedModel) -> Iterator[Row]:
    """A trained model, whose threshold is fitted again for each kind of painting."""
    preprocess = model.card.preprocess
    pictures = study.faces.pixels
    cut = np.stack([preprocess.window(pictures[row]) for row in progress(study.paired, "cutting")])
    height, width = preprocess.crop or (FRAME, FRAME)
    down, across = preprocess.size
    inner = ellipse(preprocess.size, (FACE[0] * down / height, FACE[1] * across / width))
    shown, face = f"its window of {height}×{width}", f"the ellipse of {FACE[0]}×{FACE[1]} in its middle"
    for sees, mask in ((shown, None), (f"{shown}, {face} only", ~inner), (f"{shown} without {face}", inner)):
        images = cut if mask is None else np.where(mask, GREY, cut).astype(np.uint8)
        yield study.row("background", sees, scored(study, model, images))


def scored(study: Study, model: LoadedModel, images: Bytes) -> Decided:
    vectors = embed_pixels(model.siamese, model.card.preprocess, images, mirror=model.card.mirror)
    rule = functools.partial(score_pairs, model.siamese)
    return decide(System(model.card.recipe, study.paired, vectors, rule), study.split.holdout, study.split.test)


def classical(study: Study, pixels: Bytes) -> Decided:
    """The baseline of `likeness.evaluation.baselines`, fitted on pictures [N, h, w] and seen whole.

    It looks at the face's window alone, so each picture is declared to be that window.
    """
    source = dataclasses.replace(study.faces.source, crop=FACE, size=pixels.shape[1:])
    faces = dataclasses.replace(study.faces, pixels=pixels, source=source)
    system = classical_baseline(faces, study.split, study.paired, BaselineParams())
    return decide(system, study.split.holdout, study.split.test)


def file_study(study: Study, located: Located, facts: dict[str, Any]) -> Iterator[Row]:
    manifest = study.faces.manifest
    quality = jpeg_quality(located)
    table = pd.DataFrame(
        {
            "log bytes": np.log(manifest["bytes"].clip(1)),
            "width": manifest["width"],
            "height": manifest["height"],
            "quantisation": manifest["path"].map(quality),
        }
    ).astype(float)
    facts["files"] = {name: int(table[name].nunique()) for name in table}
    yield study.row("file", "bytes, width, height, JPEG quantisation", predictor(study, "file", table))
    light = (manifest[["brightness", "contrast", "sharpness"]].astype(float) + 1e-3).apply(np.log)
    yield study.row("file", "brightness, contrast, sharpness", predictor(study, "light", light))


def jpeg_quality(located: Located) -> dict[str, float]:
    """Mean of each file's first quantisation table: the coarser, the larger. 0 for what is no JPEG."""
    found: dict[str, float] = {}
    for file in open_reader(located.images, lambda path: lfw_layout(path) is not None):
        with Image.open(io.BytesIO(file.data)) as picture:
            tables = getattr(picture, "quantization", None) or {0: [0]}
            found[file.path] = float(np.mean(tables[min(tables)]))
    return found


def predictor(study: Study, name: str, table: pd.DataFrame) -> Decided:
    """Logistic regression on how far two files' values lie apart, and on their sum."""
    values = table.to_numpy()

    def features(pairs: Pairs) -> NDArray[np.float64]:
        one, two = values[pairs.a], values[pairs.b]
        return np.hstack([np.abs(one - two), one + two])

    split = study.split
    learner = make_pipeline(StandardScaler(), LogisticRegression()).fit(features(split.train), split.train.same)
    holdout, test = (learner.decision_function(features(pairs)) for pairs in (split.holdout, split.test))
    # A name only: the scores are the regression's.
    nobody = System(
        name, study.paired, np.zeros((len(study.paired), 1), np.float32), lambda one, _: np.zeros(len(one))
    )
    return Decided(nobody, fit_decision(holdout, split.holdout.same), holdout, test)


def twin_study(study: Study, facts: dict[str, Any]) -> Iterator[Row]:
    sides = sides_of(study)
    facts["people on both sides"] = len(set(sides["train"]) & set(sides["test"]))
    systems = dict(whole_systems(study))
    for bits, correlation in TWINS:
        found = copies(study.faces, bits, correlation)
        rows = found[["row", "twin"]].to_numpy()
        told = f"hash within {bits} bits, correlation at least {correlation:g}"
        facts[told] = counted(study, rows, sides)
        clean = untouched(study, rows, sides)
        for name, system in systems.items():
            yield study.row("twins", f"{name}; pairs free of twins: {told}", system, clean)


def whole_systems(study: Study) -> Iterator[tuple[str, Decided]]:
    """The baseline on the face's window, and the model on its own, both as they are used."""
    yield f"{FACE[0]}×{FACE[1]}", classical(study, study.faces.pixels[:, *window(FACE)])
    if study.model is not None:
        pictures, preprocess = study.faces.pixels, study.model.card.preprocess
        cut = np.stack([preprocess.window(pictures[row]) for row in progress(study.paired, "cutting")])
        yield "its window", scored(study, study.model, cut)


def sides_of(study: Study) -> dict[str, NDArray[Any]]:
    """Names of the training people, held-out ones included, and of the people of the test pairs."""
    people = study.faces.manifest["person"].to_numpy()
    split = study.split
    held_out = split.holdout.rows if split.holdout_identities is None else split.holdout_identities.rows
    train = np.concatenate([study.known.rows, split.train.rows, split.holdout.rows, held_out])
    return {"train": np.unique(people[train]), "test": np.unique(people[split.test.rows])}


def counted(study: Study, twins: NDArray[np.int64], sides: dict[str, NDArray[Any]]) -> dict[str, int]:
    """How many pairs of twins there are, by whose they are."""
    people = study.faces.manifest["person"].to_numpy()[twins]
    trained, tested = np.isin(people, sides["train"]), np.isin(people, sides["test"])
    pictured = np.isin(twins, study.split.test.rows)
    across = (trained[:, 0] & tested[:, 1]) | (tested[:, 0] & trained[:, 1])
    return {
        "pairs of twins": len(twins),
        "under two names": int((people[:, 0] != people[:, 1]).sum()),
        "a training person's and a test person's": int(across.sum()),
        "among them with a picture of a test pair": int((across & pictured.any(axis=1)).sum()),
        "both in one test pair": int((~_apart(study.split.test, twins)).sum()),
        "test pairs that are touched": int((~untouched(study, twins, sides)).sum()),
    }


def untouched(study: Study, twins: NDArray[np.int64], sides: dict[str, NDArray[Any]]) -> Mask:
    """Test pairs none of whose pictures has a twin among training pictures, and that are no twins themselves."""
    trained = np.isin(study.faces.manifest["person"].to_numpy()[twins], sides["train"])
    tainted = np.concatenate([twins[trained[:, 1], 0], twins[trained[:, 0], 1]])
    test = study.split.test
    return ~np.isin(test.a, tainted) & ~np.isin(test.b, tainted) & _apart(test, twins)


def _apart(pairs: Pairs, twins: NDArray[np.int64]) -> Mask:
    """Pairs that are not twins of each other, bool [P]."""
    known = {frozenset(map(int, pair)) for pair in twins}
    return np.array([frozenset((int(a), int(b))) not in known for a, b in zip(pairs.a, pairs.b, strict=True)])


def window(crop: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the central crop of a picture."""
    down, across = (slice((FRAME - side) // 2, (FRAME - side) // 2 + side) for side in crop)
    return down, across


def ellipse(size: tuple[int, int], axes: tuple[float, float]) -> Mask:
    """Which pixels [H, W] lie in the central upright ellipse of this height and width."""
    down, across = ((np.arange(side) - (side - 1) / 2) / (axis / 2) for side, axis in zip(size, axes, strict=True))
    return np.asarray(down[:, None] ** 2 + across[None, :] ** 2 <= 1)


if __name__ == "__main__":
    typer.run(main)
