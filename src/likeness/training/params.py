"""The `train` and `recipe` sections of params.yaml; larger parts lie beside what they configure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from likeness.artifacts.json_file import plain
from likeness.models.architecture import (
    BACKBONES,
    COMPARATORS,
    BackboneParams,
    ComparatorParams,
    ModelParams,
    Window,
)
from likeness.params import Range, from_mapping
from likeness.training.augment import AugmentParams
from likeness.training.early_stopping import StoppingParams
from likeness.training.fitting.params import FitParams
from likeness.training.losses.objective import LOSSES, LossParams
from likeness.training.samplers.sampler import SAMPLERS, SamplerParams


@dataclass(frozen=True)
class RecipeParams:
    """What the model, train and split sections make together (section `recipe`); words for people, no more.

    Attributes:
        name: short.
        description: one sentence.
        outside_data: category of other data that had a part in the weights a training starts from, for those who
            know it; null: what their card says, and labelled for an external tower.
    """

    SECTION: ClassVar[str] = "recipe"

    name: str | None = None
    description: str | None = None
    outside_data: str | None = None


@dataclass(frozen=True)
class L2Params:
    """Factors λ of λ·Σw² added to the loss, by kind of layer of the backbone; weights alone, not biases.

    Attributes:
        conv: of convolutions (S1: 2e-4).
        dense: of dense layers (S1: 2e-3).
    """

    conv: Annotated[float, Range(low=0)] = 0.0
    dense: Annotated[float, Range(low=0)] = 0.0


@dataclass(frozen=True)
class PretrainParams:
    """A first step of gradient descent on the same tower, under another loss (section `train.pretrain`).

    Whatever is not named here is as in the step that follows, but for `freeze`: nothing is frozen yet.

    Attributes:
        loss: see `LossParams`.
        second_loss: added to the first; null: none.
        sampler: see `SamplerParams`.
        comparator: what held-out pairs are scored by, one without weights; the network's own learns in the step
            that follows.
        epochs: at most.
        batch_size: null: as in the step that follows.
        learning_rate: null: likewise.

    Raises:
        ValueError: the comparator has weights.
    """

    loss: LossParams
    second_loss: LossParams | None = None
    sampler: SamplerParams = field(default_factory=partial(SAMPLERS.params, "pairs"))
    comparator: ComparatorParams = field(default_factory=partial(COMPARATORS.params, "cosine"))
    epochs: Annotated[int, Range(low=1)] = 10
    batch_size: Annotated[int, Range(low=2)] | None = None
    learning_rate: Annotated[float, Range(above=0)] | None = None

    def __post_init__(self) -> None:
        if COMPARATORS.part(self.comparator.name).trained_by:
            raise ValueError(
                f"expected a comparator without weights, such as cosine, found {self.comparator.name}"
            )


@dataclass(frozen=True)
class MemberParams:
    """How one member of an ensemble differs from the recipe (an entry of `train.members`); null: it does not.

    Attributes:
        seed: of its initial weights, its order and its subset.
        share: of the people (of the pairs, where only pairs are known) that it sees, see `SamplerParams`.
        window: part of the stored picture that it sees.
        backbone: its tower: parameters that differ from the recipe's, and another `name` for another tower, which
            keeps what it reads of the recipe's.
        embedding_dim: numbers that its tower gives.
        epochs: at most; 0: nothing in it is learnt by gradient descent.
        fit: a map behind it.
        weight: of its cosine in the ensemble's, relative to the others'; null, in all members or in none: the
            slope of a logistic regression of the held-out pairs on the members' cosines.
    """

    seed: Annotated[int, Range(low=0)]
    share: Annotated[float, Range(above=0, high=1)] | None = None
    window: Window | None = None
    backbone: Mapping[str, Any] | None = None
    embedding_dim: Annotated[int, Range(1, 65536)] | None = None
    epochs: Annotated[int, Range(low=0)] | None = None
    fit: FitParams | None = None
    weight: Annotated[float, Range(above=0)] | None = 1.0

    @staticmethod
    def upgraded(values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Version 0.1 wrote the backbone's name alone, and its width beside it."""
        former = {key: value for key, value in values.items() if value is not None}
        name, width = former.pop("backbone", None), former.pop("width", None)
        if isinstance(name, Mapping) or (name is None and width is None):
            return values
        return former | {"backbone": {k: v for k, v in (("name", name), ("width", width)) if v is not None}}

    def model(self, common: ModelParams) -> ModelParams:
        """This member's network, where `common` is the recipe's.

        Raises:
            ParamsError: its backbone does not read what is given for it.
        """
        own = {name: getattr(self, name) for name in ("window", "embedding_dim")}
        backbone = self._backbone(common.backbone) if self.backbone else common.backbone
        changed = {name: value for name, value in own.items() if value is not None}
        return dataclasses.replace(common, backbone=backbone, **changed)

    def _backbone(self, common: BackboneParams) -> BackboneParams:
        own = dict(self.backbone or {})
        kind = BACKBONES.kind_of_params(str(own.get("name", common.name)))
        read = {field.name for field in dataclasses.fields(kind)}
        shared = {key: value for key, value in plain(common).items() if key in read}
        return from_mapping(BackboneParams, shared | own, "train.members, backbone")


