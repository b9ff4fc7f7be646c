"""How long planned trainings will take, from what those of `reports/recipes.csv` took."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from likeness.experiments.trials import Params, TrialFolder


def expected_minutes(trials: Sequence[TrialFolder], recipes: pd.DataFrame) -> tuple[float, int]:
    """Minutes that the trainings took on the machine of the table, in proportion to their epochs.

    Args:
        trials: to be trained.
        recipes: rows of `RecipeRecord`.

    Returns:
        Their sum, and how many trainings are not in it because the table does not have their recipe.
    """
    each = [_minutes(trial.read_params(), recipes) for trial in trials]
    known = [minutes for minutes in each if minutes is not None]
    return sum(known), len(each) - len(known)


def _minutes(params: Params, recipes: pd.DataFrame) -> float | None:
    rows = recipes[(recipes["recipe"] == params["recipe"]["name"]) & recipes["minutes"].notna()]
    if rows.empty:
        return None
    row, epochs = rows.iloc[0], _epochs(params["train"])
    return float(row["minutes"] * epochs / row["epochs"] if row["epochs"] else row["minutes"])


def _epochs(train: Params) -> int:
    """Of all members and phases."""
    members = train.get("members") or [{}]
    first = train.get("pretrain") or {}
    each: list[int | None] = [member.get("epochs") for member in members]
    epochs: int = train["epochs"]
    return sum(epochs if own is None else own for own in each) + len(members) * int(first.get("epochs", 0))


def in_words(minutes: float) -> str:
    """A duration such as "40 minutes" or "5.6 hours"."""
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"
