"""Images per second of the real training loop beside the same network's bare forward and backward passes.

    python -m benchmarks.train [--network koch|residual] [--precision float32|bfloat16] [--keras PYTHON]

Bare: a resident random batch, forward, loss, backward, nothing else; also with the penalty and the optimiser,
which belong to learning, and which for S1's 39 million weights are a tenth of a step in memory traffic. Real: a
whole epoch as the train stage runs it, with loading, augmentation, optimiser, regularisation, logging, the
evaluation of held-out pairs and the checkpoint; it is shorter than one of View 1 (S1: 55 steps), so its checkpoint
weighs more. They take turns, because a shared machine is not equally fast at all times; the spread is that of the
rounds. With `--keras` the network of S1 as a Keras program takes a turn too, in an interpreter of its own that has
TensorFlow (`python -m venv tf && tf/bin/pip install tensorflow-cpu`).
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from benchmarks.common import Timing, machine_load, processor_seconds, spread, timed
from likeness.artifacts.history import EpochRecord
from likeness.data.splits import Identities, Pairs, TrainingData
from likeness.models.architecture import BACKBONES, COMPARATORS, ModelParams
from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess, image_shape
from likeness.training.augment import AugmentParams
from likeness.training.distributed import DistributedContext, choose_device
from likeness.training.early_stopping import StoppingParams
from likeness.training.losses.build import build_objective
from likeness.training.losses.objective import LOSSES
from likeness.training.optimizer import Penalty, build_optimizer, named_trainable
from likeness.training.params import L2Params, TrainParams
from likeness.training.precision import choose_precision
from likeness.training.samplers.sampler import SAMPLERS, build_sampler
from likeness.training.trainer import train

KERAS_PROGRAM = Path(__file__).parent / "keras_s1.py"
HELD_OUT = 0.25  # pairs for each training pair in View 1
TO_THE_END = StoppingParams(patience=None, keep="last")
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class TrainingCase:
    """What is measured."""

    model: ModelParams
    train: TrainParams
    size: tuple[int, int]


Precision = Literal["auto", "float32", "bfloat16"]
KerasEpoch = Callable[[], float]

CASES = {
    "koch": TrainingCase(
        ModelParams(),
        TrainParams(batch_size=32, l2=L2Params(2e-4, 2e-3), stopping=TO_THE_END),
        (105, 105),
    ),
    "residual": TrainingCase(
        ModelParams(BACKBONES.params("residual", dropout=0.2), COMPARATORS.params("cosine"), embedding_dim=256),
        TrainParams(
            batch_size=128,
            optimizer="adamw",
            learning_rate=3e-3,
            weight_decay=0.05,
            clip_norm=5.0,
            standardise="image",
            stopping=TO_THE_END,
            loss=LOSSES.params("arcface", margin=0.3, margin_start=0.0, scale=24.0),
            second_loss=LOSSES.params("supcon"),
            sampler=SAMPLERS.params("identities", images_per_group=4),
            augment=AugmentParams(True, 10, 0.1, 0.08, 0.4, 0.3, 0.5, 0.03, 0.4),
        ),
        (80, 64),
    ),
}


def main(
    network: Annotated[str, typer.Option(help="koch (S1) or residual.")] = "koch",
    precision: Annotated[Precision, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    steps: Annotated[int, typer.Option(help="Steps of an epoch.")] = 20,
    rounds: Annotated[int, typer.Option(help="How often each runs.")] = 3,
    keras: Annotated[
        str | None, typer.Option(help="Interpreter with TensorFlow: S1 in Keras on the CPU takes a turn.")
    ] = None,
) -> None:
    case = CASES[network]
    case = replace(case, train=replace(case.train, epochs=2, precision=precision))
    if keras and (network != "koch" or device == "cuda"):
        raise typer.BadParameter(
            "the Keras program is S1 on the CPU; leave --network and --device out", param_hint="--keras"
        )
    print(machine_load())
    with keras_program(keras, case, steps) as program:
        compare_loops(network, case, random_faces(case, steps), steps, rounds, device, program)
    print(f"... {machine_load()}, this program included")


@contextmanager
def keras_program(python: str | None, case: TrainingCase, steps: int) -> Iterator[KerasEpoch | None]:
    """Starts S1's Keras program; inside the block a call trains one epoch and gives its images a second.

    It computes in the precision that the torch program takes, on as many threads.
    """
    if python is None:
        yield None
        return
    context = DistributedContext(torch.device("cpu"), 0, 1)
    siamese = build_siamese(case.model, case.size, seed=0)
    precision = choose_precision(case.train.precision, siamese, case.size, context)
    command = [python, str(KERAS_PROGRAM), str(steps), str(case.train.batch_size), precision]
    threads = {**os.environ, "TF_NUM_INTRAOP_THREADS": str(torch.get_num_threads())}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=threads
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        lines = program.stdout

        def answer() -> str:
            if not (line := lines.readline()):
                raise typer.BadParameter(
                    f"{python} cannot train with Keras; its message is above", param_hint="--keras"
                )
            return line.strip()

        def epoch() -> float:
            print(file=program.stdin, flush=True)
            return 2 * steps * case.train.batch_size / float(answer())

        print(f"{answer()}, {precision}")
        yield epoch


def compare_loops(
    name: str,
    case: TrainingCase,
    pixels: Pixels,
    steps: int,
    rounds: int,
    device: str,
    keras: KerasEpoch | None,
) -> None:
    place = choose_device(device)
    of = f"{name}, batch {case.train.batch_size}, {case.train.precision}"
    where = torch.cuda.get_device_name(place) if place.type == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"{of}, {place} ({where}), {steps} steps a round, {rounds} rounds, faces {pixels.shape[1:]}")
    data, holdout = drawn(case, steps, len(pixels))
    real_epoch(case, data, holdout, pixels, device)
    print(f"peak memory of the real loop {peak_memory(place):.2f} GiB")
    bare = bare_passes(case, data, pixels, place, steps)
    learning = bare_passes(case, data, pixels, place, steps, learns=True)
    bare(), learning()
    trio, in_keras = [], []
    for _ in range(rounds):
        trio.append((real_epoch(case, data, holdout, pixels, device), Run(*timed(bare)), Run(*timed(learning))))
        if keras is not None:
            in_keras.append(keras())
    figures = {
        "bare passes": [base.speed for _, base, _ in trio],
        "bare passes and optimiser": [learns.speed for *_, learns in trio],
        "real epoch, steps alone": [real.step_speed for real, *_ in trio],
        "real epoch, all of it": [real.speed for real, *_ in trio],
        "  all of it / bare, by the clock": [real.speed / base.speed for real, base, _ in trio],
        "  steps alone / bare, by the clock": [real.step_speed / base.speed for real, base, _ in trio],
        "  steps alone / bare and optimiser": [real.step_speed / learns.speed for real, _, learns in trio],
        "  all of it / bare, by processor": [
            real.processor_speed / base.processor_speed for real, base, _ in trio
        ],
    }
    if in_keras:
        figures["Keras, steps alone"] = in_keras
        figures["  steps alone / Keras"] = [
            real.step_speed / speed for (real, *_), speed in zip(trio, in_keras, strict=True)
        ]
    for what, speeds in figures.items():
        print(f"{what:34} {spread(speeds)}")
    if name == "koch":
        print(f"S1: {statistics.median(figures['real epoch, steps alone']) / 2:.1f} training pairs/s")


@dataclass(frozen=True)
class Run:
    """Images that were trained on, and what it took."""

    images: int
    took: Timing
    step_speed: float = 0.0

    @property
    def speed(self) -> float:
        return self.images / self.took.clock

    @property
    def processor_speed(self) -> float:
        return self.images / self.took.processor


def real_epoch(case: TrainingCase, data: TrainingData, holdout: Pairs, pixels: Pixels, device: str) -> Run:
    """The second of two epochs: from the end of the first, so with its checkpoint, to that of the evaluation."""
    ends: list[tuple[float, float, EpochRecord]] = []

    def note(record: EpochRecord) -> None:
        ends.append((time.perf_counter(), processor_seconds(), record))

    siamese = build_siamese(case.model, pixels.shape[1:], seed=0)
    preprocess = Preprocess(pixels.shape[1:], None, case.train.standardise)
    with tempfile.TemporaryDirectory() as folder:
        trained = train(
            *(data, holdout, pixels, siamese, preprocess, case.train),
            seed=0,
            checkpoint=Path(folder),
            device=device,
            on_epoch=note,
        )
    images = sum(step.images for step in trained.steps if step.epoch == 2)
    (clock, processor, _), (later, more, record) = ends
    return Run(images, Timing(later - clock, more - processor), record.images_per_second)


def bare_passes(
    case: TrainingCase, data: TrainingData, pixels: Pixels, device: torch.device, steps: int, learns: bool = False
) -> Callable[[], int]:
    """A function that runs `steps` forward and backward passes and returns the number of images.

    With `learns`, each is followed by the penalty's gradient and a step of the optimiser.
    """
    siamese = build_siamese(case.model, pixels.shape[1:], seed=0)
    by_identity = case.train.sampler.part.by_identity
    batch = build_sampler(data, case.train.sampler, case.train.batch_size, 0).epoch(0)[0].to(device)
    objective = build_objective(case.train.losses, siamese, data, by_identity, 0).to(device)
    siamese.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizer = build_optimizer(named_trainable(siamese, objective), case.train)
    penalty = Penalty(siamese.backbone, case.train.l2)
    images = torch.rand(len(batch.rows), *image_shape(pixels.shape[1:]), device=device)
    chosen = choose_precision(case.train.precision, siamese, pixels.shape[1:], DistributedContext(device, 0, 1))

    def run() -> int:
        for _ in range(steps):
            with torch.autocast(device.type, torch.bfloat16, enabled=chosen == "bfloat16"):
                embeddings = siamese(images)
            objective(siamese, embeddings.float(), batch, 0.5).value.backward()
            if learns:
                penalty.add_gradients()
                optimizer.step()
            siamese.zero_grad()
            objective.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return steps * len(images)

    return run


def drawn(case: TrainingCase, steps: int, rows: int) -> tuple[TrainingData, Pairs]:
    """Training data that fills so many steps, and held-out pairs in the proportion of View 1."""
    random = np.random.default_rng(0)
    order = random.permutation(rows)
    held_out = round(
        HELD_OUT * steps * case.train.batch_size * (1 if case.train.sampler.name == "pairs" else 0.25)
    )
    held_out = min(held_out, rows // 4)
    holdout = Pairs(order[:held_out], order[held_out : 2 * held_out], np.arange(held_out) % 2 == 0)
    rest = order[2 * held_out :]
    if case.train.sampler.name == "pairs":
        ends = np.resize(rest, (2, steps * case.train.batch_size))
        return Pairs(ends[0], ends[1], np.arange(len(ends[0])) % 2 == 0), holdout
    images = np.resize(rest, steps * case.train.batch_size)
    sizes = np.minimum(random.zipf(1.9, len(images)), 12)  # most people have one photograph, as in LFW
    return Identities(images, np.repeat(np.arange(len(sizes)), sizes)[: len(images)]), holdout


def random_faces(case: TrainingCase, steps: int) -> Pixels:
    count = 3 * steps * case.train.batch_size
    return np.random.default_rng(0).integers(0, 256, (count, *case.size), dtype=np.uint8)


def peak_memory(device: torch.device) -> float:
    """GiB on the device."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    typer.run(main)
