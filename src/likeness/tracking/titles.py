"""How a run is titled in MLflow: its name, the question that it answers, and the tags that are worth a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from likeness.params import leaves

_SHOWN = 4
_SHORT = {"learning_rate": "lr", "batch_size": "batch"}
_DIGEST = 8


@dataclass(frozen=True)
class RunTitle:
    """What distinguishes a run from others.

    Attributes:
        recipe: its name.
        data: name of the source, such as "lfw-deepfunneled".
        protocol: of the evaluation.
        about: the recipe in one sentence.
        changes: parameters that differ from the recipe's, each (recipe's value, value here).
        outside_data: category of other data that had a part in the model.
        towers: name, licence and training data of what was trained elsewhere.
    """

    recipe: str
    data: str
    protocol: str = ""
    about: str | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    outside_data: str = ""
    towers: str = ""

    def name(self, experiment: str | None = None) -> str:
        """Such as `arcface · lfw-deepfunneled · lr 1e-3 · seed 2`, with the name of the DVC experiment last."""
        changed = [f"{short_key(key)} {readable(now)}" for key, (_, now) in self.changes.items()]
        more = [f"{len(changed) - _SHOWN} more"] if len(changed) > _SHOWN else []
        return " · ".join(
            [self.recipe, self.data, *changed[:_SHOWN], *more, *([experiment] if experiment else [])]
        )

    def question(self) -> str:
        """The question that the run answers, as Markdown."""
        about = f" ({self.about.rstrip('.')})" if self.about else ""
        protocol = f" under the protocol `{self.protocol}`" if self.protocol else ""
        asked = f"How accurate is recipe `{self.recipe}`{about} on `{self.data}`{protocol}"
        if not self.changes:
            return f"{asked}?"
        changed = [
            f"- `{key}`: {readable(now)} instead of {readable(before)}"
            for key, (before, now) in self.changes.items()
        ]
        return "\n".join([f"{asked}, with these changes?", "", *changed])

    def tags(self, fingerprint: str, commit: str | None) -> dict[str, str]:
        """Tags worth a column, and the description that MLflow shows."""
        tags = {
            "recipe": self.recipe,
            "data": self.data,
            "data.short": fingerprint[:_DIGEST],
            "protocol": self.protocol,
            "outside_data": self.outside_data,
            "towers": self.towers,
            "git.short": (commit or "")[:_DIGEST],
            "changes": ", ".join(f"{short_key(key)} {readable(now)}" for key, (_, now) in self.changes.items()),
            "mlflow.note.content": self.question(),
        }
        return {key: value for key, value in tags.items() if value}


def differences(recipe: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The leaves of `values` that `recipe` has otherwise, each (recipe's value, value here), by dotted names."""
    before, now = dict(leaves(_plain(recipe), ".")), dict(leaves(_plain(values), "."))
    return {key: (before.get(key), value) for key, value in now.items() if before.get(key) != value}


def readable(value: Any) -> str:
    """A value as people write it: 1e-3 rather than 0.001, no Python words."""
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "none"}[value]
    if isinstance(value, Real):
        number = float(value)
        if number and abs(number) < 0.01:
            mantissa, exponent = f"{number:.3e}".split("e")
            return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
        return f"{number:g}" if abs(number) < 1e6 else f"{value}"
    return str(value)


def short_key(key: str) -> str:
    """`train.learning_rate` as `lr`, `train.loss.scale` as `loss.scale`."""
    short = key.split(".", 1)[1] if "." in key else key
    return _SHORT.get(short, short)


def _plain(value: Any) -> Any:
    """Lists for tuples, which YAML does not know."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
