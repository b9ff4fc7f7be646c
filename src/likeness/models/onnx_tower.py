"""An exported network under ONNX Runtime: uint8 faces in, embeddings out, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from likeness.errors import ModelError
from likeness.telemetry import disable_telemetry

INPUT, OUTPUT = "pixels", "embedding"
DIGEST = "weights_sha256"


class OnnxTower:
    """The tower that `export_onnx` wrote: preprocessing, network and mirror averaging in one graph.

    Args:
        path: the ONNX file.
        threads: to compute with; 0 for one a core.

    Raises:
        ModelError: the file is missing, or is no network exported here.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._session = open_session(path, threads)
        stored = self._session.get_modelmeta().custom_metadata_map
        if DIGEST not in stored:
            raise ModelError(f"{path}: was not exported by this package; export the model again")
        self.weights_sha256: str = stored[DIGEST]
        self.size: tuple[int, ...] = tuple(self._session.get_inputs()[0].shape[1:])

    def embed(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Embeddings float32 [B, D] of stored faces uint8 [B, *size].

        Raises:
            ModelError: the faces are not of the network's size, or not uint8.
        """
        if pixels.shape[1:] != self.size or pixels.dtype != np.uint8:
            raise ModelError(
                f"expected faces uint8 [B, {', '.join(map(str, self.size))}], "
                f"found {pixels.dtype} {list(pixels.shape)}"
            )
        (embeddings,) = self._session.run([OUTPUT], {INPUT: pixels})
        return np.asarray(embeddings, dtype=np.float32)


def open_session(model: Path | bytes, threads: int) -> Any:
    """An ONNX Runtime session on the CPU, of a file or of its content.

    Raises:
        ModelError: the file is missing or is no ONNX network, or ONNX Runtime is not installed.
    """
    disable_telemetry()
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError("ONNX networks need the package onnxruntime; install it with pip") from error
    name = str(model) if isinstance(model, Path) else "the stored ONNX network"
    if isinstance(model, Path) and not model.is_file():
        raise ModelError(f"{name}: no such ONNX file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors only; the rest would go to a user's terminal
    content = str(model) if isinstance(model, Path) else model
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no other base
        raise ModelError(f"{name}: cannot be run by ONNX Runtime ({error})") from error
