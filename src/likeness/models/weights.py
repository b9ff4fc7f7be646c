"""A trained model on disk: `weights.safetensors` and `card.json`; never a pickle."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch

from likeness.artifacts.json_file import plain
from likeness.errors import ModelError, ParamsError
from likeness.files import file_sha256
from likeness.models.architecture import ModelParams
from likeness.models.card import CARD, WEIGHTS, Card, read_card, write_card
from likeness.models.network import assemble
from likeness.models.siamese import Siamese
from likeness.models.tensors import load_tensors, read_tensors, write_tensors
from likeness.params import from_mapping


@dataclass(frozen=True)
class LoadedModel:
    """A network in evaluation mode, and its card."""

    siamese: Siamese
    card: Card


def save_model(folder: Path, siamese: Siamese, card: Card) -> Card:
    """Writes weights and card into `folder`, each atomically.

    Interrupted between the two, the folder holds weights that its card refuses, never a wrong model.

    Returns:
        The card with the digest of the weights.

    Raises:
        OutputError: the files cannot be written.
    """
    digest = save_weights(folder / WEIGHTS, siamese)
    card = dataclasses.replace(card, weights_sha256=digest)
    write_card(folder / CARD, card)
    return card


def load_model(folder: Path, device: torch.device | str = "cpu") -> LoadedModel:
    """Rebuilds the network from its card and loads its weights, in evaluation mode.

    Raises:
        ModelError: a file is missing, the card is not readable, or the weights are not those of the card.
    """
    card = read_card(folder / CARD)
    path = folder / WEIGHTS
    if card.precision == "half":
        raise ModelError(
            f"{folder}: a model in half precision runs in ONNX Runtime alone; torch, heat maps and further "
            "training need the model that it was made from"
        )
    if not path.is_file():
        raise ModelError(f"{path}: no weights beside the card; copy both files, or train the model again")
    digest = file_sha256(path)
    if digest != card.weights_sha256:
        raise ModelError(
            f"{path}: is not the file that its card describes: expected sha256 {card.weights_sha256 or 'none'}, "
            f"found {digest}; copy both files again, or train the model again"
        )
    card = dataclasses.replace(card, model=_model_of(card, folder / CARD))
    card.preprocess.require_fit(card.model)
    siamese = assemble(card.model, card.preprocess.size)
    load_tensors(siamese, read_tensors(path), path)
    return LoadedModel(siamese.to(device).eval(), card)


def _model_of(card: Card, path: Path) -> ModelParams:
    """The network's parameters with those of its parts."""
    try:
        return from_mapping(ModelParams, plain(card.model), f"{path}, model")
    except ParamsError as error:
        raise ModelError(f"not a usable model card; copy or train the model again\n{error}") from error


def save_weights(path: Path, siamese: Siamese) -> str:
    """Writes every parameter and buffer as safetensors, atomically; returns the hex sha256 of the file.

    Raises:
        OutputError: the file cannot be written.
    """
    write_tensors(path, siamese.state_dict())
    return file_sha256(path)
