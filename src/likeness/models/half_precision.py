"""A model in half the space: what its export wrote, with weights in half precision, without the weights file.

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
from safetensors.numpy import load_file, save

from likeness.errors import ModelError
from likeness.files import atomic_path, file_sha256
from likeness.models.architecture import WITHOUT_TORCH, WITHOUT_WEIGHTS
from likeness.models.card import CARD, COMPARATOR, TOWER, Card, check_file, read_card, write_card

_SMALLEST = 256  # tensors of fewer values, such as biases, keep their precision
_SUFFIX = "_half"


def write_half(source: Path, target: Path) -> Card:
    """Writes the tower and the comparator of `source` in half precision, and the card, into another folder.

    Args:
        source: folder of a model that has been exported.
        target: folder to write, made where it is missing.

    Returns:
        The card that was written; it has the digest of the weights that the tower was made from.

    Raises:
        ModelError: `source` is no such model, or its files are not those of its card.
        OutputError: the files cannot be written.
    """
    card = read_card(source / CARD)
    if card.model.comparator.name not in WITHOUT_TORCH:
        raise ModelError(
            f"{source}: torch computes its comparator, {card.model.comparator.name}, from the weights file, and a "
            "model in half precision has none"
        )
    names = [TOWER] if card.model.comparator.name in WITHOUT_WEIGHTS else [TOWER, COMPARATOR]
    for path in (source / name for name in names):
        if problem := check_file(path, card) if path.is_file() else "is missing":
            raise ModelError(f"{path}: {problem}; run `likeness export {source}`")
    if source.resolve() == target.resolve():
        raise ModelError(f"{target}: the model in half precision needs a folder of its own")
    network = onnx.load(source / TOWER)
    _halve(network)
    target.mkdir(parents=True, exist_ok=True)
    with atomic_path(target / TOWER) as temporary:
        onnx.save(network, temporary)
    if COMPARATOR in names:
        weights = load_file(source / COMPARATOR)
        with atomic_path(target / COMPARATOR) as temporary:
            temporary.write_bytes(save({name: _rounded(values) for name, values in weights.items()}))
    files = {name: file_sha256(target / name) for name in names}
    halved = dataclasses.replace(card, precision="half", files=files)
    write_card(target / CARD, halved)
    return halved


def _rounded(values: npt.NDArray[np.float32]) -> npt.NDArray[np.floating]:
    return values if values.size < _SMALLEST else values.astype(np.float16)


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
