"""One network in training: a step, and the state that steps change."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.training.augment import AugmentParams, augment
from likeness.training.average import WeightAverage
from likeness.training.batches import Batch
from likeness.training.faces import FaceStore
from likeness.training.freezing import FrozenLayers
from likeness.training.losses.objective import Loss, Objective
from likeness.training.optimiser import (
    Penalty,
    build_optimizer,
    learning_rate,
    named_trainable,
    optimizer_tensors,
    restore_optimizer,
)
from likeness.training.params import TrainParams
from likeness.training.randomness import Purpose, torch_seed
from likeness.training.world import World


@dataclass(frozen=True)
class Moment:
    """Where in a training a step is.

    Attributes:
        epoch: counted from 0.
        index: of the step within its epoch, counted from 0.
        progress: share of all epochs that is over in the middle of the step, in (0, 1).
    """

    epoch: int
    index: int
    progress: float


class Trainer:
    """A network with all that changes it.

    A step's randomness (augmentation, dropout, mining) comes from (seed, epoch, step) alone, so that nothing of
    it needs to be stored.

    Args:
        siamese: trained in place, on the world's device.
        objective: likewise.
        params: the recipe; where it leaves no weight to train, steps only measure the loss.
        preprocess: of the network.
        faces: the pixel store.
        seed: of everything random.
        world: this process among its sisters.
    """

    def __init__(
        self,
        siamese: Siamese,
        objective: Objective,
        params: TrainParams,
        preprocess: Preprocess,
        faces: FaceStore,
        seed: int,
        world: World,
    ) -> None:
        if world.size > 1 and world.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(siamese)  # type: ignore[no-untyped-call]
        # Channels last, because both cuDNN and oneDNN compute convolutions that way, and else turn each array.
        self.siamese = siamese.to(world.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.objective = objective.to(world.device)
        self.params, self.preprocess, self.faces, self.seed, self.world = params, preprocess, faces, seed, world
        self.frozen = FrozenLayers(siamese.backbone, 0 if siamese.frozen else params.freeze)
        self.parameters = named_trainable(siamese, objective)
        self.optimizer = build_optimizer(self.parameters, params) if self.parameters else None
        self.penalty = Penalty(siamese.backbone, params.l2)
        self.average = WeightAverage(siamese, params.ema_decay) if params.ema_decay else None
        forward = _Forward(siamese, objective, params.precision, world)
        self.forward = world.parallel(forward) if self.parameters else forward
        self.steps = 0

    def learn(self) -> None:
        """Switches the network to training; to be called before a step that follows an evaluation."""
        self.siamese.train()
        self.frozen.hold()

    def step(self, batch: Batch, moment: Moment, rate: float | None = None) -> Loss:
        """One step of the optimiser.

        Args:
            batch: on the host.
            moment: where in the training.
            rate: learning rate in place of the schedule's.

        Returns:
            The batch's loss before the step, without the penalty, still on the device.
        """
        loss = self._backward(batch, moment)
        self.steps += 1
        if self.optimizer is not None:
            if self.params.clip_norm is not None:
                nn.utils.clip_grad_norm_(self.parameters.values(), self.params.clip_norm)
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(self.params, moment.progress) if rate is None else rate
            self.optimizer.step()
            self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update(self.steps)
        return loss

    def _backward(self, batch: Batch, moment: Moment) -> Loss:
        """Forward and backward of a batch; leaves the gradients, the penalty's included, on the parameters."""
        images = self._images(batch.rows[self.world.share(len(batch.rows))], moment)
        mining = torch_seed(self.seed, Purpose.MINING, moment.epoch, moment.index)
        torch.manual_seed(torch_seed(self.seed, Purpose.DROPOUT, moment.epoch, moment.index, self.world.rank))
        loss: Loss = self.forward(images, batch.to(self.world.device), moment.progress, mining)
        if self.parameters:
            loss.value.backward()  # type: ignore[no-untyped-call]
            self.penalty.add_gradients()
        return Loss(loss.value.detach(), loss.accuracy)

    def _images(self, rows: Tensor, moment: Moment) -> Tensor:
        """Augmented and standardised images float [B, 1, H, W] on the device."""
        pixels = self.faces.batch(rows)
        if self.params.augment == AugmentParams():
            return self.preprocess.tensor(pixels)
        random = Generator(self.world.device)
        random.manual_seed(torch_seed(self.seed, Purpose.AUGMENT, moment.epoch, moment.index, self.world.rank))
        return self.preprocess.standardised(augment(pixels.unsqueeze(1) / 255, self.params.augment, random))

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
        """Puts back what `tensors` gave after `steps` steps."""
        self.siamese.load_state_dict(part_of(tensors, "model"))
        self.objective.load_state_dict(part_of(tensors, "objective"))
        if self.optimizer is not None:
            restore_optimizer(self.optimizer, self.parameters, part_of(tensors, "optimizer"))
        if self.average is not None:
            for name, tensor in part_of(tensors, "average").items():
                self.average.tensors[name].copy_(tensor)
        self.steps = steps


class _Forward(nn.Module):
    """From a process's share of the images to the loss of the whole batch: what parallel training wraps."""

    def __init__(self, siamese: Siamese, objective: Objective, precision: str, world: World) -> None:
        super().__init__()
        self.siamese, self.objective, self.world = siamese, objective, world
        self.reduced = precision == "bfloat16" or (precision == "auto" and world.device.type == "cuda")

    def forward(self, images: Tensor, batch: Batch, progress: float, mining_seed: int) -> Loss:
        with torch.autocast(self.world.device.type, torch.bfloat16, enabled=self.reduced):
            own: Tensor = self.siamese(images)
        embeddings = self.world.gather(own.float(), len(batch.rows))
        torch.manual_seed(mining_seed)  # everybody mines the same triplets
        loss: Loss = self.objective(self.siamese, embeddings, batch, progress)
        return loss


def part_of(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    """The tensors under `part/`, by the rest of their names."""
    return {
        name.removeprefix(f"{part}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{part}/")
    }
