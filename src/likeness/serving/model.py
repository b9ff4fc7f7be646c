"""A trained model, loaded for use: its card, its tower under the fastest runtime at hand, and its comparator.

Where the tower is exported beside its weights (`likeness export`), ONNX Runtime runs it and torch is never
imported: a decision from the command line then takes a fraction of the time that importing torch does.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from likeness.artifacts.json_file import plain
from likeness.errors import ModelError
from likeness.extras import needing
from likeness.models.architecture import WITHOUT_TORCH, WITHOUT_WEIGHTS
from likeness.models.card import CARD, COMPARATOR, TOWER, WEIGHTS, Card, check_file, read_card
from likeness.models.onnx_tower import OnnxTower
from likeness.serving.numpy_comparators import (
    Doubles,
    Embeddings,
    Metric,
    NumpyComparator,
    Scan,
    build_comparator,
)

Runtime = Literal["auto", "onnx", "torch"]

PACKAGED = "packaged"
"""Names the model that comes with the package."""

_REGISTRY = "models:/"
_PACKAGED_FOLDER = Path(__file__).parents[1] / "pretrained" / "arcface-lfw-colour"
_PROJECT_FOLDER = Path("models/model")
_BATCH = 64

_log = logging.getLogger(__name__)


class Tower(Protocol):
    """Embeds stored faces."""

    def embed(self, pixels: npt.NDArray[np.uint8]) -> Embeddings:
        """Embeddings float32 [B, D] of faces uint8 [B, H, W]."""


class TorchTower:
    """The tower in torch, from its weights, their digest checked.

    Args:
        folder: of the model.
    """

    def __init__(self, folder: Path) -> None:
        with needing("train"):
            from likeness.models.weights import load_model  # takes more than a second to import

        self._loaded = load_model(folder)

    def embed(self, pixels: npt.NDArray[np.uint8]) -> Embeddings:
        """Embeddings float32 [B, D] of faces uint8 [B, H, W]."""
        from likeness.models.embedding import embed_pixels

        card = self._loaded.card
        return embed_pixels(self._loaded.siamese, card.preprocess, pixels, mirror=card.mirror)


class TorchComparator(NumpyComparator):
    """A comparator without a NumPy form, computed by its torch module; compares exactly.

    Args:
        folder: of the model.
    """

    metric: Metric | None = None

    def __init__(self, folder: Path) -> None:
        with needing("train"):
            from likeness.models.weights import load_model  # takes more than a second to import

        self._siamese = load_model(folder).siamese

    def compare(self, first: Embeddings, second: Embeddings) -> Doubles:
        """Scores [P] of pairs of embeddings [P, D], in double precision."""
        from likeness.models.embedding import score_pairs

        return score_pairs(self._siamese, first, second)

    def scan(self, gallery: Embeddings) -> Scan:
        """Probe by probe."""
        return lambda probes: np.array(
            [self.compare(np.broadcast_to(probe, gallery.shape), gallery) for probe in probes], dtype=np.float32
        ).reshape(len(probes), len(gallery))

    def vectors(self, gallery: Embeddings) -> Embeddings:
        """The embeddings themselves."""
        return np.ascontiguousarray(gallery)


@dataclass(frozen=True)
class ServedModel:
    """A model ready for use.

    Attributes:
        folder: where it is.
        card: what it is.
        comparator: scores its embeddings.
        tower: makes them.
        runtime: what runs the tower.
        name: the source that was asked for, or the rule that chose it, for people.
    """

    folder: Path
    card: Card
    comparator: NumpyComparator
    tower: Tower
    runtime: Literal["onnx", "torch"]
    name: str = ""

    def embed(self, pixels: npt.NDArray[np.uint8]) -> Embeddings:
        """Embeddings float32 [N, D] of any number of faces uint8 [N, H, W], some at a time.

        Raises:
            ModelError: an embedding is not finite, so that the weights are of no use.
        """
        batches = [self.tower.embed(pixels[start : start + _BATCH]) for start in range(0, len(pixels), _BATCH)]
        embeddings = np.concatenate(batches or [np.empty((0, self.card.model.output_dim), dtype=np.float32)])
        if not np.isfinite(embeddings).all():
            raise ModelError(
                f"{self.folder}: the network gives numbers that are not finite; train the model again"
            )
        return embeddings


def open_model(source: str | Path | None = None, runtime: Runtime = "auto", threads: int = 1) -> ServedModel:
    """Loads a model.

    Args:
        source: its folder, its weights file (the card is beside it), `models:/NAME@ALIAS` of the registry, or
            "packaged" for the model that comes with the package; None: see `chosen_source`.
        runtime: "onnx" or "torch"; "auto" takes ONNX Runtime where the exported tower fits the weights.
        threads: of ONNX Runtime; 0 for one a core.

    Raises:
        ModelError: nothing usable is there, or weights, card and tower do not belong together.
        TrackingError: the registry cannot be reached or holds no such model.
    """
    source = chosen_source(source)
    folder = model_folder(source)
    card = read_card(folder / CARD)
    tower = None if runtime == "torch" else _exported(folder, card, threads)
    if tower is None and runtime == "onnx":
        raise ModelError(f"{folder / TOWER}: no tower exported from these weights; run `likeness export {folder}`")
    comparator = _comparator(folder, card)
    if tower is not None:
        return ServedModel(folder, card, comparator, tower, "onnx", str(source))
    return ServedModel(folder, card, comparator, TorchTower(folder), "torch", str(source))


def chosen_source(source: str | Path | None) -> str | Path:
    """The model that is meant: the one that is named, else the project's own, else the packaged one.

    The project's own is in models/model of the current folder, where `dvc repro` leaves it.
    """
    if source:
        return source
    return _PROJECT_FOLDER if (_PROJECT_FOLDER / CARD).is_file() else PACKAGED


def model_folder(source: str | Path | None) -> Path:
    """The folder that holds a model; a registered one is fetched by the registry.

    Raises:
        ModelError: there is no model.
        TrackingError: the registry cannot be reached or holds no such model.
    """
    source = chosen_source(source)
    if source == PACKAGED:
        return _PACKAGED_FOLDER
    if str(source).startswith(_REGISTRY):
        with needing("pipeline"):  # only who names the registry needs MLflow
            from likeness.tracking.registry import resolve

        return resolve(str(source))
    path = Path(source)
    folder = path.parent if path.name in (WEIGHTS, TOWER, COMPARATOR, CARD) else path
    if not (folder / CARD).is_file():
        raise ModelError(
            f"{path}: no model here; expected a folder with {CARD} and {WEIGHTS}, as `dvc repro` leaves in "
            "models/model, or models:/likeness@champion"
        )
    return folder


def _exported(folder: Path, card: Card, threads: int) -> OnnxTower | None:
    """The exported tower, unless there is none or it was made from other weights."""
    path = folder / TOWER
    if not path.is_file():
        return None
    if card.files and (problem := check_file(path, card)):
        raise ModelError(f"{path}: {problem}; copy the model again, or run `likeness export {folder}`")
    if not card.files:
        _log.warning("%s: its card holds no digest of it; run likeness export %s to add one", path, folder)
    tower = OnnxTower(path, threads)
    if tower.weights_sha256 != card.weights_sha256:
        _log.warning(
            "%s was exported from other weights than the card's and is not used; run likeness export", path
        )
        return None
    return tower


def _comparator(folder: Path, card: Card) -> NumpyComparator:
    params = plain(card.model.comparator)
    if params["name"] not in WITHOUT_TORCH:
        return TorchComparator(folder)
    return build_comparator(params["name"], _comparator_weights(folder, card), params)


def _comparator_weights(folder: Path, card: Card) -> dict[str, npt.NDArray[np.floating]]:
    """The comparator's own tensors; none for those that learn nothing, for which no file is read.

    Raises:
        ModelError: the file that holds them is missing, unreadable, or not the card's.
    """
    if card.model.comparator.name in WITHOUT_WEIGHTS:
        return {}
    path = folder / (COMPARATOR if COMPARATOR in card.files else WEIGHTS)
    if problem := check_file(path, card):
        raise ModelError(f"{path}: {problem}; copy the model again, or run `likeness export {folder}`")
    try:
        with safe_open(path, framework="np") as stored:
            names = [name for name in stored.keys() if name.startswith("comparator.")]  # noqa: SIM118 - no mapping
            return {name: stored.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); copy the model again") from error
