"""The section `train.fit` of params.yaml."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from likeness.params import Range

FitKind = Literal["wccn", "lda", "lmnn"]

_OWN: dict[str, dict[str, Any]] = {
    "wccn": {"shrinkage": 0.1, "components": None},
    "lda": {"shrinkage": 0.1, "components": None, "dim": None},
    "lmnn": {"neighbours": 3, "push": 0.5, "margin": 1.0, "rounds": 10, "learning_rate": 1e-3},
}
"""The keys that each kind reads, with the value that null stands for."""
_COMMON = ("kind", "images_per_person")


@dataclass(frozen=True)
class FitParams:
    """A linear map put behind the trained network. A key that the kind does not read is refused.

    Attributes:
        kind: wccn (whitens the variation within a person, Hatch et al. 2006; the one kind for which listed pairs
            are enough), lda (wccn, then the directions in which people differ most, Fisher 1936) or lmnn (large
            margin nearest neighbours, Weinberger and Saul 2009).
        images_per_person: photographs of one person at most, where identities are known.
        shrinkage: share of the within-class covariance that is replaced by its mean variance.
        components: principal components that the embeddings are first reduced to, for embeddings much longer than
            there are faces; null: not reduced.
        dim: directions that are kept; null: all.
        neighbours: photographs of the same person that each photograph is pulled to.
        push: weight μ of pushing impostors away; pulling weighs 1 − μ.
        margin: by which an impostor's squared distance must exceed a neighbour's.
        rounds: searches for impostors, each followed by a few steps.
        learning_rate: of those steps.
    """

    kind: FitKind = "wccn"
    images_per_person: Annotated[int, Range(low=1)] = 12
    shrinkage: Annotated[float, Range(0, 1)] | None = None
    components: Annotated[int, Range(low=1)] | None = None
    dim: Annotated[int, Range(low=1)] | None = None
    neighbours: Annotated[int, Range(low=1)] | None = None
    push: Annotated[float, Range(above=0, below=1)] | None = None
    margin: Annotated[float, Range(above=0)] | None = None
    rounds: Annotated[int, Range(low=1)] | None = None
    learning_rate: Annotated[float, Range(above=0)] | None = None

    def __post_init__(self) -> None:
        own = _OWN[self.kind]
        given = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        if foreign := [key for key in given if key not in own and key not in _COMMON]:
            raise ValueError(f"{self.kind} does not read {', '.join(foreign)}; it reads {', '.join(own)}")

    def get(self, key: str) -> Any:
        """The value of a key that this kind reads, the default where it is null."""
        value = getattr(self, key)
        return _OWN[self.kind][key] if value is None else value
