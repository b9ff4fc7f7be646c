"""The classical baseline on real faces: the figures that a network has to beat."""

import os
from pathlib import Path

import numpy as np
import pytest

from likeness.data.faceset import FaceSet
from likeness.data.ingest import ingest
from likeness.data.protocol import SplitParams, make_split
from likeness.data.source_location import locate
from likeness.data.sources import DataParams
from likeness.evaluation.baselines import BaselineParams, classical_baseline
from likeness.evaluation.systems import score_system
from likeness.metrics.roc import auc
from likeness.models.embedding import embed_pixels, score_pairs
from likeness.models.weights import load_model

PRETRAINED = Path(__file__).parents[2] / "pretrained"
FOLDER = os.environ.get("LIKENESS_LFW")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.lfw,
    pytest.mark.skipif(FOLDER is None, reason="LIKENESS_LFW names no folder with LFW deep-funneled"),
]


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> FaceSet:
    return _ingested(tmp_path_factory.mktemp("lfw"), colour=False)


@pytest.fixture(scope="module")
def colour_faces(tmp_path_factory) -> FaceSet:
    return _ingested(tmp_path_factory.mktemp("lfw"), colour=True)


def _ingested(folder: Path, *, colour: bool) -> FaceSet:
    params = DataParams("lfw-deepfunneled", FOLDER, crop=(120, 100), size=(80, 64), colour=colour)
    ingest(locate(params, folder / "downloads", {}), params, folder / "faces")
    return FaceSet.open(folder / "faces")


@pytest.mark.parametrize(
    ("protocol", "least_accuracy", "least_auc"), [("restricted", 0.78, 0.85), ("unrestricted", 0.83, 0.91)]
)
def test_view1(faces, protocol, least_accuracy, least_auc):
    split = make_split(faces, SplitParams(protocol=protocol))
    rows = np.union1d(split.holdout.rows, split.test.rows)
    baseline = classical_baseline(faces, split, rows, BaselineParams())
    scored = score_system(baseline, split.holdout, split.test)
    assert np.mean(scored.decision.predict(scored.test) == split.test.same) >= least_accuracy
    assert auc(scored.test, split.test.same) >= least_auc


@pytest.mark.parametrize(
    ("name", "store", "least_accuracy", "least_auc"),
    [("arcface-lfw", "faces", 0.89, 0.96), ("arcface-lfw-colour", "colour_faces", 0.91, 0.97)],
)
def test_the_weights_kept_with_the_project(name, store, least_accuracy, least_auc, request):
    faces = request.getfixturevalue(store)
    split = make_split(faces, SplitParams(protocol="unrestricted"))
    kept = load_model(PRETRAINED / name)
    rows = np.unique(split.test.rows)
    vectors = embed_pixels(kept.siamese, kept.card.preprocess, faces.pixels, rows, mirror=kept.card.mirror)
    a, b = (vectors[np.searchsorted(rows, side)] for side in (split.test.a, split.test.b))
    scores = score_pairs(kept.siamese, a, b)
    assert kept.card.fingerprint == faces.source.fingerprint
    assert np.mean(kept.card.decision.predict(scores) == split.test.same) >= least_accuracy
    assert auc(scores, split.test.same) >= least_auc
