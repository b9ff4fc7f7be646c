"""Small random ONNX files with the signature of well-known towers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def random_tower(
    path: Path,
    size: tuple[int, int],
    length: int,
    *,
    channels: int = 3,
    channels_last: bool = False,
    batch: int | str = "batch",
    scale: float = 0.1,
) -> Path:
    """One convolution of 16×16 pixels, then the mean over all places: [B, C, H, W] or [B, H, W, C] to [B, D]."""
    filters = scale * np.random.default_rng(0).standard_normal((length, channels, 16, 16)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["planes", "filters"], ["maps"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Relu", ["maps"], ["positive"]),
        helper.make_node("GlobalAveragePool", ["positive"], ["means"]),
        helper.make_node("Flatten", ["means"], ["embedding"]),
    ]
    if channels_last:
        nodes.insert(0, helper.make_node("Transpose", ["faces"], ["planes"], perm=[0, 3, 1, 2]))
    else:
        nodes.insert(0, helper.make_node("Identity", ["faces"], ["planes"]))
    shape = [batch, *size, channels] if channels_last else [batch, channels, *size]
    graph = helper.make_graph(
        nodes,
        "random",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [batch, length])],
        [numpy_helper.from_array(filters, "filters")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10
    onnx.save(model, path)
    return path
