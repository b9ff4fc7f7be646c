"""An exported network under ONNX Runtime: uint8 faces in, embeddings out, without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from likeness.errors import ModelError
from likeness.onnx_session import open_session

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
