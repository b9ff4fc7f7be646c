"""What every backbone is to the network."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """A tower: embeds faces."""

    by_gradient: ClassVar[bool] = True
    """Whether anything in it is learnt by gradient descent."""

    @classmethod
    def build(cls, params: Any, input_size: tuple[int, int], embedding_dim: int, channels: int = 1) -> Self:
        """The tower that its section describes, with random weights; no file is read.

        By default `cls(input_size, embedding_dim, channels, …)`, each parameter given by its name.

        Args:
            params: of the dataclass that the class is registered with.
            input_size: height and width in pixels of what the tower sees.
            embedding_dim: numbers to give for a face.
            channels: of the pictures: 1 for grey ones, 3 for RGB.

        Raises:
            ModelError: the pictures are too small, or the embedding cannot have that length.
        """
        values = {field.name: getattr(params, field.name) for field in dataclasses.fields(params)}
        del values["name"]
        return cls(input_size, embedding_dim, channels, **values)

    def read_files(self, params: Any) -> None:
        """Reads the files that the parameters name; by default there are none.

        Raises:
            ModelError: a file is missing or does not fit.
        """

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Embeddings [B, D] of images [B, C, H, W]."""
