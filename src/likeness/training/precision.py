"""The number format that a training computes in: what the processor is quick in, found out at its start."""

from __future__ import annotations

import functools
import logging
import time
from typing import Literal

import torch
from torch import Generator, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from likeness.models.preprocess import image_shape
from likeness.training.distributed import DistributedContext

Precision = Literal["float32", "bfloat16"]

_MIN_RATIO = 2.0
"""Vector units multiply at most twice as many bfloat16 values at a time, and lose some of that to conversions.
What is quicker has matrix units. So the choice does not change between two trainings on one machine."""
_MIN_MULTIPLICATIONS = 10e6
"""Of one image; in smaller networks the conversions cost as much as the arithmetic saves."""
_ROUNDS = 4
_CHANNELS, _IMAGES, _SIZE = 256, 16, (20, 16)

log = logging.getLogger(__name__)


def choose_precision(
    asked: Literal["auto", "float32", "bfloat16"],
    network: nn.Module,
    input_size: tuple[int, ...],
    context: DistributedContext,
) -> Precision:
    """The format of a training's forward and backward passes; the same in every process.

    "auto" takes bfloat16 on a GPU, and on a CPU whose matrix units make it at least twice as quick as float32,
    unless the network is small. The network's weights and the state of the random generators are left as they are.

    Args:
        asked: `train.precision`: auto, float32 or bfloat16.
        network: on the CPU or the context's device.
        input_size: shape of a stored picture: height and width, and 3 where it is RGB.
        context: the processes that train together.
    """
    if asked != "auto":
        return asked
    if context.device.type == "cuda":
        return "bfloat16"
    if multiplications(network, input_size) < _MIN_MULTIPLICATIONS:
        return "float32"
    ratio: float = context.broadcast(bfloat16_speed() if context.is_main else None)
    chosen: Precision = "bfloat16" if ratio >= _MIN_RATIO else "float32"
    log.info("training in %s: on this processor bfloat16 is %.1f times as quick as float32", chosen, ratio)
    return chosen


def multiplications(network: nn.Module, input_size: tuple[int, ...]) -> float:
    """Multiply-accumulates of a forward pass of one picture of this shape."""
    device = next((tensor.device for tensor in network.parameters()), torch.device("cpu"))
    training = network.training
    network.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, *image_shape(input_size), device=device))
    finally:
        network.train(training)
    return float(counter.get_total_flops() / 2)


@functools.cache
def bfloat16_speed() -> float:
    """How many times as quick as in float32 this processor passes a convolution forward and back, on one core.

    The time is the processor's, and the least of some rounds, so that other work on the machine does not matter.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds = {reduced: [_pass_seconds(reduced) for _ in range(_ROUNDS)] for reduced in (False, True)}
    finally:
        torch.set_num_threads(threads)
    return min(seconds[False]) / min(seconds[True])


def _pass_seconds(reduced: bool) -> float:
    random = Generator().manual_seed(0)
    shape = (_IMAGES, _CHANNELS, *_SIZE)
    images = torch.randn(shape, generator=random).to(memory_format=torch.channels_last).requires_grad_()
    weights = torch.randn((_CHANNELS, _CHANNELS, 3, 3), generator=random)
    weights = weights.to(memory_format=torch.channels_last).requires_grad_()
    begun = time.thread_time()
    with torch.autocast("cpu", torch.bfloat16, enabled=reduced):
        output = functional.conv2d(images, weights, padding=1)
    output.float().mean().backward()  # type: ignore[no-untyped-call]
    return time.thread_time() - begun
