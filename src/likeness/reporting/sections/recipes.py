"""Chapter: what other recipes reach on photographs of people, and what they cost."""

from __future__ import annotations

import pandas as pd

from likeness.metrics.intervals import Estimate
from likeness.reporting.artefacts import Artefacts
from likeness.reporting.document import Block, Column, FigureGroup, Note, Prose, Section, Table
from likeness.reporting.figures.recipes import accuracy_by_cost
from likeness.reporting.inline import quoted
from likeness.reporting.wording import count, measured, number

_TITLE = "Recipes and their cost"
_ABSENT = "No recipe was measured: `make results` trains and measures all of them on LFW."


def recipes_section(artefacts: Artefacts) -> Section:
    """Accuracy against parameters and operations, where `make results` has measured recipes."""
    recipes = artefacts.recipes
    if recipes is None or not len(recipes):
        return Section("recipes", _TITLE, [Note(_ABSENT, "missing")])
    faces = " and ".join(quoted(name) for name in dict.fromkeys(recipes["faces"]))
    ours = recipes["recipe"].eq(artefacts.card.recipe) & recipes["faces"].eq(artefacts.card.source)
    text = (
        f"Measured by `make results` on {faces}, View 1, not by the run that this page is about"
        f"{'; its recipe is set in bold' if ours.any() else ''}. Accuracy is at the threshold of held-out people; "
        "of several seeds the mean. MMACs are million multiply-accumulates of an embedding, that of the mirrored "
        "face included."
    )
    blocks: list[Block] = [
        Prose(text),
        FigureGroup([accuracy_by_cost(recipes, cost) for cost in ("parameters", "mmacs")]),
        _table(recipes, ours),
    ]
    return Section("recipes", _TITLE, blocks)


def _table(recipes: pd.DataFrame, ours: pd.Series[bool]) -> Table:
    heads = ("seeds", "epochs", "test accuracy", "parameters", "MMACs")
    columns = [Column("recipe"), Column("protocol"), *(Column(head, True) for head in heads)]
    rows = [
        [
            quoted(row["recipe"]),
            row["protocol"],
            count(row["seeds"]),
            count(row["epochs"]) if row["epochs"] else "closed form",
            measured(Estimate(row["accuracy"], row["low"], row["high"], 0)),
            count(row["parameters"]),
            number(row["mmacs"], 3),
        ]
        for row in recipes.to_dict("records")
    ]
    strong = frozenset(place for place, own in enumerate(ours) if own)
    return Table(columns, rows, f"All {len(rows)}, the most accurate first.", strong, folded=True)
