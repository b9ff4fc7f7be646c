"""dlib's face recognition network as ONNX, made from the file that dlib's author published.

`dlib_face_recognition_resnet_model_v1.dat` (King 2017) is a stream of dlib's own serialisation: of every layer its
name, its parameters as little-endian float32, and its settings, from the picture to the embedding. Only the
parameters are read; the network's form is known: a residual network of 29 convolutions whose shortcuts are padded
with zeros, and whose affine layers (batch norm after training) follow each convolution.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from likeness.errors import ModelError

Floats = npt.NDArray[np.float32]

SIDE, EMBEDDING = 150, 128
_STEM = 32
_BLOCKS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Filters, number of blocks, and whether the first of them halves the picture."""
_OPSET, _IR = 18, 10


def dlib_onnx(content: bytes) -> bytes:
    """An ONNX file of the network: float [B, 3, 150, 150], RGB, (pixel - mean) / 256, to float [B, 128].

    Args:
        content: of dlib's file.

    Raises:
        ModelError: the file is not of this network.
    """
    layers = list(_parameters(content))
    expected = 1 + 2 * sum(count for _, count, _ in _BLOCKS)
    kinds = [kind for kind, _ in layers]
    if kinds != ["con_4", "affine_"] * expected + ["fc_2"]:
        raise ModelError(
            f"expected dlib's face recognition network, {expected} convolutions, each with an affine layer, and a "
            f"last map, found {kinds.count('con_4')}, {kinds.count('affine_')} and {kinds.count('fc_2')}"
        )
    pairs = iter(zip(layers[0:-1:2], layers[1:-1:2], strict=True))
    graph = _Graph(iter((convolution, affine) for (_, convolution), (_, affine) in pairs))
    name = graph.convolution("pixels", 3, _STEM, 7, 2)
    name = graph.node("MaxPool", [name], kernel_shape=[3, 3], strides=[2, 2])
    channels, side = _STEM, 35
    for filters, count, halved in _BLOCKS:
        for number in range(count):
            name, side = graph.block(name, channels, filters, side, halved and number == 0)
            channels = filters
    name = graph.node("Flatten", [graph.node("GlobalAveragePool", [name])])
    last = layers[-1][1].reshape(channels, EMBEDDING)
    graph.nodes.append(helper.make_node("MatMul", [name, graph.constant(last)], ["embedding"]))
    return graph.content()


def _parameters(content: bytes) -> Iterator[tuple[str, Floats]]:
    """Kind and parameters of every layer that has some, from the picture on."""
    for found in re.finditer(rb"\x01\x05(con_4)|\x01\x07(affine_)|\x01\x04(fc_2)", content):
        kind = next(name for name in found.groups() if name).decode()
        position = found.end()
        if kind == "fc_2":
            for _ in range(2):  # its outputs and inputs
                _, position = _whole_number(content, position)
        version, position = _whole_number(content, position)
        if version != 2:
            raise ModelError(f"expected a tensor of version 2 in dlib's {kind}, found version {version}")
        count = 1
        for _ in range(4):  # samples, channels, rows, columns
            size, position = _whole_number(content, position)
            count *= size
        if not 0 < count <= (len(content) - position) // 4:
            raise ModelError(f"dlib's {kind} announces {count} values, more than the file holds")
        yield kind, np.frombuffer(content, "<f4", count, position).astype(np.float32)


def _whole_number(content: bytes, position: int) -> tuple[int, int]:
    """A number as dlib writes it, and where it ends: its length in bytes, then these, the lowest first."""
    if position >= len(content):
        raise ModelError("dlib's file ends within a layer")
    end = position + 1 + (content[position] & 0x0F)
    return int.from_bytes(content[position + 1 : end], "little"), end


@dataclass
class _Graph:
    """An ONNX graph as it grows."""

    layers: Iterator[tuple[Floats, Floats]]
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def node(self, kind: str, inputs: list[str], **settings: Any) -> str:
        """Adds a node; returns the name of what it gives."""
        name = f"{kind.lower()}-{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **settings))
        return name

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Adds values; returns their name."""
        name = f"constant-{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def convolution(
        self, name: str, channels: int, filters: int, size: int, stride: int, relu: bool = True
    ) -> str:
        """The next convolution with its affine layer folded in; dlib pads only where it does not skip places."""
        values, affine = next(self.layers)
        weights = filters * channels * size**2
        if len(values) != weights + filters or len(affine) != 2 * filters:
            raise ModelError(
                f"expected a convolution of {weights + filters} values and {2 * filters} of its affine layer, "
                f"found {len(values)} and {len(affine)}: this is another network than dlib's for faces"
            )
        gamma, beta = affine[:filters], affine[filters:]
        kernel = values[:weights].reshape(filters, channels, size, size) * gamma[:, None, None, None]
        bias = values[weights:] * gamma + beta
        pads = [size // 2 if stride == 1 else 0] * 4
        inputs = [name, self.constant(kernel), self.constant(bias)]
        found = self.node("Conv", inputs, kernel_shape=[size, size], strides=[stride, stride], pads=pads)
        return self.node("Relu", [found]) if relu else found

    def block(self, name: str, channels: int, filters: int, side: int, halved: bool) -> tuple[str, int]:
        """Two convolutions beside a shortcut; where the block halves, zeros make both of one size."""
        inner = self.convolution(name, channels, filters, 3, 2 if halved else 1)
        inner = self.convolution(inner, filters, filters, 3, 1, relu=False)
        shortcut = name
        if halved:
            shortcut = self.node("AveragePool", [name], kernel_shape=[2, 2], strides=[2, 2])
            shortcut = self.padded(shortcut, filters - channels, 0)
            convolved, side = (side - 3) // 2 + 1, side // 2
            inner = self.padded(inner, 0, side - convolved)
        return self.node("Relu", [self.node("Add", [inner, shortcut])]), side

    def padded(self, name: str, channels: int, places: int) -> str:
        """With so many more channels, rows and columns of zeros, behind, below and at the right."""
        if not channels and not places:
            return name
        ends = np.array([0, 0, 0, 0, 0, channels, places, places], np.int64)
        return self.node("Pad", [name, self.constant(ends)])

    def content(self) -> bytes:
        """The file."""
        given = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])
        taken = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", EMBEDDING])
        graph = helper.make_graph(self.nodes, "dlib-face-recognition", [given], [taken], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="likeness")
        model.ir_version = _IR
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))
