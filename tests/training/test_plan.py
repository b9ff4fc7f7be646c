"""Plans of several steps, really carried out on tiny networks and faces."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from likeness.artifacts.history import EpochRecord
from likeness.data.splits import Identities, TrainingData
from likeness.errors import ModelError, ParamsError
from likeness.metrics.platt_scaling import logistic_regression
from likeness.models.architecture import COMPARATORS, ModelParams
from likeness.models.backbones.ensemble import Ensemble
from likeness.models.backbones.fisher import LOCAL, FisherVectors
from likeness.models.backbones.patterns import PatternHistograms
from likeness.models.embedding import embed_pixels, score_pairs
from likeness.models.export import export_onnx
from likeness.models.network import build_siamese, with_cohort
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.models.tensors import read_tensors
from likeness.models.weights import save_weights
from likeness.training.checkpoint import STATE, remove_checkpoints
from likeness.training.early_stopping import StoppingParams
from likeness.training.fitting.cohort import cohort_rows
from likeness.training.fitting.params import FitParams
from likeness.training.losses.objective import LOSSES
from likeness.training.params import CohortParams, MemberParams, PretrainParams, TrainParams
from likeness.training.plan import TrainingTask, run_plan
from likeness.training.results import PlanResult
from likeness.training.samplers.sampler import SAMPLERS
from tests.models.parts import planned, varied
from tests.models.samples import card
from tests.training.tiny import world

SIZE = (32, 32)
MODEL = planned("residual", "cosine", embedding_dim=16, width=0.125, dropout=0.1)
IDENTITIES = SAMPLERS.params("identities")
TRAIN = TrainParams(
    epochs=2,
    batch_size=32,
    optimizer="adamw",
    learning_rate=1e-2,
    mirror_average=True,
    loss=LOSSES.params("softmax", scale=8),
    sampler=IDENTITIES,
    stopping=StoppingParams("auc", patience=None),
)
STILL = TrainParams(epochs=0, batch_size=32)


def task(model: ModelParams, params: TrainParams, restricted: bool = False) -> TrainingTask:
    pixels, listed, identities, holdout = world()
    doubled = pixels.repeat(2, axis=1).repeat(2, axis=2)
    data: TrainingData = listed if restricted else identities
    return TrainingTask(data, holdout, doubled, model, Preprocess(SIZE), params)


def done(wanted: TrainingTask, folder: Path) -> PlanResult:
    return run_plan(wanted, checkpoint=folder, device="cpu", save_seconds=0.0)


def deepface(**changes: object) -> TrainingTask:
    first = PretrainParams(LOSSES.params("softmax", scale=8), sampler=IDENTITIES, epochs=2)
    second = dataclasses.replace(
        TRAIN, pretrain=first, freeze=2, loss=LOSSES.params("bce"), sampler=SAMPLERS.params("pairs"), **changes
    )
    return task(varied(MODEL, comparator="weighted-l1", normalise=True), second)


ENSEMBLE = task(
    MODEL, dataclasses.replace(TRAIN, members=(MemberParams(1, 0.8), MemberParams(2, 0.8, (0, 0, 32, 32))))
)


def test_deepface_trains_a_trunk_and_then_only_its_two_topmost_layers(tmp_path: Path) -> None:
    """What the second step may not touch is what the first had left, batch-norm statistics included."""
    outcome = done(deepface(), tmp_path)
    trunk = read_tensors(tmp_path / "pretrain" / STATE)
    after = outcome.network.siamese.backbone.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, trunk[f"best/backbone.{name}"])}
    head = {f"head.{name}" for name in ("pool", "pool_norm", "linear", "norm")}
    assert {name.rpartition(".")[0] for name in changed} == head
    (first, pretrained), (second, trained) = outcome.parts
    assert (first, second) == ("pretrain", "train")
    assert pretrained.frozen is None
    assert trained.frozen is not None
    assert trained.frozen.tensors == len([name for name in after if not name.startswith("head.")])
    assert "people" in pretrained.formula
    assert "log σ" in trained.formula
    assert [record.epoch for record in outcome.history] == [1, 2, 3, 4]
    assert [record.part for record in outcome.history] == ["pretrain"] * 2 + ["train"] * 2


@pytest.mark.parametrize(("kind", "comparator"), [("wccn", "cosine"), ("lda", "cosine"), ("lmnn", "euclidean")])
def test_a_map_is_fitted_behind_the_trained_network(kind: str, comparator: str, tmp_path: Path) -> None:
    model = varied(MODEL, comparator=comparator, normalise=True)
    wanted = task(model, dataclasses.replace(TRAIN, fit=FitParams(kind)))
    network = done(wanted, tmp_path).network
    assert network.fitted is not None
    assert network.fitted.after == network.holdout
    assert network.params.projection_dim == 16
    again = done(task(model, TRAIN), tmp_path / "bare")
    assert network.fitted.before == again.network.holdout
    rows = wanted.holdout.rows[:2]
    given = (wanted.preprocess, wanted.pixels, rows)
    bare = embed_pixels(again.network.siamese, *given)
    weight, bias = (part.detach().numpy() for part in network.siamese.projection.parameters())
    one, two = bare @ weight.T + bias
    metric = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
    expected = metric if comparator == "cosine" else -np.linalg.norm(one - two)
    embeddings = embed_pixels(network.siamese, *given)
    assert score_pairs(network.siamese, embeddings[:1], embeddings[1:])[0] == pytest.approx(expected, abs=1e-4)


def test_the_restricted_protocol_fits_a_map_on_its_pairs_alone(tmp_path: Path) -> None:
    bce = dataclasses.replace(
        TRAIN, loss=LOSSES.params("bce"), sampler=SAMPLERS.params("pairs"), fit=FitParams("wccn")
    )
    assert done(task(MODEL, bce, restricted=True), tmp_path).network.fitted is not None
    for kind in ("lda", "lmnn"):
        forbidden = task(MODEL, dataclasses.replace(bce, fit=FitParams(kind)), restricted=True)
        with pytest.raises(ParamsError, match="the protocol is restricted and gives pairs alone"):
            done(forbidden, tmp_path / "forbidden")
    assert not (tmp_path / "forbidden").exists()


def test_an_ensemble_averages_what_its_members_say(tmp_path: Path) -> None:
    outcome = done(ENSEMBLE, tmp_path)
    joined = outcome.network
    assert joined.params.backbone.name == "ensemble"
    assert [member.window for member in joined.params.backbone.members] == [None, (0, 0, 32, 32)]
    given = (ENSEMBLE.preprocess, ENSEMBLE.pixels, ENSEMBLE.holdout.rows[:2])
    scores = []
    for siamese in [joined.siamese, *(trained.siamese for _, trained in outcome.parts)]:
        embeddings = embed_pixels(siamese, *given)
        scores.append(score_pairs(siamese, embeddings[:1], embeddings[1:])[0])
    assert scores[0] == pytest.approx((scores[1] + scores[2]) / 2, abs=1e-5)
    assert scores[1] != scores[2]
    best = max(trained.best.holdout_auc for _, trained in outcome.parts)
    assert outcome.best_member is not None
    assert outcome.best_member.holdout.auc == best
    assert outcome.best_epoch is None
    assert len({step.step for step in outcome.steps}) == len(outcome.steps)


@pytest.mark.parametrize("restricted", [False, True])
def test_a_cohort_of_training_people_scales_the_cosines(restricted: bool, tmp_path: Path) -> None:
    """One photograph a person, embedded as in use; the network itself is the same as without a cohort."""
    own = {"sampler": SAMPLERS.params("pairs"), "loss": LOSSES.params("contrastive")} if restricted else {}
    alone = task(MODEL, dataclasses.replace(TRAIN, **own), restricted)
    wanted = dataclasses.replace(
        alone, params=dataclasses.replace(alone.params, cohort=CohortParams(people=6, nearest=2))
    )
    plain, scaled = (done(each, tmp_path / str(number)).network for number, each in enumerate((alone, wanted)))
    assert scaled.cohort is not None
    assert (scaled.cohort.before, scaled.cohort.after) == (plain.holdout, scaled.holdout)
    rows = cohort_rows(wanted.data, 6, TRAIN.seed)
    assert len(rows) == 6
    if isinstance(wanted.data, Identities):
        assert len(set(wanted.data.labels[np.searchsorted(wanted.data.rows, rows)])) == 6
    first, second, cohort = (
        embed_pixels(plain.siamese, wanted.preprocess, wanted.pixels, each, mirror=True)
        for each in (wanted.holdout.a, wanted.holdout.b, rows)
    )
    resembled = [np.sort(side @ cohort.T)[:, -2:].mean(axis=1) for side in (first, second)]
    expected = (first * second).sum(axis=1) - (resembled[0] + resembled[1]) / 2
    np.testing.assert_allclose(score_pairs(scaled.siamese, first, second), expected, atol=1e-5)


def test_another_cohort_takes_a_finished_training_up(tmp_path: Path) -> None:
    """A training by gradient descent does not depend on it."""
    bare = task(MODEL, TRAIN)
    done(bare, tmp_path)
    seen: list[int] = []
    scaled = dataclasses.replace(bare, params=dataclasses.replace(TRAIN, cohort=CohortParams()))
    run_plan(scaled, checkpoint=tmp_path, device="cpu", on_epoch=lambda record: seen.append(record.epoch))
    assert seen == []


def test_a_cohort_scales_cosines_alone(tmp_path: Path) -> None:
    network = build_siamese(MODEL, SIZE, 0)
    cohort = torch.randn(3, MODEL.embedding_dim)
    scaled, siamese = with_cohort(MODEL, network, cohort, nearest=20)
    assert scaled.comparator.nearest == 3
    with pytest.raises(ModelError, match="compared by csls"):
        with_cohort(scaled, siamese, cohort, nearest=2)
    for wrong in (cohort[:0], cohort[:, :1], cohort[0]):
        with pytest.raises(ModelError, match=r"expected a cohort of \[N, 16\] numbers"):
            with_cohort(MODEL, network, wrong, nearest=2)
    first = PretrainParams(LOSSES.params("softmax"), sampler=IDENTITIES, comparator=COMPARATORS.params("csls"))
    with pytest.raises(ParamsError, match="no training begins with the comparator csls"):
        done(task(MODEL, dataclasses.replace(TRAIN, pretrain=first)), tmp_path / "refused")
    for wanted in (varied(MODEL, comparator="csls"), varied(MODEL, comparator="euclidean")):
        with pytest.raises(ParamsError, match=r"set model\.comparator to cosine"):
            done(task(wanted, dataclasses.replace(TRAIN, cohort=CohortParams())), tmp_path / "refused")


def test_a_cohort_scales_an_ensemble_and_not_its_members(tmp_path: Path) -> None:
    wanted = dataclasses.replace(ENSEMBLE, params=dataclasses.replace(ENSEMBLE.params, cohort=CohortParams()))
    outcome, plain = done(wanted, tmp_path / "scaled"), done(ENSEMBLE, tmp_path / "plain")
    params = outcome.network.params
    assert params.comparator.name == "csls"
    assert {member.comparator.name for member in params.backbone.members} == {"cosine"}
    assert outcome.network.cohort is not None
    assert outcome.network.cohort.before == plain.network.holdout
    assert "scores: cos(x, y)" in outcome.formula


def test_fisher_vectors_learn_a_codebook_before_their_map(tmp_path: Path) -> None:
    model = planned("fisher", "cosine", embedding_dim=2 * LOCAL * 3)
    train = dataclasses.replace(TRAIN, epochs=0, fit=FitParams("lda", components=20, dim=8))
    outcome = done(task(model, train), tmp_path)
    tower = outcome.network.siamese.backbone
    assert isinstance(tower, FisherVectors)
    assert not torch.equal(tower.means, FisherVectors(SIZE, model.embedding_dim).means)
    assert outcome.network.fitted is not None
    assert outcome.parts == ()


@pytest.mark.parametrize("member", [False, True])
def test_gradient_descent_on_a_tower_that_has_none_is_refused(tmp_path: Path, member: bool) -> None:
    length = 2 * LOCAL * 3
    model = MODEL if member else planned("fisher", "cosine", embedding_dim=length)
    members = (MemberParams(seed=1), MemberParams(seed=2, backbone={"name": "fisher"}, embedding_dim=length))
    wanted = task(model, dataclasses.replace(TRAIN, members=members if member else ()))
    with pytest.raises(ParamsError, match="nothing in fisher is learnt by gradient descent; set its epochs to 0"):
        done(wanted, tmp_path / "refused")
    assert not (tmp_path / "refused").exists()


def test_a_member_of_another_kind_is_only_fitted_and_weighs_what_it_is_given(tmp_path: Path) -> None:
    patterns = MemberParams(
        seed=2,
        backbone={"name": "patterns"},
        embedding_dim=PatternHistograms.DIMENSIONS,
        epochs=0,
        fit=FitParams("lda", components=20, dim=8),
        weight=3.0,
    )
    wanted = task(MODEL, dataclasses.replace(TRAIN, epochs=1, members=(MemberParams(seed=1), patterns)))
    outcome = done(wanted, tmp_path)
    joined = outcome.network
    assert [member.output_dim for member in joined.params.backbone.members] == [16, 8]
    assert joined.params.backbone.shares == (1.0, 3.0)
    assert [name for name, _ in outcome.parts] == ["member-1"]
    embeddings = embed_pixels(joined.siamese, wanted.preprocess, wanted.pixels, wanted.holdout.rows[:2])
    np.testing.assert_allclose((embeddings[:, 16:] ** 2).sum(axis=1), 0.75, rtol=1e-5)


def test_members_without_a_weight_get_that_of_a_logistic_regression_of_held_out_pairs(tmp_path: Path) -> None:
    members = tuple(MemberParams(seed=seed, weight=None) for seed in (1, 2))
    wanted = task(MODEL, dataclasses.replace(TRAIN, epochs=1, members=members))
    outcome = done(wanted, tmp_path)
    tower = outcome.network.siamese.backbone
    assert isinstance(tower, Ensemble)
    pairs = wanted.holdout
    cosines = []
    for member in tower.members:
        assert isinstance(member, Siamese)
        one, two = (
            embed_pixels(member, wanted.preprocess, wanted.pixels, rows, mirror=True)
            for rows in (pairs.a, pairs.b)
        )
        cosines.append((one * two).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1))
    slopes, _ = logistic_regression(np.stack(cosines, axis=1).astype(np.float64), pairs.same)
    weights = np.maximum(slopes, 0.01 * slopes.max())
    expected = weights / weights.sum()
    np.testing.assert_allclose(outcome.network.params.backbone.shares, expected, rtol=1e-3)
    np.testing.assert_allclose([each.params.weight for each in outcome.members], expected, rtol=1e-3)


def test_a_weight_in_some_members_only_is_refused() -> None:
    with pytest.raises(ValueError, match="`weight` of null in all `members` or in none"):
        dataclasses.replace(TRAIN, members=(MemberParams(seed=1), MemberParams(seed=2, weight=None)))


class CutOffError(Exception):
    """In place of whatever ends a process."""


@pytest.mark.parametrize(("wanted", "epoch"), [(deepface(), 3), (ENSEMBLE, 4)], ids=["pretrain", "members"])
def test_cut_off_in_a_later_step_it_ends_with_the_same_numbers(
    wanted: TrainingTask, epoch: int, tmp_path: Path
) -> None:
    whole = done(wanted, tmp_path / "whole")
    seen: list[int] = []

    def note(record: EpochRecord) -> None:
        seen.append(record.epoch)
        if seen == list(range(1, epoch + 1)):
            raise CutOffError

    def again() -> PlanResult:
        return run_plan(wanted, checkpoint=tmp_path / "cut", device="cpu", on_epoch=note, save_seconds=0.0)

    with pytest.raises(CutOffError):
        again()
    outcome = again()
    assert seen == [*range(1, epoch + 1), *range(epoch, 5)]  # finished steps are not trained again
    expected = whole.network.siamese.state_dict()
    found = outcome.network.siamese.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert outcome.network.decision == whole.network.decision
    assert [step.loss for step in outcome.steps] == [step.loss for step in whole.steps]
    remove_checkpoints(tmp_path / "cut")
    assert not (tmp_path / "cut").exists()


def test_a_tower_from_outside_is_kept_and_its_threshold_fitted(tmp_path: Path) -> None:
    siamese = build_siamese(MODEL, SIZE, 0)
    own = dataclasses.replace(card(MODEL, SIZE, mirror=True), preprocess=Preprocess(SIZE))
    export_onnx(tmp_path / "tower.onnx", siamese, own)
    model = planned("external", "cosine", embedding_dim=16, onnx=str(tmp_path / "tower.onnx"), normalise=True)
    outcome = done(task(model, STILL), tmp_path / "checkpoint")
    plain = dataclasses.replace(MODEL, init_from=str(tmp_path / "own.safetensors"), frozen=True)
    save_weights(tmp_path / "own.safetensors", siamese)
    twin = done(task(plain, dataclasses.replace(STILL, mirror_average=True)), tmp_path / "checkpoint")
    assert outcome.network.holdout.auc == pytest.approx(twin.network.holdout.auc, abs=1e-3)
    assert outcome.network.decision.threshold == pytest.approx(twin.network.decision.threshold, abs=1e-4)
    assert (outcome.history, outcome.best_epoch) == ([], None)
    assert "nothing was to be learnt" in outcome.stop_reason
    mapped = done(task(model, dataclasses.replace(STILL, fit=FitParams("wccn"))), tmp_path / "checkpoint")
    assert mapped.network.fitted is not None
    assert mapped.network.fitted.before == outcome.network.holdout


def test_any_backbone_starts_from_local_weights_and_is_fine_tuned(tmp_path: Path) -> None:
    first = done(task(MODEL, TRAIN), tmp_path / "first").network
    save_weights(tmp_path / "first.safetensors", first.siamese)
    model = varied(MODEL, init_from=str(tmp_path / "first.safetensors"))
    gentle = dataclasses.replace(TRAIN, epochs=1, learning_rate=1e-9, ema_decay=0.0)
    assert done(task(model, gentle), tmp_path / "tuned").network.holdout.auc > first.holdout.auc - 0.02
    tuned = done(task(model, dataclasses.replace(TRAIN, epochs=3)), tmp_path / "tuned").network
    before, after = first.siamese.state_dict(), tuned.siamese.state_dict()
    assert not torch.equal(before["backbone.stem.0.weight"], after["backbone.stem.0.weight"])


@pytest.mark.parametrize(
    ("model", "params", "message"),
    [
        ({"comparator": "weighted-l1"}, STILL, "nothing would train the comparator weighted-l1"),
        ({"comparator": "euclidean"}, ENSEMBLE.params, "averages cosines; set model.comparator to cosine"),
        (
            {"comparator": "mahalanobis"},
            dataclasses.replace(TRAIN, fit=FitParams("wccn")),
            "fit goes behind a network without projection",
        ),
    ],
)
def test_a_plan_that_cannot_end_is_refused(
    model: dict[str, str], params: TrainParams, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ParamsError, match=message):
        done(task(varied(MODEL, **model), params), tmp_path)


def test_a_later_step_that_does_not_fit_is_reported_before_the_first(tmp_path: Path) -> None:
    wanted = deepface(second_loss=LOSSES.params("supcon"))
    with pytest.raises(ParamsError, match="supcon needs to know who is on an image"):
        done(wanted, tmp_path / "checkpoint")
    assert not (tmp_path / "checkpoint").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"members": (MemberParams(0),)}, "one member makes no ensemble"),
        ({"epochs": 0, "pretrain": PretrainParams(LOSSES.params("bce"))}, "`epochs` is 0"),
        ({"warmup": 2, "pretrain": PretrainParams(LOSSES.params("bce"), epochs=1)}, "longer than the training"),
    ],
)
def test_contradictions_in_the_section(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TRAIN, **changes)
