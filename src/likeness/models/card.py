"""The card of a trained model: with the weights beside it, all that is needed to rebuild, use and judge it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from likeness.artifacts.json_file import plain
from likeness.artifacts.source_card import Framing, upgraded_framing
from likeness.artifacts.training_summary import TrainingFacts, upgrade_facts
from likeness.deprecated import current_names
from likeness.errors import ModelError, ParamsError
from likeness.files import file_sha256, read_json, write_json
from likeness.models.architecture import ModelParams
from likeness.models.decision import Decision
from likeness.models.preprocess import Preprocess
from likeness.params import from_mapping

if TYPE_CHECKING:
    Facts = dict[str, Any]
else:
    Facts = dict  # read by isinstance, which knows no parameters

FORMAT = 2
_FORMATS = (1, FORMAT)
"""Those that are read; format 1 lists the parameters of all backbones flat, see `likeness.models.format_1`."""
CARD, WEIGHTS, TOWER = "card.json", "weights.safetensors", "tower.onnx"
"""Files of a model's folder; the last is there once the tower has been exported."""
COMPARATOR = "comparator.safetensors"
"""Beside an exported tower: the weights of a comparator that has any, so that the others need not be read."""


@dataclass(frozen=True)
class Card:
    """What a model is, where it comes from and how its scores are read.

    Attributes:
        model: its network.
        preprocess: what its network is fed.
        mirror: whether a face's embedding is averaged with that of its mirror image.
        decision: threshold, calibration and thresholds at stated false match rates, from held-out pairs.
        protocol: "restricted" or "unrestricted".
        outside_data: other data than the source that had a part in it; "none".
        source: data set that it was trained on.
        synthetic: whether those faces are drawn.
        alignment: how those photographs were aligned.
        align: how their faces were found and framed, see `likeness.faces.alignments`; "none": they were framed
            before, like LFW's, and the photographs that are compared are framed like LFW's by `lfw-landmarks`.
        fingerprint: of those photographs.
        recipe: name of the recipe.
        seed: of its training.
        trained: how its training went.
        versions: of the packages that it was trained with.
        weights_sha256: hex digest of the weights file; "" until it is saved.
        files: hex sha256 of every other file of the folder, by its name; empty in cards before 0.2.
        precision: of the exported tower; a model in half precision comes without its weights file.
        format: of the file that it was read from; files are written in the format of now.
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
    trained: TrainingFacts
    versions: Facts
    align: Framing = "none"
    weights_sha256: str = ""
    files: Facts = field(default_factory=dict)
    precision: Literal["single", "half"] = "single"
    format: int = FORMAT

    @staticmethod
    def upgraded(values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The former `frame` is read, and the former names of rates."""
        return upgraded_framing(current_names(values))


def write_card(path: Path, card: Card) -> None:
    """Writes a card as JSON, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    write_json(path, plain(card) | {"format": FORMAT})


def read_card(path: Path) -> Card:
    """Reads a card strictly: an unknown, missing or mistyped key is refused.

    Without importing torch: of the network's backbone and comparator only the names are checked for being there;
    `likeness.models.weights.load_model` reads their parameters.

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
    if not isinstance(values, dict) or values.get("format") not in _FORMATS:
        found = values.get("format", "none") if isinstance(values, dict) else type(values).__name__
        raise ModelError(f"{path}: expected a model card of format {FORMAT}, found {found}; train the model again")
    if isinstance(trained := values.get("trained"), dict):
        values["trained"] = upgrade_facts(trained)
    try:
        return from_mapping(Card, values, str(path), load_parts=False)
    except ParamsError as error:
        raise ModelError(f"not a usable model card; copy or train the model again\n{error}") from error


def record_file(path: Path) -> None:
    """Notes a file of a model's folder, such as an exported tower, with its digest in the card beside it.

    Raises:
        ModelError: the card is not readable.
        OutputError: it cannot be written.
    """
    card = read_card(path.parent / CARD)
    files = {**card.files, path.name: file_sha256(path)}
    write_card(path.parent / CARD, dataclasses.replace(card, files=files))


def check_file(path: Path, card: Card) -> str | None:
    """What is wrong with a file of a model's folder, None where its digest is that of the card.

    Args:
        path: of the file.
        card: of its folder.
    """
    expected = card.weights_sha256 if path.name == WEIGHTS else card.files.get(path.name)
    if not path.is_file():
        return "is missing" if expected else None
    if not expected:
        return "is not in the card, so nothing says whether it is as it was made"
    found = file_sha256(path)
    return None if found == expected else f"is not the file of the card: expected sha256 {expected}, found {found}"


def check_folder(folder: Path) -> dict[str, str | None]:
    """Every file of a model's folder, with what is wrong with it (None: nothing).

    Raises:
        ModelError: there is no readable card.
    """
    card = read_card(folder / CARD)
    names = {*card.files, *(path.name for path in folder.iterdir() if path.is_file())} - {CARD}
    if card.precision == "single":
        names.add(WEIGHTS)
    return {name: check_file(folder / name, card) for name in sorted(names)}
