"""The card of a trained model: with the weights beside it, all that is needed to rebuild, use and judge it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from likeness.errors import ModelError, ParamsError
from likeness.files import read_json, write_json
from likeness.models.architecture import ModelParams
from likeness.models.decision import Decision
from likeness.models.preprocess import Preprocess
from likeness.params import from_mapping

if TYPE_CHECKING:
    Facts = dict[str, Any]
else:
    Facts = dict  # read by isinstance, which knows no parameters

FORMAT = 1
CARD, WEIGHTS, TOWER = "card.json", "weights.safetensors", "tower.onnx"
"""Files of a model's folder; the last is there once the tower has been exported."""


@dataclass(frozen=True)
class Card:
    """What a model is, where it comes from and how its scores are read.

    Attributes:
        model: its network.
        preprocess: what its network is fed.
        mirror: whether a face's embedding is averaged with that of its mirror image.
        decision: threshold, calibration and false-accept table, from held-out pairs.
        protocol: "restricted" or "unrestricted".
        outside_data: other data than the source that had a part in it; "none".
        source: data set that it was trained on.
        synthetic: whether those faces are drawn.
        alignment: how those photographs were aligned.
        fingerprint: of those photographs.
        recipe: name of the recipe.
        seed: of its training.
        trained: facts of its training: epochs, best epoch, loss formula, held-out figures.
        versions: of the packages that it was trained with.
        weights_sha256: hex digest of the weights file; "" until it is saved.
        format: of this card.
    """

    model: ModelParams
    preprocess: Preprocess
    mirror: bool
    decision: Decision
    protocol: str
    outside_data: str
    source: str
    synthetic: bool
    alignment: str
    fingerprint: str
    recipe: str
    seed: int
    trained: Facts
    versions: Facts
    weights_sha256: str = ""
    format: int = FORMAT

    def __post_init__(self) -> None:
        self.preprocess.require_fit(self.model)


def write_card(path: Path, card: Card) -> None:
    """Writes a card as JSON, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    write_json(path, dataclasses.asdict(card))


def read_card(path: Path) -> Card:
    """Reads a card strictly: an unknown, missing or mistyped key is refused.

    Raises:
        ModelError: the file is missing or is no card of this format.
    """
    try:
        values = read_json(path)
    except OSError as error:
        raise ModelError(
            f"{path}: no model card ({error.strerror}); expected the folder of a trained model"
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: is no JSON ({error}); copy or train the model again") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        found = values.get("format", "none") if isinstance(values, dict) else type(values).__name__
        raise ModelError(f"{path}: expected a model card of format {FORMAT}, found {found}; train the model again")
    try:
        return from_mapping(Card, values, str(path))
    except ParamsError as error:
        raise ModelError(f"not a usable model card; copy or train the model again\n{error}") from error
