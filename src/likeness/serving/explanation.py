"""Heat maps of what decided a pair, for the model in use."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from likeness.errors import ModelError
from likeness.extras import needing
from likeness.images import Pixels, rgb
from likeness.images.heat_overlay import HeatMap, under_heat
from likeness.serving.model import ServedModel

if TYPE_CHECKING:
    from likeness.models.weights import LoadedModel

_SHOWN_HEIGHT = 360


class Explainer:
    """Explains one model's decisions; loads it in torch when first asked, whatever runs its tower otherwise.

    Args:
        model: the model.
    """

    def __init__(self, model: ServedModel) -> None:
        self._model = model
        self._loaded: LoadedModel | None = None
        self._one_at_a_time = threading.Lock()  # gradients and hooks are state of the network

    def heats(self, first: Pixels, second: Pixels, same: bool) -> tuple[HeatMap, HeatMap]:
        """Where each picture spoke for the decision.

        Args:
            first: uint8 [H, W] or [H, W, 3], as the network sees it.
            second: the other.
            same: the decision.

        Returns:
            Two maps float32 [H, W] in [0, 1].

        Raises:
            ModelError: the model has no weights file, or its weights are gone or another model's by now.
        """
        if self._model.card.precision == "half":  # before torch is asked for: installing it would not help
            raise ModelError(
                "PyTorch computes heat maps from a model's weights file, and a model in half precision, such as "
                "the packaged one, comes without it; use the model that it was made from"
            )
        with needing("train"):
            from likeness.evaluation.heat_maps import best_method, explain_pair

        with self._one_at_a_time:
            loaded = self._torch_model()
            method = best_method(loaded.siamese, loaded.card.preprocess)
            return explain_pair(loaded.siamese, loaded.card.preprocess, first, second, method, same=same)

    def _torch_model(self) -> LoadedModel:
        if self._loaded is None:
            from likeness.models.weights import load_model

            loaded = load_model(self._model.folder)
            if loaded.card.weights_sha256 != self._model.card.weights_sha256:
                raise ModelError(
                    f"{self._model.folder}: holds another model by now; start again to explain that one"
                )
            self._loaded = loaded
        return self._loaded


def side_by_side(windows: Pixels, heats: tuple[HeatMap, HeatMap]) -> npt.NDArray[np.uint8]:
    """Each face beside itself under its heat map, enlarged: RGB uint8 [360, W, 3].

    Args:
        windows: uint8 [2, H, W] or [2, H, W, 3].
        heats: of the two.
    """
    tiles = []
    for window, heat in zip(windows, heats, strict=True):
        tiles += [rgb(window), under_heat(window, heat)]
    row = np.hstack(tiles)
    scale = _SHOWN_HEIGHT / row.shape[0]
    size = (round(row.shape[1] * scale), _SHOWN_HEIGHT)
    return np.asarray(cv2.resize(row, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
