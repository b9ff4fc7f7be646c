from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from likeness.artifacts.history import EpochRecord
from likeness.data.splits import Pairs
from likeness.errors import CollapseError, DivergedError
from likeness.models.comparators.comparator import Comparator
from likeness.models.comparators.cosine import Cosine
from likeness.models.comparators.euclidean import Euclidean
from likeness.models.comparators.mahalanobis import Mahalanobis
from likeness.models.comparators.weighted_l1 import WeightedL1
from likeness.models.siamese import Siamese
from likeness.models.tensors import read_tensors
from likeness.training.augment import AugmentParams
from likeness.training.early_stopping import StoppingParams
from likeness.training.holdout_metrics import Holdout, measure_holdout
from likeness.training.losses.build import build_objective
from likeness.training.losses.objective import LOSSES, LossParams
from likeness.training.params import L2Params, TrainParams
from likeness.training.results import TrainingResult
from likeness.training.samplers.sampler import SAMPLERS
from likeness.training.trainer import train
from tests.training.tiny import PREPROCESS, network, world

BASE = TrainParams(
    epochs=8,
    batch_size=32,
    optimizer="adamw",
    learning_rate=1e-2,
    lr_schedule="cosine",
    warmup=1,
    stopping=StoppingParams("auc", patience=None),
)

LOGIT, METRIC = partial(WeightedL1, 8), partial(Mahalanobis, 8)


def run(params: TrainParams, siamese: Siamese, folder: Path, **options: object) -> TrainingResult:
    """Trains the tiny network on the data that its sampler needs."""
    pixels, listed, identities, holdout = world(48)
    data = identities if params.sampler.part.by_identity else listed
    return train(
        data, holdout, pixels, siamese, PREPROCESS, params, seed=0, checkpoint=folder, device="cpu", **options
    )


def recipe(*losses: LossParams, kind: str = "identities", **changes: object) -> TrainParams:
    second = losses[1] if len(losses) > 1 else None
    return dataclasses.replace(BASE, loss=losses[0], second_loss=second, sampler=SAMPLERS.params(kind), **changes)


RECIPES: dict[str, tuple[TrainParams, Callable[[], nn.Module]]] = {
    "S1 cross-entropy": (recipe(LOSSES.params("bce"), kind="pairs", l2=L2Params(2e-4, 2e-3), batch_size=8), LOGIT),
    "S2 lecture": (recipe(LOSSES.params("contrastive", form="lecture"), kind="pairs"), Euclidean),
    "S2 hadsell": (recipe(LOSSES.params("contrastive"), kind="pairs"), Euclidean),
    "S3 random": (recipe(LOSSES.params("triplet", miner="random")), Euclidean),
    "S3 semi-hard": (recipe(LOSSES.params("triplet")), Euclidean),
    "S3 curriculum": (recipe(LOSSES.params("triplet", miner="batch-hard", easy_until=0.4)), Euclidean),
    "S4 rising margin": (recipe(LOSSES.params("triplet", margin=0.4, margin_start=0.05)), Cosine),
    "S8 multibatch": (recipe(LOSSES.params("multibatch", balanced=True)), Cosine),
    "S9 softmax": (recipe(LOSSES.params("softmax", scale=8)), Cosine),
    "S9 arcface": (recipe(LOSSES.params("arcface", scale=8, margin=0.2, margin_start=0)), Cosine),
    "S9 cosface": (recipe(LOSSES.params("cosface", scale=8, margin=0.2)), Cosine),
    "S11 metric": (recipe(LOSSES.params("contrastive", balanced=True)), METRIC),
    "multi-similarity": (recipe(LOSSES.params("multi-similarity")), Cosine),
    "arcface + supcon": (recipe(LOSSES.params("arcface", scale=8, margin=0.2), LOSSES.params("supcon")), Cosine),
}


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_learns_people_it_has_never_seen(name: str, tmp_path: Path) -> None:
    params, comparator = RECIPES[name]
    trained = run(params, network(comparator, dropout=0), tmp_path)
    assert trained.best.holdout_auc > 0.85


def test_what_is_written_down(tmp_path: Path) -> None:
    seen: list[EpochRecord] = []
    params = dataclasses.replace(BASE, epochs=3, l2=L2Params(conv=1.0), stopping=StoppingParams(keep="last"))
    trained = run(params, network(LOGIT), tmp_path, on_epoch=seen.append)
    assert seen == trained.history
    assert [record.epoch for record in seen] == [1, 2, 3]
    assert [(s.step, s.epoch) for s in trained.steps] == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3)]
    first = trained.steps[:2]
    mean = sum(s.loss * s.images for s in first) / sum(s.images for s in first)
    assert seen[0].train_loss == pytest.approx(mean)
    assert seen[0].learning_rate == trained.steps[1].learning_rate == pytest.approx(1e-2 * 0.75)
    convolutions = [m.weight for m in trained.siamese.modules() if isinstance(m, nn.Conv2d)]
    assert seen[2].penalty == pytest.approx(sum(w.square().sum().item() for w in convolutions), rel=1e-5)
    assert trained.stop_reason == "all 3 epochs done"
    assert trained.seconds >= trained.seconds_to_best > 0
    assert "log σ(z)" in trained.formula


