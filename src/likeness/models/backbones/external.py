"""A tower trained elsewhere and given as ONNX: frozen, run by ONNX Runtime, kept inside the model's weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from likeness.errors import ModelError
from likeness.files import file_sha256
from likeness.models.architecture import BACKBONES, BackboneParams
from likeness.models.backbones.backbone import Backbone
from likeness.models.backbones.resampling import luminance
from likeness.models.towers.tower_card import TowerCard, read_tower_card
from likeness.onnx_session import open_session


@dataclass(frozen=True)
class TowerInput:
    """How a file wants to be fed; its height and width are names where any will do."""

    name: str
    raw: bool
    one_by_one: bool
    channels: int
    channels_last: bool
    size: tuple[object, object]


@dataclass(frozen=True)
class ExternalParams(BackboneParams):
    """A tower that was trained elsewhere, as an ONNX file; what it is fed is (pixel - mean) · scale.

    Channels and layout are read from the file. Grey values are repeated where it wants three channels, of colours
    the luminance is taken where it wants one, and pixels are passed on as they are where it takes uint8, as the
    towers exported here do. The stored faces must have its size (`data.size`), be cut as its authors cut them
    (`data.crop`), and not be standardised ("unit").

    Attributes:
        onnx: path of the file; read when the network is first made, then kept among the model's weights.
        mean: one value, or one a channel, on the scale 0 to 255.
        scale: one value, or one a channel.
        card: path of a tower card (`likeness tower add`), which then says what `onnx`, `mean` and `scale` are, and
            what faces the tower expects; null: there is none.
        sha256: digest that the file of the card must have; null: the card's word is taken.
        tower: what the card says; training fills it in, leave it null.
    """

    onnx: str = "tower.onnx"
    mean: tuple[float, ...] = (127.5,)
    scale: tuple[float, ...] = (1 / 127.5,)
    card: str | None = None
    sha256: str | None = None
    tower: TowerCard | None = None

    @property
    def towers(self) -> tuple[TowerCard, ...]:
        """Its card, once it is resolved."""
        return () if self.tower is None else (self.tower,)

    def resolved(self) -> Self:
        """See `BackboneParams.resolved`."""
        if self.card is None or self.tower is not None:
            return self
        card, folder = read_tower_card(Path(self.card)), Path(self.card).parent
        if self.sha256 not in (None, card.sha256):
            raise ModelError(
                f"{self.card}: expected a tower with the sha256 {self.sha256} (model.backbone.sha256), found "
                f"{card.sha256}; add the tower again, or compose its recipe again"
            )
        return replace(self, onnx=str(folder / card.file), mean=card.mean, scale=card.scale, tower=card)

    @property
    def holds_external(self) -> bool:
        """It is such a tower."""
        return True

    def untrained(self) -> Self | None:
        """There is no such state."""
        return None


@BACKBONES.register("external", ExternalParams)
class ExternalTower(Backbone):
    """Runs an ONNX file on (pixel - mean) · scale; without gradients, whatever the mode.

    Its first output is the embedding. The file's bytes are a buffer, so that they are saved, digested and loaded
    like any other weights.

    Args:
        input_size: height and width of the stored faces.
        embedding_dim: numbers that the file gives.
        mean: on the scale 0 to 255, one value or one a channel.
        scale: one value or one a channel.
        channels: of the stored faces, 1 or 3.
        bgr: whether the file takes blue first, of three channels.
    """

    onnx: Tensor

    def __init__(
        self,
        input_size: tuple[int, int],
        embedding_dim: int,
        mean: Sequence[float],
        scale: Sequence[float],
        channels: int = 1,
        bgr: bool = False,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.embedding_dim = embedding_dim
        self.channels = channels
        self.bgr = bgr
        self.mean = np.array(mean, dtype=np.float32)
        self.scale = np.array(scale, dtype=np.float32)
        self.register_buffer("onnx", torch.empty(0, dtype=torch.uint8))
        self._session: Any = None

    @classmethod
    def build(cls, params: Any, input_size: tuple[int, int], embedding_dim: int, channels: int = 1) -> Self:
        """See `Backbone.build`."""
        bgr = params.tower is not None and params.tower.colour_order == "bgr"
        return cls(input_size, embedding_dim, params.mean, params.scale, channels, bgr)

    def read_files(self, params: Any) -> None:
        """Takes in the tower's file, which must be that of its card."""
        path = Path(params.onnx)
        if params.tower is not None and path.is_file() and file_sha256(path) != params.tower.sha256:
            raise ModelError(f"{path}: is not the file of its card, {params.card}; add or fetch the tower again")
        self.read(path)

    def read(self, path: Path) -> None:
        """Takes in an ONNX file, after a trial run.

        Raises:
            ModelError: see `take`; or the embedding has another length.
        """
        found = self.take(path)
        if found != self.embedding_dim:
            raise ModelError(f"{path}: gives {found} numbers a face; set model.embedding_dim to {found}")

    def take(self, path: Path) -> int:
        """Takes in an ONNX file; returns how many numbers it gives for a face.

        Raises:
            ModelError: the file is missing, is no ONNX network, or does not fit faces or scaling.
        """
        session = open_session(path, torch.get_num_threads())
        self._require_fit(read_input(session, path), path)
        self.onnx = torch.from_numpy(np.fromfile(path, dtype=np.uint8))
        self._session = session
        return int(self(torch.zeros(1, self.channels, *self.input_size)).shape[1])

    def _require_fit(self, declared: TowerInput, path: Path) -> None:
        sides = zip(declared.size, self.input_size, strict=True)
        wanted = tuple(given if isinstance(given, int) else stored for given, stored in sides)
        if wanted != self.input_size:
            raise ModelError(
                f"{path}: wants faces of {wanted[0]}×{wanted[1]} pixels (height × width), the stored ones have "
                f"{self.input_size[0]}×{self.input_size[1]}; set data.size to [{wanted[0]}, {wanted[1]}]"
            )
        for name, values in (("mean", self.mean), ("scale", self.scale)):
            if not declared.raw and len(values) not in (1, declared.channels):
                raise ModelError(
                    f"{path}: has {declared.channels} channels; give model.backbone.{name} one value or as many, "
                    f"found {len(values)}"
                )

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Embeddings [B, D] of images [B, C, H, W] with values in [0, 1], on the device of the images."""
        fed, declared = self.fed(images.cpu()).contiguous().numpy(), self.declared
        step = 1 if declared.one_by_one else max(len(fed), 1)
        parts = [self._run(declared.name, fed[start : start + step]) for start in range(0, len(fed), step)]
        return torch.cat(parts).to(images.device)

    @property
    def declared(self) -> TowerInput:
        """How the file wants to be fed."""
        if self._session is None:
            self._session = open_session(self.onnx.cpu().numpy().tobytes(), torch.get_num_threads())
        return read_input(self._session, "the stored ONNX network")

    def fed(self, images: Tensor) -> Tensor:
        """What the file is fed of images [B, C, H, W] with values in [0, 1]."""
        declared = self.declared
        pixels = _in_colours(images.float() * 255, declared.channels)
        if self.bgr and declared.channels == 3:
            pixels = pixels.flip(1)
        if declared.raw:
            pixels = pixels.round().clamp(0, 255).to(torch.uint8)
        else:
            mean, scale = (torch.from_numpy(each).reshape(1, -1, 1, 1) for each in (self.mean, self.scale))
            pixels = (pixels - mean) * scale
        if declared.channels_last:
            return pixels.permute(0, 2, 3, 1)
        return pixels.squeeze(1) if declared.raw else pixels

    def _run(self, name: str, fed: npt.NDArray[Any]) -> Tensor:
        found = torch.from_numpy(self._session.run(None, {name: fed})[0])
        return found.flatten(start_dim=1).float()

    def __getstate__(self) -> dict[str, Any]:
        """A copy opens its own session."""
        return self.__dict__ | {"_session": None}


def _in_colours(pixels: Tensor, channels: int) -> Tensor:
    """Pixels [B, C, H, W] with that many channels: grey repeated, or the luminance of RGB."""
    if pixels.shape[1] == channels:
        return pixels
    return luminance(pixels).unsqueeze(1) if channels == 1 else pixels.repeat(1, channels, 1, 1)


def read_input(session: Any, origin: object) -> TowerInput:
    """Reads the declared input: uint8 [B, H, W] or [B, H, W, 3], or float with 1 or 3 channels, first or last."""
    first = session.get_inputs()[0]
    shape = list(first.shape)
    if shape and isinstance(shape[0], int) and shape[0] > 1:
        raise ModelError(
            f"{origin}: takes exactly {shape[0]} faces at a time; export it for one or for any number"
        )
    single = shape[:1] == [1]
    if len(shape) == 3 and first.type == "tensor(uint8)":
        return TowerInput(first.name, True, single, 1, False, (shape[1], shape[2]))
    if len(shape) == 4 and first.type == "tensor(uint8)" and shape[3] == 3:
        return TowerInput(first.name, True, single, 3, True, (shape[1], shape[2]))
    if len(shape) == 4 and first.type == "tensor(float)":
        if shape[1] in (1, 3):
            return TowerInput(first.name, False, single, shape[1], False, (shape[2], shape[3]))
        if shape[3] in (1, 3):
            return TowerInput(first.name, False, single, shape[3], True, (shape[1], shape[2]))
    raise ModelError(
        f"{origin}: expected an input float [B, C, H, W] or [B, H, W, C] with 1 or 3 channels, or uint8 "
        f"[B, H, W] or [B, H, W, 3], found {first.type} {shape}"
    )
