"""A training as a plan of phases, described by the `train` section and carried out by one function.

    one network:   pretrain  →  train  →  fit        (each may be absent)
    an ensemble:   its members, each such a network  →  join
    both:          →  cohort (may be absent)

Every phase of gradient descent (pretrain, train) has a checkpoint of its own, which is kept until the whole plan
is over. Started again after an interruption, a finished phase is read from its checkpoint and the current one goes
on where it was, so that the plan ends with the very numbers of one never interrupted; a codebook (Fisher vectors)
or a map is fitted again, which gives the same one.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from likeness.artifacts.history import EpochRecord
from likeness.artifacts.training_summary import HoldoutMetrics
from likeness.data.splits import Pairs, TrainingData
from likeness.errors import ParamsError
from likeness.metrics.platt_scaling import logistic_regression
from likeness.models.architecture import BACKBONES, COMPARATORS, ModelParams
from likeness.models.backbones.fisher import Codebook, FisherVectors
from likeness.models.embedding import embed_pixels
from likeness.models.network import build_siamese, compared_by, ensemble_of, with_cohort, with_projection
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.training.distributed import init_distributed
from likeness.training.fitting.codebook import learn_codebook
from likeness.training.fitting.cohort import CSLS, cohort_rows
from likeness.training.fitting.fit import LinearMap, check_allowed, fit_map, formula_of
from likeness.training.fitting.params import FitParams
from likeness.training.holdout_metrics import Holdout, HoldoutResult, evaluate_holdout, holdout_scores
from likeness.training.losses.build import build_objective
from likeness.training.params import TrainParams
from likeness.training.results import (
    FittedMap,
    MemberResult,
    PlanResult,
    TrainedNetwork,
    TrainingResult,
    renumbered,
)
from likeness.training.samplers.sampler import build_sampler
from likeness.training.signals import SignalHandler, interruption_error
from likeness.training.trainer import train

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingTask:
    """What is to be trained, on what.

    Attributes:
        data: pairs (restricted protocol) or identities (unrestricted).
        holdout: pairs of people not in `data`, for early stopping and the decision.
        pixels: the pixel store, uint8 [N, H, W] or [N, H, W, 3].
        model: the network, or what the members of an ensemble have in common.
        preprocess: of the network.
        params: section `train`.
    """

    data: TrainingData
    holdout: Pairs
    pixels: npt.NDArray[np.uint8]
    model: ModelParams
    preprocess: Preprocess
    params: TrainParams


def run_plan(
    task: TrainingTask,
    *,
    checkpoint: Path,
    device: str = "auto",
    on_epoch: Callable[[EpochRecord], None] = lambda record: None,
    save_seconds: float = 60.0,
) -> PlanResult:
    """Builds the network of a task and trains it.

    Args:
        task: see there.
        checkpoint: folder of the checkpoints, kept until `remove_checkpoints`.
        device: auto (a GPU if there is one), cpu, or cuda.
        on_epoch: called with each finished epoch, numbered on over all phases; see `train`.
        save_seconds: see `train`.

    Raises:
        ParamsError: parts of the plan contradict each other or the protocol; reported before any work.
        ModelError: the network cannot be built, or a file does not fit.
        LikenessError: see `train`.
    """
    check_plan(task)
    runner = _PlanRunner(task, checkpoint, device, on_epoch, save_seconds)
    if not task.params.members:
        return runner.result(runner.scaled(runner.train_network(task.model.resolved(), task.params, "")), ())
    networks = [
        runner.train_network(model, params, f"member-{number}")
        for number, (model, params) in enumerate(networks_of(task.model, task.params), start=1)
    ]
    weights = runner.member_weights(networks)
    members = tuple(
        MemberResult(
            f"member-{number}", dataclasses.replace(member, weight=weight), network.holdout, network.fitted
        )
        for number, (member, weight, network) in enumerate(
            zip(task.params.members, weights, networks, strict=True), start=1
        )
    )
    return runner.result(runner.scaled(runner.join(networks, weights)), members)


def check_plan(task: TrainingTask) -> None:
    """Refuses a plan that could not be carried out to its end.

    Raises:
        ParamsError: all that is wrong with it.
    """
    model, params, mistakes = task.model, task.params, []
    compared = model.comparator.name
    learns = bool(COMPARATORS.part(compared).trained_by)
    if not params.epochs and learns:
        mistakes.append(f"train.epochs is 0, so that nothing would train the comparator {compared}")
    for member, own in networks_of(model, params):
        tower = member.backbone.name
        if own.epochs and not learns and not BACKBONES.part(tower).by_gradient:
            mistakes.append(f"nothing in {tower} is learnt by gradient descent; set its epochs to 0")
    if params.cohort and compared != "cosine":
        mistakes.append(f"train.cohort scales cosines; set model.comparator to cosine, found {compared}")
    if COMPARATORS.part(compared).by_cohort:
        mistakes.append(f"{compared} needs a cohort; set model.comparator to cosine, and train.cohort")
    if params.members and compared != "cosine":
        mistakes.append(f"an ensemble averages cosines; set model.comparator to cosine, found {compared}")
    if params.fit is not None and (model.projection_dim or learns):
        mistakes.append("train.fit goes behind a network without projection, compared by cosine or euclidean")
    if mistakes:
        raise ParamsError("the plan cannot be carried out\n" + "\n".join(f"  {mistake}" for mistake in mistakes))
    if params.fit is not None:
        check_allowed(task.data, params.fit)


def networks_of(model: ModelParams, params: TrainParams) -> list[tuple[ModelParams, TrainParams]]:
    """The networks of a plan, each with its own part of it: an ensemble's members, or the only one."""
    found = [(one.model(model), params.of_member(one)) for one in params.members] or [(model, params)]
    return [(network.resolved(), own) for network, own in found]