def test_the_weights_handed_over_are_the_averaged_ones_of_the_best_epoch(tmp_path: Path) -> None:
    params = recipe(LOSSES.params("supcon"), ema_decay=0.7, epochs=6)
    trained = run(params, network(), tmp_path)
    pixels, _, identities, pairs = world(48)
    holdout = Holdout(pairs, pixels, PREPROCESS, mirror=False, batch_size=64, over_pairs=False)
    objective = build_objective(params.losses, trained.siamese, identities, True, 0)
    again = measure_holdout(trained.siamese, objective, holdout, torch.device("cpu"), 1.0)
    assert again.auc == trained.best.holdout_auc == max(record.holdout_auc for record in trained.history)
    assert again.loss == pytest.approx(trained.best.holdout_loss, rel=1e-9)
    assert again.decision == trained.decision
    assert not trained.siamese.training


def test_early_stopping_ends_the_training(tmp_path: Path) -> None:
    stopping = StoppingParams("loss", patience=2, min_delta=10.0)
    trained = run(dataclasses.replace(BASE, stopping=stopping), network(LOGIT), tmp_path)
    assert len(trained.history) == 3  # the first counts as an improvement on nothing
    assert trained.stop_reason == "loss of the held-out pairs not better by 10 for 2 epochs"


def test_a_seed_fixes_the_weights_and_the_global_random_state_is_left_alone(tmp_path: Path) -> None:
    """With dropout, augmentation, mining and second views: all that is random."""
    params = dataclasses.replace(
        recipe(LOSSES.params("triplet", miner="random"), epochs=2, augment=AugmentParams(True, 10, noise=0.1)),
        sampler=SAMPLERS.params("identities", images_per_person=3, single_views=2),
    )
    torch.manual_seed(7)
    state = torch.get_rng_state()
    first = run(params, network(dropout=0.3), tmp_path / "a").siamese.state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    second = run(params, network(dropout=0.3), tmp_path / "b").siamese.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_starts_from_the_losses_of_a_cpu_and_learns(tmp_path: Path) -> None:
    pixels, _, identities, holdout = world(48)
    params = recipe(
        LOSSES.params("arcface", scale=8, margin=0.2), LOSSES.params("triplet"), augment=AugmentParams(True, 5)
    )
    still = dataclasses.replace(params, precision="float32", epochs=1, augment=AugmentParams())

    def trained(params: TrainParams, device: str) -> TrainingResult:
        return train(
            *(identities, holdout, pixels, network(dropout=0), PREPROCESS, params),
            seed=0,
            checkpoint=tmp_path / device / params.precision,
            device=device,
        )

    first, expected = (trained(still, device).steps[0].loss for device in ("cuda", "cpu"))
    assert first == pytest.approx(expected, rel=1e-3)
    assert trained(params, "cuda").best.holdout_auc > 0.85  # bfloat16, augmented on the device


def test_the_bar_on_a_terminal_shows_loss_holdout_speed_and_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("likeness.training.progress_bar._DELAY", 0.0)
    run(dataclasses.replace(BASE, epochs=2), network(LOGIT), tmp_path)
    shown = capsys.readouterr().err
    assert re.search(r"training: 100%.*4/4 \[.*<.*loss=\d.*images/s=\d.*holdout=0\.\d{3}", shown)


def test_elsewhere_a_line_is_logged_for_each_epoch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level("INFO"):
        run(dataclasses.replace(BASE, epochs=2), network(LOGIT), tmp_path)
    assert [line.split(":")[0] for line in caplog.messages] == ["epoch 1/2", "epoch 2/2"]
    assert capsys.readouterr().err == ""


def test_bfloat16_on_a_cpu_learns_as_well_as_float32(tmp_path: Path) -> None:
    """The mean over seeds of the held-out AUC; the weights stay in float32."""

    def mean(precision: str) -> float:
        found = []
        for seed in range(3):
            params = recipe(LOSSES.params("supcon"), precision=precision, epochs=6)
            trained = run(params, network(dropout=0, seed=seed), tmp_path / f"{precision} {seed}")
            assert {tensor.dtype for tensor in trained.siamese.parameters()} == {torch.float32}
            found.append(trained.best.holdout_auc)
        return float(np.mean(found))

    assert mean("bfloat16") == pytest.approx(mean("float32"), abs=0.02)


class Poisoned(Comparator):
    """A comparator whose scores are no numbers any more after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        self.left -= self.training
        return (first - second).square().sum(-1) * (float("nan") if self.left < 0 else -1.0)


def test_a_diverging_loss_leaves_the_last_good_weights(tmp_path: Path) -> None:
    siamese = network(lambda: Poisoned(4))
    with pytest.raises(DivergedError, match=r"became nan in step 5.*last-good\.safetensors.*learning_rate"):
        run(BASE, siamese, tmp_path)
    weights = read_tensors(tmp_path / "last-good.safetensors")
    assert set(weights) == set(siamese.state_dict())
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())


def test_a_loss_that_diverges_at_once(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match="step 1; no epoch was finished before"):
        run(BASE, network(lambda: Poisoned(0)), tmp_path)


def test_collapse_is_named(tmp_path: Path) -> None:
    """Only same pairs: the quickest way down is to make every face the same point."""
    pixels, listed, _, holdout = world(48)
    alike = Pairs(listed.a[listed.same], listed.b[listed.same], np.ones(int(listed.same.sum()), dtype=bool))
    params = dataclasses.replace(
        BASE, epochs=200, batch_size=8, learning_rate=3e-2, loss=LOSSES.params("contrastive")
    )
    with pytest.raises(CollapseError, match=r"same point by epoch \d+: their spread fell from .* loss sits at"):
        train(
            alike, holdout, pixels, network(Euclidean, dropout=0), PREPROCESS, params, seed=0, checkpoint=tmp_path
        )
