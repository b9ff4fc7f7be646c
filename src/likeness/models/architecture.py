"""The `model` section of params.yaml: what a network is made of. `network.py` builds it.

Free of torch, so that a card can be read where only the exported network runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from likeness.params import Range

Backbone = Literal["koch", "light-cnn", "mobilenet-v2", "residual", "patterns", "fisher", "ensemble", "external"]
Comparator = Literal["weighted-l1", "euclidean", "cosine", "mahalanobis"]
Window = tuple[int, int, int, int]
"""Top, left, height and width, in pixels, of the part of its input that a tower looks at."""


@dataclass(frozen=True)
class External:
    """A tower that was trained elsewhere, as an ONNX file; what it is fed is (pixel - mean) · scale.

    Channels and layout are read from the file. Grey values are repeated where it wants three channels, and pixels
    are passed on as they are where it takes uint8, as the towers exported here do. The stored faces must have its
    size (`data.size`), be cut as its authors cut them (`data.crop`), and not be standardised ("unit").

    Attributes:
        onnx: path of the file; read when the network is first made, then kept among the model's weights.
        mean: one value, or one a channel, on the scale 0 to 255.
        scale: one value, or one a channel.
    """

    onnx: str
    mean: tuple[float, ...] = (127.5,)
    scale: tuple[float, ...] = (1 / 127.5,)


@dataclass(frozen=True)
class ModelParams:
    """What a network is made of; the defaults are S1, the network of Koch et al. 2015 for faces.

    Attributes:
        backbone: the tower.
        comparator: how two embeddings become a score.
        embedding_dim: numbers that the backbone gives for a face.
        width: multiplier of the channels of every convolution.
        depth: multiplier of the blocks of every stage (residual).
        dense_head: let every place of the last map have a say in every number of the embedding (residual,
            mobilenet-v2); more parameters, faster learning.
        batch_norm: normalise after each convolution (koch, light-cnn, whose embedding is then normalised too; the
            others always do). The papers of these two do not.
        first_bias: bias of the first convolution (koch).
        dropout: probability of dropping a unit before the embedding (koch: of the embedding itself).
        dense_std: standard deviation of the initial weights of koch's dense layer and of weighted-l1.
        normalise: put the backbone's embeddings on the unit sphere. With cosine that changes nothing but what a
            projection is given: cosine embeddings always end there.
        projection_dim: length of the embedding after a linear map fitted on it (`with_projection`); 0: no map.
        window: top, left, height, width of the part of the stored picture that the tower sees; null: all of it.
        frozen: keep the backbone as `init_from` gives it.
        init_from: safetensors file of a network of this same backbone to start from; null: from random weights.
        members: the networks of an ensemble, each compared by cosine.
        shares: weight of each member's cosine in the ensemble's; none: equal shares.
        external: the tower of the external backbone.

    Raises:
        ValueError: two values contradict each other.
    """

    SECTION: ClassVar[str] = "model"

    backbone: Backbone = "koch"
    comparator: Comparator = "weighted-l1"
    embedding_dim: Annotated[int, Range(1, 65536)] = 4096
    width: Annotated[float, Range(above=0, high=16)] = 1.0
    depth: Annotated[int, Range(1, 16)] = 1
    dense_head: bool = False
    batch_norm: bool = True
    first_bias: bool = True
    dropout: Annotated[float, Range(0, below=1)] = 0.4
    dense_std: Annotated[float, Range(above=0)] = 0.2
    normalise: bool = False
    projection_dim: Annotated[int, Range(0, 65536)] = 0
    window: Window | None = None
    frozen: bool = False
    init_from: str | None = None
    members: tuple[ModelParams, ...] = ()
    shares: Annotated[tuple[float, ...], Range(above=0)] = ()
    external: External | None = None

    def __post_init__(self) -> None:
        if (self.backbone == "external") != (self.external is not None):
            raise ValueError("`external` belongs to the external backbone, and to no other")
        if (self.backbone == "ensemble") != bool(self.members):
            raise ValueError("`members` belong to the ensemble backbone, and to no other")
        if self.members:
            self._check_members()

    def _check_members(self) -> None:
        if any(member.comparator != "cosine" for member in self.members):
            raise ValueError("the members of an ensemble must be compared by cosine, which is what it averages")
        total = sum(member.output_dim for member in self.members)
        if self.embedding_dim != total:
            raise ValueError(f"embedding_dim must be its members' together, {total}, found {self.embedding_dim}")
        if self.shares and len(self.shares) != len(self.members):
            raise ValueError(f"expected a share for each of {len(self.members)} members, found {len(self.shares)}")

    @property
    def holds_external(self) -> bool:
        """Whether an external tower is part of the network."""
        return self.external is not None or any(member.holds_external for member in self.members)

    @property
    def output_dim(self) -> int:
        """Length of the embedding that the network gives."""
        return self.projection_dim or self.embedding_dim

    @property
    def unit(self) -> bool:
        """Whether the network's embeddings lie on the unit sphere."""
        return self.comparator == "cosine" or (self.normalise and not self.projection_dim)
