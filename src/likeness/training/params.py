"""The `train` and `recipe` sections of params.yaml; their parts lie beside what they configure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from likeness.params import Range
from likeness.training.augment import AugmentParams
from likeness.training.losses.params import LossParams
from likeness.training.optimiser import L2Params
from likeness.training.sampling import SamplerParams
from likeness.training.stopping import StoppingParams


@dataclass(frozen=True)
class RecipeParams:
    """What the model, train and split sections make together (section `recipe`); a name for people, no more."""

    name: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class TrainParams:
    """A recipe but for its network and protocol; the defaults are S1, Koch et al. 2015 on LFW.

    Attributes:
        seed: of initial weights, order, augmentation and dropout.
        epochs: at most.
        batch_size: pairs, or images where `sampler.kind` is identities; of all processes together.
        optimizer: adam, adamw, or sgd with Nesterov momentum 0.9.
        learning_rate: at its highest.
        lr_schedule: after the warm-up: constant, or half a cosine down to 0 at the last of `epochs`.
        warmup: epochs over which the rate rises from 0 in a straight line.
        weight_decay: of matrices and convolutions, never of biases and norms; adamw decouples it from the
            gradient, the others add it as a gradient.
        clip_norm: largest norm of the gradient; null: not clipped.
        standardise: of each image: "unit" leaves grey values in [0, 1], "image" gives it mean 0 and deviation 1.
        precision: of the tower; auto: bfloat16 on a GPU, float32 on a CPU. Weights, losses and optimiser are
            always float32.
        ema_decay: of the moving average of the weights, which is then what is evaluated and kept; 0: none.
        freeze: train only this many topmost layers of the backbone; null: all of them.
        mirror_average: average each embedding with that of the mirrored face, in evaluation and in use.
        l2: see `L2Params`.
        stopping: see `StoppingParams`.
        loss: see `LossParams`.
        second_loss: added to the first; null: none.
        sampler: see `SamplerParams`.
        augment: see `AugmentParams`.
    """

    seed: Annotated[int, Range(low=0)] = 0
    epochs: Annotated[int, Range(low=1)] = 10
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
    loss: LossParams = field(default_factory=LossParams)
    second_loss: LossParams | None = None
    sampler: SamplerParams = field(default_factory=SamplerParams)
    augment: AugmentParams = field(default_factory=AugmentParams)

    def __post_init__(self) -> None:
        if self.warmup > self.epochs:
            raise ValueError(f"warmup ({self.warmup:g} epochs) is longer than the training ({self.epochs} epochs)")

    @property
    def losses(self) -> list[LossParams]:
        """The one or two losses."""
        return [self.loss] if self.second_loss is None else [self.loss, self.second_loss]
