"""What the files reveal without any face: their size, their compression, light and sharpness."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from likeness.data.archive import open_reader
from likeness.data.layout import lfw_layout
from likeness.data.source_location import Located
from likeness.data.splits import Pairs
from likeness.evaluation.systems import ScoredSystem, System
from likeness.models.decision import fit_decision
from studies.leaks.study import Study, StudyResult


def file_study(study: Study, located: Located, facts: dict[str, Any]) -> Iterator[StudyResult]:
    """What is predicted from the files alone; how many values each of their columns has goes into `facts`."""
    manifest = study.faces.manifest
    quality = _jpeg_quality(located)
    table = pd.DataFrame(
        {
            "log bytes": np.log(manifest["bytes"].clip(1)),
            "width": manifest["width"],
            "height": manifest["height"],
            "quantisation": manifest["path"].map(quality),
        }
    ).astype(float)
    facts["files"] = {name: int(table[name].nunique()) for name in table}
    yield study.row("file", "bytes, width, height, JPEG quantisation", _predictor(study, "file", table))
    light = (manifest[["brightness", "contrast", "sharpness"]].astype(float) + 1e-3).apply(np.log)
    yield study.row("file", "brightness, contrast, sharpness", _predictor(study, "light", light))


def _jpeg_quality(located: Located) -> dict[str, float]:
    """Mean of each file's first quantisation table: the coarser, the larger. 0 for what is no JPEG."""
    found: dict[str, float] = {}
    for file in open_reader(located.images, lambda path: lfw_layout(path) is not None):
        with Image.open(io.BytesIO(file.data)) as picture:
            tables = getattr(picture, "quantization", None) or {0: [0]}
            found[file.path] = float(np.mean(tables[min(tables)]))
    return found


def _predictor(study: Study, name: str, table: pd.DataFrame) -> ScoredSystem:
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
    return ScoredSystem(nobody, fit_decision(holdout, split.holdout.same), holdout, test)
