"""Exports a network whose backbone is an ONNX file already: that file, between two small graphs of torch."""

from __future__ import annotations

import io
import logging
import warnings
from pathlib import Path
from typing import Any, cast

import onnx
import torch
from onnx import ModelProto, compose, version_converter
from torch import Tensor, nn

from likeness.errors import ModelError
from likeness.models.backbones.external import ExternalTower
from likeness.models.card import Card
from likeness.models.embedding import mirror_average
from likeness.models.onnx_tower import INPUT, OUTPUT
from likeness.models.siamese import Siamese

_OLDEST, _NEWEST = 11, 21  # versions of ONNX's operators that torch can write for the two graphs
_FED = "pictures"  # how many the file is fed: with mirror averaging twice as many as there are faces
_TOWER, _AFTER = "tower/", "after/"  # before the names of what belongs to them, so that none occurs twice


class _Before(nn.Module):
    """Stored faces uint8 [B, H, W] or [B, H, W, 3] → what the file is fed, mirrored faces behind the others."""

    def __init__(self, siamese: Siamese, tower: ExternalTower, card: Card) -> None:
        super().__init__()
        self.siamese, self.tower, self.card = siamese, tower, card

    def forward(self, pixels: Tensor) -> Tensor:
        images = self.card.preprocess.tensor(pixels)
        if self.card.mirror:
            images = torch.cat([images, images.flip(-1)])
        return self.tower.fed(self.siamese.seen(images))


class _After(nn.Module):
    """What the file gives → embeddings [B, D]."""

    def __init__(self, siamese: Siamese, mirror: bool) -> None:
        super().__init__()
        self.siamese, self.mirror = siamese, mirror

    def forward(self, given: Tensor) -> Tensor:
        embeddings = self.siamese.mapped(given.flatten(start_dim=1))
        return mirror_average(self.siamese, embeddings) if self.mirror else embeddings


def export_external(path: Path, siamese: Siamese, tower: ExternalTower, card: Card, example: Tensor) -> None:
    """Writes a network with an external backbone as one ONNX file.

    Args:
        path: ONNX file to write.
        siamese: the network, on the CPU, in evaluation mode.
        tower: its backbone.
        card: of the network.
        example: an even number of stored faces, uint8 [B, *card.preprocess.size].

    Raises:
        ModelError: the file's version of ONNX's operators is not supported.
    """
    middle = _any_number_of_faces(onnx.load_from_string(tower.onnx.numpy().tobytes()), tower.declared.name)
    opset = _opset(middle)
    if opset < _OLDEST:
        middle, opset = version_converter.convert_version(middle, _OLDEST), _OLDEST
    if opset > _NEWEST:
        raise ModelError(f"the tower has version {opset} of ONNX's operators, at most {_NEWEST} can be exported")
    with torch.inference_mode():
        given = tower(siamese.seen(card.preprocess.tensor(example)))
    before = _graph(_Before(siamese, tower, card), example, opset, (INPUT, "fed"))
    after = _graph(_After(siamese, card.mirror), given, opset, ("given", OUTPUT))
    middle = compose.add_prefix(middle, _TOWER)
    after = compose.add_prefix(after, _AFTER, rename_outputs=False)
    for part in (before, middle, after):
        part.ir_version = max(before.ir_version, middle.ir_version)
    fed = compose.merge_models(before, middle, [("fed", _TOWER + tower.declared.name)])
    onnx.save(compose.merge_models(fed, after, [(fed.graph.output[0].name, f"{_AFTER}given")]), path)


def _opset(model: ModelProto) -> int:
    return next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 0)


def _any_number_of_faces(model: ModelProto, fed: str) -> ModelProto:
    """The network with its first output alone, and no number of faces declared."""
    graph = model.graph
    del graph.output[1:], graph.value_info[:]
    for value in (graph.output[0], *(each for each in graph.input if each.name == fed)):
        value.type.tensor_type.shape.dim[0].dim_param = _FED
    return model


def silence_exporter() -> None:
    """Keeps the exporter's own lines, one for each constant that it merges, out of the log."""
    for name in ("torch.onnx", "onnx_ir", "onnxscript"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _graph(module: nn.Module, example: Tensor, opset: int, names: tuple[str, str]) -> ModelProto:
    silence_exporter()
    written = io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (example,),
            cast(Any, written),  # which the declared type leaves out
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes={name: {0: "faces" if name in (INPUT, OUTPUT) else _FED} for name in names},
            opset_version=opset,
            dynamo=False,  # the newer exporter cannot write operators as old as those of most outside towers
        )
    return onnx.load_from_string(written.getvalue())
