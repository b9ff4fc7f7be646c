"""An ensemble beside its best member, in a whole evaluation of a small world."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from likeness.data.faceset import FaceSet
from likeness.data.splits import Split
from likeness.evaluation.best_member import best_member
from likeness.evaluation.evaluate_model import evaluate_model
from likeness.evaluation.identification import IdentificationParams
from likeness.evaluation.layers import layer_table
from likeness.evaluation.params import EvaluateParams
from likeness.evaluation.systems import ScoredSystem, System
from likeness.metrics.roc import auc
from likeness.models.embedding import embed_pixels, score_pairs
from likeness.models.network import build_siamese, ensemble_of
from likeness.models.siamese import Siamese
from likeness.models.weights import LoadedModel
from tests.evaluation import tiny
from tests.models.parts import varied

PLANS = [
    tiny.PARAMS,
    varied(tiny.PARAMS, embedding_dim=8, window=(0, 0, 32, 32)),
    varied(tiny.PARAMS, width=0.25),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[FaceSet, Split]:
    store = tiny.faces(tmp_path_factory.mktemp("faces"))
    return store, tiny.split(store, unrestricted=True)


@pytest.fixture(scope="module")
def towers() -> list[Siamese]:
    return [build_siamese(plan, tiny.SIZE, seed).eval() for seed, plan in enumerate(PLANS)]


def alone(siamese: Siamese, store: FaceSet, split: Split) -> ScoredSystem:
    """A member's scores from its own embeddings, mirror-averaged."""
    from likeness.evaluation.systems import score_system

    rows = np.union1d(split.holdout.rows, split.test.rows)
    vectors = embed_pixels(siamese, tiny.PREPROCESS, store.pixels, rows, mirror=True)
    system = System("alone", rows, vectors, lambda first, second: score_pairs(siamese, first, second))
    return score_system(system, split.holdout, split.test)


def test_the_best_member_is_chosen_on_the_holdout_and_scores_as_it_does_alone(
    world: tuple[FaceSet, Split], towers: list[Siamese]
) -> None:
    store, split = world
    params, joined = ensemble_of(list(zip(PLANS, towers, strict=True)))
    ensemble = alone(joined, store, split).system
    found = best_member(ensemble, params, split.holdout, split.test)
    assert found is not None
    members = [alone(tower, store, split) for tower in towers]
    aucs = [auc(member.holdout, split.holdout.same) for member in members]
    assert found.system.name == f"member-{int(np.argmax(aucs)) + 1}"
    np.testing.assert_allclose(found.test, members[int(np.argmax(aucs))].test, atol=1e-5)
    assert best_member(ensemble, tiny.PARAMS, split.holdout, split.test) is None


def test_the_evaluation_says_the_gain_and_the_cost_of_all_members(
    world: tuple[FaceSet, Split], towers: list[Siamese]
) -> None:
    store, split = world
    params, joined = ensemble_of(list(zip(PLANS, towers, strict=True)))
    plain = tiny.model(store, split)
    model = LoadedModel(joined.eval(), dataclasses.replace(plain.card, model=params))
    wanted = EvaluateParams(resamples=50, decisions=0, identification=IdentificationParams(ways=5, trials=20))
    found = evaluate_model(store, split, model, wanted)
    best = found.metrics.systems["best_member"]
    assert best.name.startswith("member-")
    gain = found.metrics.comparison["model_minus_best_member"].auc.value
    assert gain == pytest.approx(found.metrics.model.test.auc.value - best.test.auc.value)
    tables = [layer_table(tower, tiny.SIZE) for tower in towers]
    together = found.layers[["parameters", "mmacs"]].sum()
    assert together["parameters"] == sum(table["parameters"].sum() for table in tables)
    assert together["mmacs"] == pytest.approx(sum(table["mmacs"].sum() for table in tables))
    assert torch.tensor([table["mmacs"].sum() > 0 for table in tables]).all()
