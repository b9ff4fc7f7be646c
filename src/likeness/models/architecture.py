"""The `model` section of params.yaml: what a network is made of. `network.py` builds it.

Free of torch, so that a card can be read where only the exported network runs: the parameters of a backbone or
comparator are beside its class, which is imported when they are read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from likeness.models.format_1 import upgraded_model
from likeness.params import Range
from likeness.parts import Parts

if TYPE_CHECKING:
    from likeness.models.backbones.backbone import Backbone
    from likeness.models.comparators.comparator import Comparator
    from likeness.models.towers.tower_card import TowerCard

BACKBONES: Parts[Backbone] = Parts("backbone", "likeness.models.backbones")
COMPARATORS: Parts[Comparator] = Parts("comparator", "likeness.models.comparators")
WITHOUT_WEIGHTS = ("cosine", "euclidean")
"""Comparators whose scores need no weights file."""
WITHOUT_TORCH = ("cosine", "csls", "euclidean", "mahalanobis", "weighted-l1")
"""Comparators that have a form in NumPy, see `likeness.serving.numpy_comparators`."""
ANGULAR = ("cosine", "csls")
"""Comparators that look at the directions of embeddings alone."""
Window = tuple[int, int, int, int]
"""Top, left, height and width, in pixels, of the part of its input that a tower looks at."""
Width = Annotated[float, Range(above=0, high=16)]
Dropout = Annotated[float, Range(0, below=1)]
Deviation = Annotated[float, Range(above=0)]


@dataclass(frozen=True)
class BackboneParams:
    """A backbone by name, with the parameters that it reads.

    Attributes:
        name: which backbone.
    """

    PARTS: ClassVar[Parts[Any]] = BACKBONES

    name: str = "koch"

    @property
    def holds_external(self) -> bool:
        """Whether it is, or contains, a tower that was trained elsewhere."""
        return False

    @property
    def towers(self) -> tuple[TowerCard, ...]:
        """The cards of what was trained elsewhere, where there are cards."""
        return ()

    def resolved(self) -> Self:
        """With what the files that it names say of themselves, such as a tower's card.

        Raises:
            ModelError: such a file is missing or not valid.
        """
        return self

    def untrained(self) -> Self | None:
        """As it was before any training; None for a tower that was trained elsewhere."""
        return self

    def check_dim(self, embedding_dim: int) -> None:
        """Refuses a length of the embedding that these parameters contradict.

        Raises:
            ValueError: they do.
        """


@dataclass(frozen=True)
class ComparatorParams:
    """A comparator by name, with the parameters that it reads.

    Attributes:
        name: which comparator.
    """

    PARTS: ClassVar[Parts[Any]] = COMPARATORS

    name: str = "weighted-l1"


@dataclass(frozen=True)
class ModelParams:
    """What a network is made of; the defaults are S1, the network of Koch et al. 2015 for faces.

    Attributes:
        backbone: the tower, see `BackboneParams`.
        comparator: how two embeddings become a score, see `ComparatorParams`.
        embedding_dim: numbers that the backbone gives for a face.
        normalise: put the backbone's embeddings on the unit sphere. With cosine that changes nothing but what a
            projection is given: cosine embeddings always end there.
        projection_dim: length of the embedding after a linear map fitted on it (`with_projection`); 0: no map.
        window: top, left, height, width of the part of the stored picture that the tower sees; null: all of it.
        frozen: keep the backbone as `init_from` gives it.
        init_from: safetensors file of a network of this same backbone to start from; null: from random weights.

    Raises:
        ValueError: two values contradict each other.
    """

    SECTION: ClassVar[str] = "model"

    backbone: BackboneParams = field(default_factory=partial(BACKBONES.params, "koch"))
    comparator: ComparatorParams = field(default_factory=partial(COMPARATORS.params, "weighted-l1"))
    embedding_dim: Annotated[int, Range(1, 65536)] = 4096
    normalise: bool = False
    projection_dim: Annotated[int, Range(0, 65536)] = 0
    window: Window | None = None
    frozen: bool = False
    init_from: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.backbone, BackboneParams):  # not where a card is read without the part's class
            self.backbone.check_dim(self.embedding_dim)

    @staticmethod
    def upgraded(values: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `likeness.models.format_1`."""
        return upgraded_model(values)

    @property
    def output_dim(self) -> int:
        """Length of the embedding that the network gives."""
        return self.projection_dim or self.embedding_dim

    @property
    def unit(self) -> bool:
        """Whether the network's embeddings lie on the unit sphere."""
        return self.comparator.name in ANGULAR or (self.normalise and not self.projection_dim)

    def resolved(self) -> ModelParams:
        """See `BackboneParams.resolved`."""
        return dataclasses.replace(self, backbone=self.backbone.resolved())

    def untrained(self) -> ModelParams | None:
        """The same network without any weights of another training; None if it holds a tower trained elsewhere."""
        backbone = self.backbone.untrained()
        return None if backbone is None else dataclasses.replace(self, backbone=backbone, init_from=None)
