"""How much longer one model takes for an embedding than another, on a machine that does other things as well.

Both are timed in turns, so that whatever else the machine does slows down both; medians are compared, and more
turns follow until their ratio no longer changes.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from likeness.models.card import TOWER
from likeness.serving.model import ServedModel, open_model

_WARM_UP = 3
_TURNS = 20  # of each model, between looks at the ratio
_LOOKS = 3  # that have to agree
_AGREEMENT = 1.03  # largest quotient of two ratios that agree
_MAX_SECONDS = 60.0


@dataclass(frozen=True)
class Latency:
    """Times of one embedding on one core.

    Attributes:
        ratio: of the first model's median to the second's; exactly 1 where both do the very same work.
        milliseconds: medians of both; None where they were not timed.
        turns: how often each was timed.
    """

    ratio: float
    milliseconds: tuple[float, float] | None = None
    turns: int = 0


def compare_latency(first: Path, second: Path) -> Latency:
    """Compares two models on one core, as they are served.

    Two towers of the same operations on tensors of the same shapes are not timed: their weights do not change what
    an embedding takes.

    Args:
        first: folder of a model.
        second: folder of another.

    Raises:
        ModelError: one of them cannot be opened.
    """
    models = [open_model(folder, threads=1) for folder in (first, second)]
    if all(model.runtime == "onnx" for model in models) and _work(first) == _work(second):
        return Latency(1.0)
    return _timed(*models)


def _timed(first: ServedModel, second: ServedModel) -> Latency:
    models = (first, second)
    faces = [np.zeros((1, *model.card.preprocess.size), np.uint8) for model in models]
    for model, face in zip(models, faces, strict=True):
        for _ in range(_WARM_UP):
            model.embed(face)
    times: tuple[list[float], list[float]] = ([], [])
    ratios: list[float] = []
    end = time.perf_counter() + _MAX_SECONDS
    while not _stable(ratios) and time.perf_counter() < end:
        for turn in range(_TURNS):
            for which in (0, 1) if turn % 2 else (1, 0):
                start = time.perf_counter()
                models[which].embed(faces[which])
                times[which].append(time.perf_counter() - start)
        ratios.append(float(np.median(times[0]) / np.median(times[1])))
    medians = 1e3 * float(np.median(times[0])), 1e3 * float(np.median(times[1]))
    return Latency(ratios[-1], medians, len(times[0]))


def _stable(ratios: list[float]) -> bool:
    last = ratios[-_LOOKS:]
    return len(last) == _LOOKS and max(last) <= _AGREEMENT * min(last)


def _work(folder: Path) -> str:
    """Digest of what a tower computes: its operations and the shapes of its weights, whatever their values."""
    graph = onnx.load(folder / TOWER, load_external_data=False).graph
    digest = hashlib.sha256()
    for tensor in graph.initializer:
        digest.update(f"{tensor.name} {tensor.data_type} {list(tensor.dims)}\n".encode())
    for node in graph.node:
        del node.metadata_props[:]  # where in the exporter's code it comes from
        node.doc_string = ""
        digest.update(node.SerializeToString(deterministic=True))
    for value in (*graph.input, *graph.output):
        digest.update(value.SerializeToString(deterministic=True))
    return digest.hexdigest()