def phases_of(model: ModelParams, siamese: Siamese, params: TrainParams) -> list[tuple[str, Siamese, TrainParams]]:
    """The trainings of one network by gradient descent in their order: name, what is trained, and how."""
    phases = [("train", siamese, params)] if params.epochs else []
    if params.pretrain is not None:
        _, network = compared_by(model, siamese, params.pretrain.comparator.name)
        phases.insert(0, ("pretrain", network, params.first_phase(params.pretrain)))
    return phases


def check_phase(data: TrainingData, siamese: Siamese, params: TrainParams) -> None:
    """Refuses a phase whose parts do not go together.

    Raises:
        ParamsError: a sampler or a loss does not go with the protocol, with each other, or with the comparator.
        DataError: there is nothing to draw from.
    """
    build_sampler(data, params.sampler, params.batch_size, params.seed)
    build_objective(params.losses, siamese, data, params.sampler.part.by_identity, params.seed)


class _PlanRunner:
    """A plan being carried out: what all of its phases share, and those that are done."""

    def __init__(
        self,
        task: TrainingTask,
        checkpoint: Path,
        device: str,
        on_epoch: Callable[[EpochRecord], None],
        save_seconds: float,
    ) -> None:
        self.task, self.checkpoint, self.device = task, checkpoint, device
        self.on_epoch, self.save_seconds = on_epoch, save_seconds
        self.context = init_distributed(device)
        self.holdout = Holdout.of(task.holdout, task.pixels, task.preprocess, task.params)
        self.trainings: list[tuple[str, TrainingResult]] = []

    def train_network(self, model: ModelParams, params: TrainParams, name: str) -> TrainedNetwork:
        """One network from its initial weights to its decision; `name` is a member's, empty for one alone."""
        siamese = build_siamese(model, self.task.preprocess.size, params.seed)
        if isinstance(siamese.backbone, FisherVectors) and model.init_from is None:
            siamese.backbone.take(self._learn_codebook(siamese, siamese.backbone, params.seed))
        phases = phases_of(model, siamese, params)
        for _, network, planned in phases:
            check_phase(self.task.data, network, planned)
        for phase, network, planned in phases:
            folder = self.checkpoint / name / ("" if phase == "train" else phase)
            label = name if name and phase == "train" else f"{name} {phase}".strip()
            trained = self._train_phase(network, planned, folder, label)
        if params.epochs:
            best = trained.best
            figures = HoldoutMetrics(best.holdout_loss, best.holdout_accuracy, best.holdout_auc)
            done = TrainedNetwork(model, siamese, trained.decision, figures)
        else:
            done = self._measure(model, siamese)
        return done if params.fit is None else self._with_map(done, params.fit)

    def member_weights(self, networks: list[TrainedNetwork]) -> list[float]:
        """The weight of each member's cosine: as stated, or fitted on the held-out pairs."""
        stated = [member.weight for member in self.task.params.members if member.weight is not None]
        if stated:
            return stated
        found: list[float] = self.context.broadcast(
            self._fitted_weights(networks) if self.context.is_main else None
        )
        return found

    def join(self, networks: list[TrainedNetwork], weights: list[float]) -> TrainedNetwork:
        """The ensemble of trained members."""
        return self._measure(*ensemble_of([(network.params, network.siamese) for network in networks], weights))

    def scaled(self, network: TrainedNetwork) -> TrainedNetwork:
        """The finished network with its cohort, where the plan has one."""
        cohort, begun = self.task.params.cohort, time.monotonic()
        if cohort is None:
            return network
        rows = cohort_rows(self.task.data, cohort.people, self.task.params.seed)
        _log.info("embedding a cohort of %d training faces", len(rows))
        embeddings: npt.NDArray[np.float32] = self.context.broadcast(
            self._embeddings(network.siamese, rows) if self.context.is_main else None
        )
        faces = torch.from_numpy(embeddings)
        after = self._measure(*with_cohort(network.params, network.siamese, faces, cohort.nearest))
        formula = CSLS.format(nearest=min(cohort.nearest, len(rows)), people=len(rows))
        fitted = FittedMap("csls", formula, network.holdout, after.holdout, time.monotonic() - begun)
        return dataclasses.replace(after, fitted=network.fitted, cohort=fitted)

    def result(self, network: TrainedNetwork, members: tuple[MemberResult, ...]) -> PlanResult:
        """All of it, once nothing is left to do."""
        place = self.context.device
        name = torch.cuda.get_device_name(place) if place.type == "cuda" else "cpu"
        processes, is_main = self.context.world_size, self.context.is_main
        return PlanResult(network, tuple(self.trainings), members, name, processes, is_main)

    def _train_phase(self, siamese: Siamese, params: TrainParams, folder: Path, name: str) -> TrainingResult:
        task, before = self.task, sum(len(trained.history) for _, trained in self.trainings)
        trained = train(
            *(task.data, task.holdout, task.pixels, siamese, task.preprocess),
            dataclasses.replace(params, pretrain=None, fit=None, members=(), cohort=None),
            seed=params.seed,
            checkpoint=folder,
            device=self.device,
            on_epoch=lambda record: self.on_epoch(renumbered(record, name, before)),
            save_seconds=self.save_seconds,
        )
        self.trainings.append((name, trained))
        return trained

    def _fitted_weights(self, networks: list[TrainedNetwork]) -> list[float]:
        """Slopes of a logistic regression, made to sum to 1; none is below a hundredth of the largest."""
        device = self.context.device
        cosines = [holdout_scores(network.siamese.to(device), self.holdout, device) for network in networks]
        slopes, _ = logistic_regression(np.stack(cosines, axis=1).astype(np.float64), self.task.holdout.same)
        weights = np.maximum(slopes, 0.01 * max(float(slopes.max()), 1e-12))
        return [float(weight) for weight in weights / weights.sum()]

    def _measure(self, model: ModelParams, siamese: Siamese) -> TrainedNetwork:
        """A network that is not trained further, with its decision and metrics on the held-out pairs."""
        siamese.to(self.context.device).eval()
        found: HoldoutResult = self.context.broadcast(
            evaluate_holdout(siamese, self.holdout, self.context.device) if self.context.is_main else None
        )
        return TrainedNetwork(
            model, siamese, found.decision, HoldoutMetrics(found.loss, found.accuracy, found.auc)
        )

    def _learn_codebook(self, siamese: Siamese, tower: FisherVectors, seed: int) -> Codebook:
        task = self.task

        def images_of(rows: npt.NDArray[np.int64]) -> Tensor:
            pixels = torch.from_numpy(np.ascontiguousarray(task.pixels[rows])).to(self.context.device)
            return siamese.seen(task.preprocess.tensor(pixels))

        siamese.to(self.context.device)
        _log.info("learning a codebook of %d Gaussians", tower.gaussians)
        found: Codebook = self.context.broadcast(
            learn_codebook(tower, images_of, task.data.rows, seed) if self.context.is_main else None
        )
        return found

    def _with_map(self, network: TrainedNetwork, params: FitParams) -> TrainedNetwork:
        begun = time.monotonic()
        found: LinearMap = self.context.broadcast(self._fit(network, params) if self.context.is_main else None)
        weight, bias = torch.from_numpy(found.weight).float(), torch.from_numpy(found.bias).float()
        after = self._measure(*with_projection(network.params, network.siamese, weight, bias))
        seconds = time.monotonic() - begun
        fitted = FittedMap(params.kind, formula_of(params), network.holdout, after.holdout, seconds)
        return dataclasses.replace(after, fitted=fitted)

    def _fit(self, network: TrainedNetwork, params: FitParams) -> LinearMap:
        task = self.task
        _, bare = compared_by(network.params, network.siamese, "euclidean")  # its embeddings are the map's input

        def embeddings_of(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.floating]:
            return self._embeddings(bare, rows)

        with SignalHandler() as signals:

            def check_signals(number: int = -1) -> None:
                if signals.received:
                    raise interruption_error(signals.received, f"while {params.kind} was fitted")

            found = fit_map(task.data, embeddings_of, params, check_signals)
            check_signals()
        return found

    def _embeddings(self, siamese: Siamese, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Of stored faces, as the finished network embeds them."""
        task = self.task
        given = (siamese, task.preprocess, task.pixels, rows)
        return embed_pixels(*given, device=self.context.device, mirror=task.params.mirror_average)
