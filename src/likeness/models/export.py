"""Writes a network as ONNX, preprocessing and mirror averaging included, and checks it against torch."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from likeness.errors import ModelError
from likeness.files import atomic_path
from likeness.models.backbones.external import ExternalTower
from likeness.models.card import CARD, COMPARATOR, Card, record_file
from likeness.models.embedding import embed_images, embed_pixels, evaluating
from likeness.models.external_export import export_external, silence_exporter
from likeness.models.onnx_tower import DIGEST, INPUT, OUTPUT, OnnxTower
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.models.tensors import write_tensors

_CHECKED_FACES = 8
_ALLOWED = 1e-2  # rounding stays far below it
_OPSET = 18


class _Deployed(nn.Module):
    """Stored faces uint8 [B, H, W] or [B, H, W, 3] → embeddings [B, D]."""

    def __init__(self, siamese: Siamese, preprocess: Preprocess, mirror: bool) -> None:
        super().__init__()
        self.siamese, self.preprocess, self.mirror = siamese, preprocess, mirror

    def forward(self, pixels: Tensor) -> Tensor:
        return embed_images(self.siamese, self.preprocess.tensor(pixels), mirror=self.mirror)


def export_onnx(path: Path, siamese: Siamese, card: Card) -> float:
    """Writes the tower for `OnnxTower`, for any batch size, and beside it the comparator's weights if it has any.

    Args:
        path: ONNX file to write, atomically.
        siamese: the network, on the CPU.
        card: its card; the digest of its weights is written into the file, and the file's into the card beside it.

    Returns:
        Largest absolute difference between the embeddings of ONNX Runtime and torch on random faces, divided by
        the largest absolute value in the latter.

    Raises:
        ModelError: the network is an ensemble with an external tower; or an external tower that cannot take
            several faces at a time, or gives other embeddings so.
    """
    example = torch.zeros(2, *card.preprocess.size, dtype=torch.uint8)
    with atomic_path(path) as temporary, evaluating(siamese):
        if isinstance(siamese.backbone, ExternalTower):
            export_external(temporary, siamese, siamese.backbone, card, example)
        else:
            _refuse_external_members(siamese)
            _export(_Deployed(siamese, card.preprocess, card.mirror), example, temporary)
        _describe(temporary, card)
        difference = _difference(temporary, siamese, card)
    written = [path]
    if weights := {f"comparator.{name}": value for name, value in siamese.comparator.state_dict().items()}:
        write_tensors(path.with_name(COMPARATOR), weights)
        written.append(path.with_name(COMPARATOR))
    if (path.parent / CARD).is_file():
        for each in written:
            record_file(each)
    return difference


def _refuse_external_members(siamese: Siamese) -> None:
    if any(isinstance(module, ExternalTower) for module in siamese.modules()):
        raise ModelError("an ensemble with an external tower cannot be exported; it is served by torch")


def _export(deployed: nn.Module, example: Tensor, path: Path) -> None:
    silence_exporter()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            deployed,
            (example,),
            path,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes={INPUT: {0: torch.export.Dim("batch")}},
            opset_version=_OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _describe(path: Path, card: Card) -> None:
    model = onnx.load(path)
    forget_origins(model)
    onnx.helper.set_model_props(model, {DIGEST: card.weights_sha256})
    onnx.save(model, path)


def forget_origins(model: onnx.ModelProto) -> None:
    """Takes out where in the exporter's code each part comes from: stack traces with paths of this machine."""
    graph = model.graph
    functions = [part for function in model.functions for part in (function, *function.node)]
    values = (*graph.input, *graph.output, *graph.value_info, *graph.initializer)
    for part in (graph, *graph.node, *values, *functions):
        part.doc_string = ""
        del part.metadata_props[:]


def _difference(path: Path, siamese: Siamese, card: Card) -> float:
    faces = np.random.default_rng(0).integers(0, 256, (_CHECKED_FACES, *card.preprocess.size), dtype=np.uint8)
    expected = embed_pixels(siamese, card.preprocess, faces, mirror=card.mirror)
    try:
        found = OnnxTower(path).embed(faces)
    except Exception as error:  # onnxruntime's own exceptions share no other base
        raise ModelError(f"the exported network cannot embed {len(faces)} faces at a time ({error})") from error
    difference = float(np.abs(found - expected).max() / np.abs(expected).max())
    if not difference <= _ALLOWED:
        raise ModelError(
            f"the exported network differs from torch by {difference:.1e} of the largest value, "
            f"at most {_ALLOWED:.0e} is allowed"
        )
    return difference
