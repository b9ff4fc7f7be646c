"""What makes LFW look easier than it is: how much of an accuracy comes from elsewhere than the face.

    python -m studies.leaks --mirror FOLDER [--model FOLDER] [--out FOLDER]

Four studies on View 1, unrestricted, no outside data. Whatever is fitted is fitted on training people, thresholds
on held-out ones; the 1 000 test pairs are only scored. Intervals: 95 %, bootstrap over person-pairs.

- crop: the classical baseline, fitted again on ever smaller central windows of the 250×250 pictures
- background: the same with the face painted over, down to what is outside the whole head; a trained model, if
  one is given, with the inner ellipse of its own window painted over, and with all but that ellipse
- file: a logistic regression that sees the files alone: bytes, size, JPEG quality; and one that sees light and
  sharpness
- twins: the same photograph on both sides, by hash and pixels; test accuracy without the pairs that it touches
"""

from __future__ import annotations

import dataclasses
import json
import logging
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from likeness.data.faceset import FaceSet
from likeness.data.ingest import ingest
from likeness.data.protocol import SplitParams, make_split
from likeness.data.source_location import locate
from likeness.data.sources import DataParams
from likeness.files import write_json, write_text
from likeness.images.geometry import FRAME
from likeness.models.weights import load_model
from likeness.params import from_mapping
from studies.leaks.files import file_study
from studies.leaks.pictures import background_study, crop_study
from studies.leaks.study import Study, StudyResult
from studies.leaks.twins import twin_study


class Name(StrEnum):
    """What `--only` takes."""

    FILE = "file"
    TWINS = "twins"
    BACKGROUND = "background"
    CROP = "crop"


def main(
    mirror: Annotated[Path, typer.Option(help="Folder that holds the archive and the lists.")],
    source: Annotated[str, typer.Option(help="Which LFW variant.")] = "lfw-deepfunneled",
    model: Annotated[Path | None, typer.Option(help="A model trained on View 1's training people.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for leaks.json and leaks.md.")] = None,
    only: Annotated[list[Name] | None, typer.Option(help="Some of the studies; else all.")] = None,
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
        chosen, rows = only or list(Name), list[StudyResult]()
        facts: dict[str, Any] = {}
        if Name.FILE in chosen:
            rows += file_study(study, located, facts)
        if Name.TWINS in chosen:
            rows += twin_study(study, facts)
        if Name.BACKGROUND in chosen:
            rows += background_study(study)
        if Name.CROP in chosen:
            rows += crop_study(study)
    print(json.dumps(facts, indent=2))
    if out is not None:
        protocol = {
            **{name: getattr(split.card, name) for name in ("protocol", "view", "seed")},
            "outside_data": "none",
        }
        lines = [dataclasses.asdict(row) for row in rows]
        write_json(out / "leaks.json", {"protocol": protocol, "source": source, "facts": facts, "rows": lines})
        write_text(out / "leaks.md", "".join(f"{row}\n" for row in rows))


if __name__ == "__main__":
    typer.run(main)