@dataclass(frozen=True)
class CohortParams:
    """A cohort that becomes part of the model (section `train.cohort`): one training face each of many people.

    How near a face is to everybody is its mean cosine to the nearest of the cohort; the mean of both faces' is
    taken off their cosine (`likeness.models.comparators.csls`). Whoever has the model has these embeddings.

    Attributes:
        people: at most, drawn at random; where only pairs are known, photographs.
        nearest: of the cohort, that count for a face.
    """

    people: Annotated[int, Range(low=1)] = 4096
    nearest: Annotated[int, Range(low=1)] = 20


@dataclass(frozen=True)
class TrainParams:
    """A recipe but for its network and protocol; the defaults are S1, Koch et al. 2015 on LFW.

    Attributes:
        seed: of initial weights, order, augmentation and dropout.
        epochs: at most; 0: nothing is learnt by gradient descent.
        batch_size: pairs, or images where `sampler.name` is identities; of all processes together.
        optimizer: adam, adamw, or sgd with Nesterov momentum 0.9.
        learning_rate: at its highest.
        lr_schedule: after the warm-up: constant, or half a cosine down to 0 at the last of `epochs`.
        warmup: epochs over which the rate rises from 0 in a straight line.
        weight_decay: of matrices and convolutions, never of biases and norms; adamw decouples it from the
            gradient, the others add it as a gradient.
        clip_norm: largest norm of the gradient; null: not clipped.
        standardise: of each image: "unit" leaves grey values in [0, 1], "image" gives it mean 0 and deviation 1.
        precision: of the tower; auto: bfloat16 on a GPU, and on a CPU that a short measurement finds quick in it,
            else float32. Weights, losses and optimiser are always float32.
        ema_decay: of the moving average of the weights, which is then what is evaluated and kept; 0: none.
        freeze: train only this many topmost layers of the backbone; null: all of them.
        mirror_average: average each embedding with that of the mirrored face, in evaluation and in use.
        l2: see `L2Params`.
        stopping: see `StoppingParams`.
        loss: see `LossParams`.
        second_loss: added to the first; null: none.
        sampler: see `SamplerParams`.
        augment: see `AugmentParams`.
        pretrain: a first step under another loss, see `PretrainParams`; null: none.
        fit: a map put behind the trained network, see `FitParams`; null: none.
        members: networks that are trained one after another and joined, their cosines averaged; none: one network.
        cohort: training people whose faces scale the finished network's cosines, see `CohortParams`; null: none.

    Raises:
        ValueError: two values contradict each other.
    """

    SECTION: ClassVar[str] = "train"

    seed: Annotated[int, Range(low=0)] = 0
    epochs: Annotated[int, Range(low=0)] = 10
    batch_size: Annotated[int, Range(low=2)] = 32
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Annotated[float, Range(above=0)] = 5e-5
    lr_schedule: Literal["constant", "cosine"] = "constant"
    warmup: Annotated[float, Range(low=0)] = 0.0
    weight_decay: Annotated[float, Range(low=0)] = 0.0
    clip_norm: Annotated[float, Range(above=0)] | None = None
    standardise: Literal["unit", "image"] = "unit"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    ema_decay: Annotated[float, Range(0, below=1)] = 0.0
    freeze: Annotated[int, Range(low=0)] | None = None
    mirror_average: bool = False
    l2: L2Params = field(default_factory=L2Params)
    stopping: StoppingParams = field(default_factory=StoppingParams)
    loss: LossParams = field(default_factory=partial(LOSSES.params, "bce"))
    second_loss: LossParams | None = None
    sampler: SamplerParams = field(default_factory=partial(SAMPLERS.params, "pairs"))
    augment: AugmentParams = field(default_factory=AugmentParams)
    pretrain: PretrainParams | None = None
    fit: FitParams | None = None
    members: tuple[MemberParams, ...] = ()
    cohort: CohortParams | None = None

    def __post_init__(self) -> None:
        if self.warmup > self.epochs:
            raise ValueError(f"warmup ({self.warmup:g} epochs) is longer than the training ({self.epochs} epochs)")
        if len(self.members) == 1:
            raise ValueError("one member makes no ensemble; name at least two `members`, or none")
        if len({member.weight is None for member in self.members}) == 2:
            raise ValueError("expected a `weight` of null in all `members` or in none, found it in some")
        if self.pretrain is not None:
            if not self.epochs:
                raise ValueError("`pretrain` prepares a training, but `epochs` is 0")
            self.first_phase(self.pretrain)

    @property
    def losses(self) -> list[LossParams]:
        """The one or two losses."""
        return [self.loss] if self.second_loss is None else [self.loss, self.second_loss]

    def first_phase(self, first: PretrainParams) -> TrainParams:
        """The parameters of the phase before this one."""
        return dataclasses.replace(
            self,
            epochs=first.epochs,
            batch_size=first.batch_size or self.batch_size,
            learning_rate=first.learning_rate or self.learning_rate,
            loss=first.loss,
            second_loss=first.second_loss,
            sampler=first.sampler,
            freeze=None,
            pretrain=None,
        )

    def of_member(self, member: MemberParams) -> TrainParams:
        """The parameters of one network of the ensemble."""
        share = self.sampler.share if member.share is None else member.share
        sampler = dataclasses.replace(self.sampler, share=share)
        first = self.pretrain
        if first is not None:
            first = dataclasses.replace(first, sampler=dataclasses.replace(first.sampler, share=share))
        epochs = self.epochs if member.epochs is None else member.epochs
        return dataclasses.replace(
            self,
            seed=member.seed,
            epochs=epochs,
            warmup=min(self.warmup, epochs),
            sampler=sampler,
            pretrain=first if epochs else None,
            fit=self.fit if member.fit is None else member.fit,
            members=(),
            cohort=None,
        )
