"""The network in training with everything that a step changes: weights, optimizer state, weight average."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from likeness.models.preprocess import Preprocess, channels_first
from likeness.models.siamese import Siamese
from likeness.training.augment import AugmentParams, augment
from likeness.training.batches import Batch, PixelSource
from likeness.training.distributed import DistributedContext
from likeness.training.ema import ExponentialMovingAverage
from likeness.training.freezing import FrozenLayers
from likeness.training.losses.objective import Loss, Objective
from likeness.training.optimizer import (
    Penalty,
    build_optimizer,
    named_trainable,
    optimizer_tensors,
    restore_optimizer,
)
from likeness.training.params import TrainParams
from likeness.training.precision import Precision
from likeness.training.randomness import Purpose, torch_seed


@dataclass(frozen=True)
class StepPosition:
    """Where in a training a step is.

    Attributes:
        epoch: counted from 0.
        index: of the step within its epoch, counted from 0.
        progress: share of all epochs that is over in the middle of the step, in (0, 1).
    """

    epoch: int
    index: int
    progress: float


class TrainingState:
    """A network with all that changes it, and the step that does.

    A step's randomness (augmentation, dropout, mining) is a function of (seed, epoch, step), so that none of it
    needs to be stored in a checkpoint.

    Args:
        siamese: trained in place, on the context's device.
        objective: likewise.
        params: the recipe; where it leaves no weight to train, steps only measure the loss.
        preprocess: of the network.
        pixels: the pixel store.
        seed: of everything random.
        context: the processes that train together.
        precision: of the passes through the network; may be set again between steps.
    """

    def __init__(
        self,
        siamese: Siamese,
        objective: Objective,
        params: TrainParams,
        preprocess: Preprocess,
        pixels: PixelSource,
        seed: int,
        context: DistributedContext,
        precision: Precision,
    ) -> None:
        if context.world_size > 1 and context.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(siamese)  # type: ignore[no-untyped-call]
        # Channels last, because both cuDNN and oneDNN compute convolutions that way, and else reorder each array.
        self.siamese = siamese.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.objective = objective.to(context.device)
        self.params, self.preprocess, self.pixels = params, preprocess, pixels
        self.seed, self.context = seed, context
        self.frozen = FrozenLayers(siamese.backbone, 0 if siamese.frozen else params.freeze)
        self.parameters = named_trainable(siamese, objective)
        self.optimizer = build_optimizer(self.parameters, params) if self.parameters else None
        self.penalty = Penalty(siamese.backbone, params.l2)
        self.average = ExponentialMovingAverage(siamese, params.ema_decay) if params.ema_decay else None
        self._forward = _Forward(siamese, objective, precision, context)
        self.forward = context.parallel(self._forward) if self.parameters else self._forward
        self.steps = 0

    @property
    def precision(self) -> Precision:
        """Of the passes through the network."""
        return self._forward.precision

    @precision.setter
    def precision(self, precision: Precision) -> None:
        self._forward.precision = precision

    def train(self) -> None:
        """Switches the network to training mode; frozen layers stay in evaluation mode."""
        self.siamese.train()
        self.frozen.set_eval()

    def step(self, batch: Batch, position: StepPosition, learning_rate: float) -> Loss:
        """One step of the optimizer.

        Args:
            batch: on the host.
            position: where in the training.
            learning_rate: of this step.

        Returns:
            The batch's loss before the step, without the penalty, still on the device.
        """
        loss = self._backward(batch, position)
        self.steps += 1
        if self.optimizer is not None:
            if self.params.clip_norm is not None:
                nn.utils.clip_grad_norm_(self.parameters.values(), self.params.clip_norm)
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate
            self.optimizer.step()
            self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update(self.steps)
        return loss

    def _backward(self, batch: Batch, position: StepPosition) -> Loss:
        """Forward and backward of a batch; leaves the gradients, the penalty's included, on the parameters."""
        context = self.context
        images = self._images(batch.rows[context.shard(len(batch.rows))], position)
        mining = torch_seed(self.seed, Purpose.MINING, position.epoch, position.index)
        torch.manual_seed(torch_seed(self.seed, Purpose.DROPOUT, position.epoch, position.index, context.rank))
        loss: Loss = self.forward(images, batch.to(context.device), position.progress, mining)
        if self.parameters:
            loss.value.backward()  # type: ignore[no-untyped-call]
            self.penalty.add_gradients()
        return Loss(loss.value.detach(), loss.accuracy)

    def _images(self, rows: Tensor, position: StepPosition) -> Tensor:
        """Augmented and standardised images float [B, C, H, W] on the device."""
        pixels = self.pixels.batch(rows)
        if self.params.augment == AugmentParams():
            return self.preprocess.tensor(pixels)
        random = Generator(self.context.device)
        key = (position.epoch, position.index, self.context.rank)
        random.manual_seed(torch_seed(self.seed, Purpose.AUGMENT, *key))
        return self.preprocess.standardised(augment(channels_first(pixels) / 255, self.params.augment, random))

    def tensors(self) -> dict[str, Tensor]:
        """All that steps change, by name: not copies, but the tensors themselves."""
        parts = {
            "model": self.siamese.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": {} if self.optimizer is None else optimizer_tensors(self.optimizer, self.parameters),
            "average": {} if self.average is None else self.average.tensors,
        }
        return {f"{part}/{name}": tensor for part, named in parts.items() for name, tensor in named.items()}

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor], steps: int) -> None:
        """Puts back what `tensors` returned after `steps` steps."""
        self.siamese.load_state_dict(with_prefix(tensors, "model"))
        self.objective.load_state_dict(with_prefix(tensors, "objective"))
        if self.optimizer is not None:
            restore_optimizer(self.optimizer, self.parameters, with_prefix(tensors, "optimizer"))
        if self.average is not None:
            for name, tensor in with_prefix(tensors, "average").items():
                self.average.tensors[name].copy_(tensor)
        self.steps = steps


class _Forward(nn.Module):
    """From a process's share of the images to the loss of the whole batch: what parallel training wraps."""

    def __init__(
        self, siamese: Siamese, objective: Objective, precision: Precision, context: DistributedContext
    ) -> None:
        super().__init__()
        self.siamese, self.objective, self.context = siamese, objective, context
        self.precision: Precision = precision

    def forward(self, images: Tensor, batch: Batch, progress: float, mining_seed: int) -> Loss:
        reduced = self.precision == "bfloat16"
        with torch.autocast(self.context.device.type, torch.bfloat16, enabled=reduced):
            own: Tensor = self.siamese(images)
        embeddings = self.context.gather(own.float(), len(batch.rows))
        torch.manual_seed(mining_seed)  # all processes mine the same triplets
        loss: Loss = self.objective(self.siamese, embeddings, batch, progress)
        return loss


def with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors named `prefix/…`, by the rest of their names."""
    start = f"{prefix}/"
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
