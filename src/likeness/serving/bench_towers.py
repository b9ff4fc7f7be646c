"""How fast a decision is: each tower in torch and under ONNX Runtime, on one core and on all."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from likeness.artifacts.training_summary import TrainingFacts
from likeness.models.architecture import BACKBONES, COMPARATORS, ModelParams
from likeness.models.card import TOWER, Card
from likeness.models.decision import Decision
from likeness.models.export import export_onnx
from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess
from likeness.models.weights import save_model
from likeness.progress import progress
from likeness.serving.model import Runtime, ServedModel, open_model

_BATCH = 64
_WARM_UP = 3


@dataclass(frozen=True)
class Contestant:
    """A network to be timed; speed does not depend on what its weights have learnt.

    Attributes:
        params: of the network.
        preprocess: of its faces.
        mirror: average with the mirrored face, which takes two passes.
    """

    params: ModelParams
    preprocess: Preprocess
    mirror: bool


_SMALL_FACE = Preprocess(size=(80, 64), crop=(120, 100), standardise="image")
_MOBILE = ModelParams(
    BACKBONES.params("mobilenet-v2", dropout=0.2), COMPARATORS.params("cosine"), embedding_dim=256
)
CONTESTANTS: Mapping[str, Contestant] = {
    "S1 (koch)": Contestant(ModelParams(), Preprocess(size=(105, 105)), mirror=False),
    "mobile": Contestant(_MOBILE, _SMALL_FACE, mirror=False),
    "mobile + mirror": Contestant(_MOBILE, _SMALL_FACE, mirror=True),
}


@dataclass(frozen=True)
class TowerFigures:
    """What was measured of one tower under one runtime.

    Attributes:
        name: of the network.
        runtime: "onnx" or "torch".
        parameters: of the network, in millions.
        embedding_ms: median milliseconds of one embedding on one core, preprocessing included.
        embedding_p99_ms: their 99th percentile.
        decision_ms: median milliseconds of one decision on one core: one embedding, and one comparison with an
            embedding that is known already.
        per_second: embeddings a second on all cores, in batches of 64.
        difference: of the exported tower from torch, relative to the largest value; None for torch.
    """

    name: str
    runtime: str
    parameters: float
    embedding_ms: float
    embedding_p99_ms: float
    decision_ms: float
    per_second: float
    difference: float | None


def bench_towers(folders: Mapping[str, Path] | None = None, seconds: float = 2.0) -> list[TowerFigures]:
    """Times S1, the mobile network, and trained models, each in torch and under ONNX Runtime.

    Args:
        folders: name -> folder of a trained model to be timed besides.
        seconds: that each figure is measured for.

    Raises:
        ModelError: a trained model cannot be loaded.
    """
    figures: list[TowerFigures] = []
    with tempfile.TemporaryDirectory() as scratch:
        places = {name: Path(scratch) / str(number) for number, name in enumerate(CONTESTANTS)}
        for name, place in progress(places.items(), "exporting"):
            write_model(place, CONTESTANTS[name])
        for name, place in progress({**places, **(folders or {})}.items(), "timing"):
            figures += _figures(name, place, seconds)
    return figures


@contextmanager
def one_core() -> Iterator[None]:
    """Inside the block torch and the numeric libraries compute in the calling thread alone."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def milliseconds(work: Callable[[], object], seconds: float) -> np.ndarray:
    """Durations of repeated calls, after a few that do not count."""
    for _ in range(_WARM_UP):
        work()
    durations: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(durations) < _WARM_UP:
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return np.asarray(durations) * 1e3


def write_model(folder: Path, contestant: Contestant) -> None:
    """A model folder with random weights and the exported tower."""
    siamese = build_siamese(contestant.params, contestant.preprocess.size, seed=0)
    card = Card(
        model=contestant.params,
        preprocess=contestant.preprocess,
        mirror=contestant.mirror,
        decision=Decision(0.0, 1.0, 0.0),
        protocol="restricted",
        outside_data="none",
        source="none",
        synthetic=False,
        alignment="none",
        fingerprint="",
        recipe="bench",
        seed=0,
        trained=TrainingFacts(),
        versions={},
    )
    export_onnx(folder / TOWER, siamese, save_model(folder, siamese, card))


def _figures(name: str, folder: Path, seconds: float) -> Iterator[TowerFigures]:
    expected = _embeddings(open_model(folder, "torch"))
    runtimes: list[Runtime] = ["torch", "onnx"] if (folder / TOWER).is_file() else ["torch"]
    for runtime in runtimes:
        alone, together = open_model(folder, runtime), open_model(folder, runtime, threads=0)
        size = alone.card.preprocess.size
        one, many = np.zeros((1, *size), dtype=np.uint8), np.zeros((_BATCH, *size), dtype=np.uint8)
        with one_core():
            embedding = milliseconds(partial(alone.embed, one), seconds)
            decision = milliseconds(_decision(alone, one), seconds)
        batch = milliseconds(partial(together.embed, many), seconds)
        gap = np.abs(_embeddings(alone) - expected).max() / np.abs(expected).max()
        yield TowerFigures(
            name,
            runtime,
            _millions(folder),
            float(np.median(embedding)),
            float(np.percentile(embedding, 99)),
            float(np.median(decision)),
            1000 * _BATCH / float(np.median(batch)),
            None if runtime == "torch" else float(gap),
        )


def _decision(model: ServedModel, face: np.ndarray) -> Callable[[], object]:
    """One decision against an embedding that is known already."""
    known = model.embed(face)
    return lambda: model.card.decision.predict(model.comparator.pairs(model.embed(face), known))


def _embeddings(model: ServedModel) -> np.ndarray:
    size = model.card.preprocess.size
    return model.embed(np.random.default_rng(0).integers(0, 256, (_BATCH, *size), dtype=np.uint8))


def _millions(folder: Path) -> float:
    from likeness.models.weights import load_model

    return sum(p.numel() for p in load_model(folder).siamese.parameters()) / 1e6
