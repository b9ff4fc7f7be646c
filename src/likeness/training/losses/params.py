"""The sections `train.loss` and `train.second_loss` of params.yaml."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from likeness.params import Range

LossName = Literal[
    "bce", "contrastive", "triplet", "multibatch", "softmax", "arcface", "cosface", "multi-similarity", "supcon"
]
Form = Literal["lecture", "hadsell"]
Miner = Literal["random", "semi-hard", "batch-hard"]

_RAMP = {"margin_start": None, "margin_until": 1 / 3}
_OWN: dict[str, dict[str, Any]] = {
    "bce": {"balanced": False, "scale": 10.0},
    "contrastive": {"form": "hadsell", "margin": 1.0, "balanced": False, **_RAMP},
    "triplet": {"miner": "semi-hard", "margin": 0.2, "easy_until": 0.0, **_RAMP},
    "multibatch": {"margin": 1.0, "threshold": 1.0, "balanced": False},
    "softmax": {"scale": 1.0},
    "arcface": {"margin": 0.5, "scale": 64.0, **_RAMP},
    "cosface": {"margin": 0.35, "scale": 64.0, **_RAMP},
    "multi-similarity": {},
    "supcon": {"temperature": 0.1},
}
"""The keys that each loss reads, with the value that null stands for."""
_OVER_PAIRS = ("bce", "contrastive", "multibatch")


@dataclass(frozen=True)
class LossParams:
    """One loss. A key left out (null) takes the value that the loss's authors use; one that the loss does not
    read is refused, so that nobody tunes a number that nothing listens to.

    Attributes:
        name: which loss.
        weight: factor of this loss in a sum of two.
        form: of the contrastive loss, y·d² + (1−y)·max(0, m² − d²) (lecture) or y·d² + (1−y)·max(0, m − d)²
            (Hadsell, Chopra and LeCun 2006).
        margin: m; of arcface an angle in radians, of cosface a cosine, else in units of the distance (contrastive)
            or of its square (triplet, multibatch).
        margin_start: margin at the start, from where it rises in a straight line to `margin`; null: no rise.
        margin_until: share of the training after which the margin has reached its full size.
        scale: factor s of the logits.
        temperature: of the supervised contrastive loss.
        miner: which triplets of a batch are used.
        easy_until: share of the training with random triplets, before the miner takes over.
        threshold: squared distance from which multibatch's learnt threshold sets out.
        balanced: same and different pairs weigh one half each in every batch, whatever their numbers.
    """

    name: LossName = "bce"
    weight: Annotated[float, Range(above=0)] = 1.0
    form: Form | None = None
    margin: Annotated[float, Range(low=0)] | None = None
    margin_start: Annotated[float, Range(low=0)] | None = None
    margin_until: Annotated[float, Range(above=0, high=1)] | None = None
    scale: Annotated[float, Range(above=0)] | None = None
    temperature: Annotated[float, Range(above=0)] | None = None
    miner: Miner | None = None
    easy_until: Annotated[float, Range(0, 1)] | None = None
    threshold: Annotated[float, Range(above=0)] | None = None
    balanced: bool | None = None

    def __post_init__(self) -> None:
        own = _OWN[self.name]
        given = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        if foreign := [key for key in given if key not in own and key not in ("name", "weight")]:
            known = ", ".join(own) or "no more keys"
            raise ValueError(f"the loss {self.name} does not read {', '.join(foreign)}; it reads {known}")

    @property
    def over_pairs(self) -> bool:
        """Whether pairs are enough for this loss; all others need the identity of every image."""
        return self.name in _OVER_PAIRS

    def get(self, key: str) -> Any:
        """The value of a key that this loss reads, its authors' where it is null."""
        value = getattr(self, key)
        return _OWN[self.name][key] if value is None else value


@dataclass(frozen=True)
class Ramp:
    """A margin that rises in a straight line from `start` to `end` over the first share `until` of the training.

    FaceNet-like training begins with a small margin (a large one lets all embeddings collapse into a point), and
    an angular margin from the first step keeps ArcFace from converging at all on few images a person.
    """

    start: float
    end: float
    until: float

    @classmethod
    def of(cls, params: LossParams) -> Ramp:
        """The margin that a loss's section describes."""
        end = float(params.get("margin"))
        start = params.get("margin_start")
        return cls(end if start is None else float(start), end, float(params.get("margin_until")))

    def __call__(self, progress: float) -> float:
        """The margin after the share `progress` of the training."""
        return self.start + (self.end - self.start) * min(1.0, progress / self.until)

    def __str__(self) -> str:
        if self.start == self.end:
            return f"{self.end:g}"
        return f"{self.start:g} → {self.end:g} over the first {self.until:.0%}"
