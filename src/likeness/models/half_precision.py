"""A model in half the space: its exported tower with weights in half precision, without the weights file.

ONNX Runtime turns the weights back into single precision when it loads the network, so that it computes as before;
what remains is that each weight is rounded to 11 significant bits.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from likeness.errors import ModelError
from likeness.files import atomic_path, file_sha256
from likeness.models.architecture import WITHOUT_WEIGHTS
from likeness.models.card import CARD, TOWER, Card, check_file, read_card, write_card

_SMALLEST = 256  # tensors of fewer values, such as biases, keep their precision
_SUFFIX = "_half"


def write_half(source: Path, target: Path) -> Card:
    """Writes the tower of `source` in half precision, and its card, into another folder.

    Args:
        source: folder of a model with an exported tower, and a comparator that has no weights of its own.
        target: folder to write, made where it is missing.

    Returns:
        The card that was written; it has the digest of the weights that the tower was made from.

    Raises:
        ModelError: `source` is no such model, or its files are not those of its card.
        OutputError: the files cannot be written.
    """
    card = read_card(source / CARD)
    if card.model.comparator.name not in WITHOUT_WEIGHTS:
        raise ModelError(
            f"{source}: its comparator, {card.model.comparator.name}, has weights of its own; only cosine and "
            "euclidean work without the weights file"
        )
    if not (source / TOWER).is_file() or (problem := check_file(source / TOWER, card)):
        found = problem if (source / TOWER).is_file() else "is missing"
        raise ModelError(f"{source / TOWER}: {found}; run `likeness export {source}`")
    if source.resolve() == target.resolve():
        raise ModelError(f"{target}: the model in half precision needs a folder of its own")
    network = onnx.load(source / TOWER)
    _halve(network)
    target.mkdir(parents=True, exist_ok=True)
    with atomic_path(target / TOWER) as temporary:
        onnx.save(network, temporary)
    halved = dataclasses.replace(card, precision="half", files={TOWER: file_sha256(target / TOWER)})
    write_card(target / CARD, halved)
    return halved


def _halve(network: onnx.ModelProto) -> None:
    """Stores large tensors in half precision, each followed by a cast to single precision."""
    casts = []
    for tensor in network.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _SMALLEST or _resamples(values):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + _SUFFIX))
        casts.append(onnx.helper.make_node("Cast", [name + _SUFFIX], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *network.graph.node]
    del network.graph.node[:]
    network.graph.node.extend(nodes)
    del network.graph.value_info[:]  # shapes of intermediate values, which ONNX Runtime infers itself
    onnx.checker.check_model(network)


def _resamples(values: npt.NDArray[np.float32]) -> bool:
    """Whether they are a map over places, mostly zeros: the dense SIFT behind it finds edges in rounded shares."""
    return bool(np.count_nonzero(values) < values.size / 2)
