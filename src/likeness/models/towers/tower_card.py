"""`tower.json`: what a tower that was trained elsewhere is fed, what it gives, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from likeness.artifacts.json_file import JsonFile, plain
from likeness.artifacts.source_card import Framing
from likeness.errors import DataError, ModelError
from likeness.params import Range

if TYPE_CHECKING:
    from likeness.models.architecture import ModelParams

ONNX = "tower.onnx"


@dataclass(frozen=True)
class TowerCard:
    """A tower that was trained elsewhere, as an ONNX file.

    Attributes:
        name: of the tower, and of its folder and recipe.
        file: name of the ONNX file beside the card.
        sha256: hex digest of that file.
        size: height and width of the faces that it is fed, in pixels.
        channels: 1 for grey faces, 3 for colour.
        layout: NCHW or NHWC of floats; uint8 [B, H, W] or [B, H, W, 3] of towers exported by this package.
        colour_order: of three channels.
        mean: of (pixel - mean) · scale, on the scale 0 to 255; one value, or one a channel in that order.
        scale: one value or one a channel.
        align: how its faces are found and framed, see `likeness.faces`; "none": they are framed beforehand.
        crop: height and width in pixels of the middle of that frame, which is resized to `size`; None: all of it.
        embedding_dim: numbers that it gives for a face.
        distance: what its authors compare embeddings by.
        licence: of the weights.
        training_data: what it was trained on.
        outside_data: category of that data, in the terms of LFW's results pages.
        source: where the file comes from.
    """

    name: str
    file: str
    sha256: str
    size: tuple[int, int]
    channels: Literal[1, 3]
    layout: Literal["NCHW", "NHWC", "uint8"]
    colour_order: Literal["rgb", "bgr"]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    align: Framing
    crop: tuple[int, int] | None
    embedding_dim: Annotated[int, Range(1, 65536)]
    distance: Literal["cosine", "euclidean"]
    licence: str
    training_data: str
    outside_data: Literal["none", "label-free", "labelled"]
    source: str

    @property
    def category(self) -> str:
        """The category of outside data as the pages say it."""
        return "none" if self.outside_data == "none" else f"{self.outside_data} outside data (tower {self.name})"

    def mismatch(self, shape: tuple[int, ...], align: Framing, crop: tuple[int, int] | None) -> str | None:
        """What the stored faces are other than the tower expects; None where they are as it was trained.

        Args:
            shape: of a stored face: height, width, and 3 where it is in colour.
            align: how they were framed.
            crop: height and width of the middle of the frame that was stored.
        """
        wanted: dict[str, tuple[object, object]] = {
            "data.size": (self.size, tuple(shape[:2])),
            "data.colour": (self.channels == 3, len(shape) == 3),
            "data.align": (self.align, align),
            "data.crop": (self.crop, crop),
        }
        wrong = [
            f"{key}={_shown(want)} (found {_shown(found)})"
            for key, (want, found) in wanted.items()
            if want != found
        ]
        return f"the tower {self.name} was trained on other faces: set {', '.join(wrong)}" if wrong else None


TOWER_CARD = JsonFile("tower.json", TowerCard)


def read_tower_card(path: Path) -> TowerCard:
    """The card of a tower.

    Raises:
        ModelError: it is missing or not valid.
    """
    try:
        return TOWER_CARD.read(path)
    except DataError as error:
        raise ModelError(
            f"{error}; `likeness tower add FILE --preset …` or `likeness tower fetch dlib` writes one"
        ) from error


def require_faces(
    model: ModelParams, shape: tuple[int, ...], align: Framing, crop: tuple[int, int] | None
) -> None:
    """Refuses faces that an outside tower of a network was not trained for; see `TowerCard.mismatch`.

    Raises:
        ModelError: a tower's card says otherwise.
    """
    for tower in model.backbone.towers:
        if (wrong := tower.mismatch(shape, align, crop)) is not None:
            raise ModelError(wrong)


def towers_of(backbone: object) -> Iterator[Mapping[str, Any]]:
    """The cards of a backbone's outside towers as plain values, those of an ensemble's members among them.

    Args:
        backbone: its parameters, or the values of a card that were read without the backbone's class.
    """
    values = backbone if isinstance(backbone, Mapping) else plain(backbone)
    if isinstance(tower := values.get("tower"), Mapping):
        yield tower
    for member in values.get("members") or ():
        yield from towers_of(member["backbone"])


def tower_summary(backbones: Iterable[object]) -> str:
    """Name, licence and training data of the outside towers of backbones (see `towers_of`); "" without any."""
    towers = (tower for backbone in backbones for tower in towers_of(backbone))
    found = (f"{tower['name']} ({tower['licence']}; {tower['training_data']})" for tower in towers)
    return "; ".join(dict.fromkeys(found))


def _shown(value: object) -> str:
    """As a command line takes it."""
    return json.dumps(list(value) if isinstance(value, tuple) else value).replace(" ", "").replace('"', "")
