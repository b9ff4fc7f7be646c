"""A whole evaluation of a small network on a small world, and what it must never do."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from likeness.artifacts.evaluation_tables import CONFUSION, SCORE_BARS
from likeness.artifacts.manifest import image_names
from likeness.artifacts.predictions import people
from likeness.artifacts.split import LostPairs
from likeness.data.problems import NO_FACE
from likeness.data.splits import Pairs
from likeness.errors import ModelError, OutputError
from likeness.evaluation.baselines import BaselineParams
from likeness.evaluation.evaluate_model import EvaluationResults, _acquisition, evaluate_model, untrained
from likeness.evaluation.identification import IdentificationParams
from likeness.evaluation.params import EvaluateParams
from likeness.evaluation.results_folder import write_results
from likeness.files import read_json
from likeness.metrics.roc import auc
from likeness.models.embedding import embed_pixels, score_pairs
from likeness.models.network import build_siamese
from likeness.models.weights import LoadedModel
from tests.evaluation import tiny
from tests.models.parts import planned

PARAMS = EvaluateParams(
    resamples=100,
    decisions=2,
    identification=IdentificationParams(ways=5, trials=50),
    baseline=BaselineParams(fitted=200),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store = tiny.faces(tmp_path_factory.mktemp("faces"))
    split = tiny.split(store, unrestricted=True)
    return store, split, tiny.model(store, split)


@pytest.fixture(scope="module")
def found(world) -> EvaluationResults:
    return evaluate_model(*world, PARAMS)


def test_the_map_holds_every_test_picture_and_its_share_of_the_variance(found, world):
    store, split, _ = world
    names = image_names(store.manifest)[split.test.rows]
    assert set(found.embeddings["image"]) == set(names)
    assert found.embeddings[["x", "y"]].mean().abs().max() < 1e-9
    first, second = found.embeddings[["x_variance", "y_variance"]].iloc[0]
    assert 1 >= first + second > first >= second > 0
    spread = found.embeddings[["x", "y"]].var()
    assert spread["x"] / spread["y"] == pytest.approx(first / second)


def test_every_figure_lies_in_its_interval_and_says_what_it_rests_on(found, world):
    _, split, _ = world
    for system in ("model", "baseline", "untrained"):
        figures = found.metrics.systems[system].test
        for figure in (figures.accuracy, figures.auc, figures.eer, *figures.tmr.values()):
            assert 0 <= figure.low <= figure.value <= figure.high <= 1, (system, figure)
            assert figure.n == len(split.test)
        assert {"tmr_at_fmr_1e-1", "tmr_at_fmr_1e-2"} <= figures.tmr.keys()
        assert sum(dataclasses.astuple(figures.confusion)) == len(split.test)
        assert figures.beyond_support == ("tmr_at_fmr_1e-2", "tmr_at_fmr_1e-3")
    assert found.metrics.synthetic is True
    assert found.metrics.protocol.name == "unrestricted"
    assert "person-pair" in found.metrics.protocol.interval.unit


def test_the_tables_agree_with_the_figures(found, world):
    store, split, loaded = world
    tests = found.predictions[found.predictions["split"] == "test"]
    np.testing.assert_array_equal(tests["same"], split.test.same)
    np.testing.assert_array_equal(people(tests["first"]), store.manifest["person"].iloc[split.test.a])
    np.testing.assert_array_equal(people(tests["second"]) == people(tests["first"]), split.test.same)
    np.testing.assert_array_equal(tests["predicted"], tests["score"] >= loaded.card.decision.threshold)
    figures = found.metrics.model.test
    assert figures.accuracy.value == pytest.approx(np.mean(tests["predicted"] == tests["same"]))
    assert figures.auc.value == pytest.approx(auc(tests["score"], tests["same"]))
    assert tests["probability"].between(0, 1).all()
    assert set(found.roc["system"]) == {"model", "baseline", "untrained"}
    assert found.calibration["pairs"].sum() == len(split.test)
    assert found.slices.groupby("property")["pairs"].sum().unique().tolist() == [len(split.test)]
    assert found.cmc.groupby("system")["share"].max().tolist() == pytest.approx([1, 1])


def test_a_model_is_read_by_its_own_card(found, world):
    """Its threshold was chosen in training; the evaluation must not choose a better one."""
    store, split, loaded = world
    strict = dataclasses.replace(loaded.card.decision, threshold=0.999)
    card = dataclasses.replace(loaded.card, decision=strict)
    other = evaluate_model(
        store, split, LoadedModel(loaded.siamese, card), dataclasses.replace(PARAMS, decisions=0)
    )
    assert other.metrics.model.threshold == 0.999
    assert other.metrics.model.test.auc == found.metrics.model.test.auc
    assert other.metrics.model.test.confusion != found.metrics.model.test.confusion


def test_a_single_forward_of_the_network_by_hand_gives_the_same_score(found, world):
    store, split, loaded = world
    rows = np.array([split.test.a[0], split.test.b[0]])
    one, two = embed_pixels(loaded.siamese, loaded.card.preprocess, store.pixels, rows, mirror=True)
    score = found.predictions.query("split == 'test'")["score"].iloc[0]
    assert score_pairs(loaded.siamese, one[None], two[None])[0] == pytest.approx(score, abs=1e-5)


def test_the_baseline_knows_people_that_it_has_never_seen(found):
    assert found.metrics.baseline.test.auc.value > 0.95
    assert found.metrics.identification.systems["baseline"]["rank_1"].value > 0.5


def test_the_untrained_network_is_the_models_own_before_its_first_step(world):
    *_, loaded = world
    started_elsewhere = dataclasses.replace(loaded.card.model, init_from="no/such/file.safetensors")
    blank = untrained(dataclasses.replace(loaded.card, model=started_elsewhere))
    fresh = build_siamese(tiny.PARAMS, tiny.SIZE, loaded.card.seed).state_dict()
    assert blank is not None
    assert all(torch.equal(value, fresh[name]) for name, value in blank.state_dict().items())
    assert not torch.equal(
        fresh["backbone.head.linear.weight"], loaded.siamese.state_dict()["backbone.head.linear.weight"]
    )


def test_a_tower_trained_elsewhere_has_no_untrained_twin(world):
    *_, loaded = world
    outside = planned("external", "cosine", embedding_dim=16, onnx="tower.onnx")
    card = dataclasses.replace(
        loaded.card, model=outside, preprocess=dataclasses.replace(loaded.card.preprocess, standardise="unit")
    )
    assert untrained(card) is None


def test_nothing_is_chosen_on_the_test_pairs(found, world):
    """Other truths about the test pairs change figures, but no threshold, calibration or score of any system."""
    store, split, loaded = world
    test = split.test
    lied = dataclasses.replace(split, test=Pairs(test.a, test.b, np.roll(test.same, 7)))
    other = evaluate_model(store, lied, loaded, dataclasses.replace(PARAMS, decisions=0))
    for system in ("model", "baseline", "untrained"):
        assert other.metrics.systems[system].threshold == found.metrics.systems[system].threshold
        assert other.metrics.systems[system].holdout == found.metrics.systems[system].holdout
        assert other.metrics.systems[system].test.accuracy != found.metrics.systems[system].test.accuracy
    chosen = ["first", "second", "score", "probability", "predicted"]
    pd.testing.assert_frame_equal(other.predictions[chosen], found.predictions[chosen])
    thresholds = [sorted(set(table["threshold"])) for table in (other.roc, found.roc)]
    assert thresholds[0] == thresholds[1]


def test_the_same_evaluation_twice_is_the_same_files(found, world, tmp_path):
    write_results(tmp_path / "one", found)
    write_results(tmp_path / "two", evaluate_model(*world, PARAMS))
    names = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert {"metrics.json", "roc.csv", "cmc.csv", "layers.csv", "slices.csv"} <= {str(name) for name in names}
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    said = json.loads((tmp_path / "one" / "decisions.json").read_text())
    assert said["method"] == "grad-cam"
    for decision in said["decisions"]:
        assert (tmp_path / "one" / decision["picture"]).is_file()
        assert decision["cause"]
        assert (decision["kind"] in ("true-match", "true-non-match")) == (
            decision["same"] == decision["predicted"]
        )


def test_a_restricted_model_is_measured_without_identities(world):
    store, _, loaded = world
    split = tiny.split(store, unrestricted=False)
    result = evaluate_model(store, split, LoadedModel(loaded.siamese, tiny.model(store, split).card), PARAMS)
    assert result.metrics.protocol.name == "restricted"
    assert result.metrics.baseline.test.auc.value > 0.9


def test_without_people_of_two_photographs_identification_says_so(world):
    store, split, loaded = world
    single = store.manifest["person"].map(store.manifest["person"].value_counts()) == 1
    lonely = np.flatnonzero(single.to_numpy())[-4:]
    test = Pairs(lonely[[0, 1, 2]], lonely[[1, 2, 3]], np.array([True, False, False]))
    result = evaluate_model(
        store, dataclasses.replace(split, test=test), loaded, dataclasses.replace(PARAMS, decisions=0)
    )
    assert "fewer than two" in result.metrics.identification.reason
    assert result.cmc.empty
    assert list(result.cmc.columns) == ["system", "rank", "share", "low", "high"]


def test_a_store_of_another_size_is_refused(world, tmp_path):
    _, _, loaded = world
    other = tiny.faces(tmp_path, size=(20, 16))
    with pytest.raises(ModelError, match="ingest"):
        evaluate_model(other, tiny.split(other, unrestricted=True), loaded, PARAMS)


def test_an_output_that_cannot_be_written_leaves_the_old_one(found, tmp_path, monkeypatch):
    out = tmp_path / "evaluation"
    write_results(out, found)
    before = (out / "metrics.json").read_bytes()
    endless = {"x" * 300 + ".png": np.zeros((1, 1, 3), np.uint8)}  # no file system takes such a name
    full = dataclasses.replace(found, showcase=dataclasses.replace(found.showcase, pictures=endless))
    with pytest.raises(OutputError, match="intact"):
        write_results(out, full)
    assert (out / "metrics.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evaluation"]


def test_the_headline_is_what_two_trainings_are_compared_by(found, tmp_path):
    write_results(tmp_path / "evaluation", found)
    said = read_json(tmp_path / "evaluation" / "headline.json")
    test = found.metrics.model.test
    assert said["accuracy"] == round(test.accuracy.value, 4)
    assert said["fnmr_at_fmr_1e-2"] == round(1 - test.tmr["tmr_at_fmr_1e-2"].value, 4)
    assert set(said) == {"accuracy", "auc", "gain_over_baseline", "eer", "fnmr_at_fmr_1e-2"}


def test_the_tables_that_dvc_draws_hold_every_test_pair(found, tmp_path):
    write_results(tmp_path / "evaluation", found)
    bars, counts = (table.read(tmp_path / "evaluation" / table.name) for table in (SCORE_BARS, CONFUSION))
    pairs = found.metrics.protocol.pairs["test"]
    drawn = bars.groupby("kind")["pairs"].sum()
    assert (drawn["same person"], drawn["different people"]) == (pairs.same, pairs.different)
    confusion = found.metrics.model.test.confusion
    assert counts["pairs"].tolist() == [
        confusion.true_matches,
        confusion.false_non_matches,
        confusion.false_matches,
        confusion.true_non_matches,
    ]


def test_failures_to_acquire_are_rejections(found, world):
    store, split, model = world
    assert found.metrics.acquisition is None
    manifest = store.manifest.assign(problem=[NO_FACE, *store.manifest["problem"][1:]])
    source = dataclasses.replace(store.source, align="arcface-112")
    lost = dataclasses.replace(split.card, not_acquired={"test": LostPairs(3, 2)})
    ours = SimpleNamespace(decision=model.card.decision, test=np.where(split.test.same, np.inf, -np.inf))
    ours.test[:1] *= -1  # one wrong decision
    measured = _acquisition(
        dataclasses.replace(store, manifest=manifest, source=source), dataclasses.replace(split, card=lost), ours
    )
    mated, wrong = int(split.test.same.sum()), bool(split.test.same[0])
    assert (measured["failures"], measured["mated"], measured["non_mated"]) == (1, 3, 2)
    assert measured["rate"] == 1 / len(store)
    assert measured["false_rejection_rate"] == (3 + wrong) / (mated + 3)
    assert measured["false_acceptance_rate"] == (1 - wrong) / (len(split.test) - mated + 2)
