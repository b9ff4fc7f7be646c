"""`likeness verify --pairs`: the verdicts on a list of pairs, as CSV or JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from likeness.commands.common import Exit, json_line
from likeness.errors import DataError

if TYPE_CHECKING:
    from likeness.serving.pair_list import PairDecision

_HEADER = ["first", "second"]
_FIGURES = ("same", "probability", "score", "threshold", "fmr", "first_other_faces", "second_other_faces")
_COLUMNS = (*_HEADER, *_FIGURES, "error")


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """The paths of a CSV file of two columns, whose first row may be `first,second`.

    Raises:
        DataError: it cannot be read, a row does not have two paths, or there is no pair.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [(number, row) for number, row in enumerate(csv.reader(stream), start=1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: expected a CSV file in UTF-8 with two paths a row ({error})") from error
    for number, row in rows:
        if len(row) != 2 or not all(cell.strip() for cell in row):
            raise DataError(f"{path}, line {number}: expected two paths, found {len(row)} columns: {row}")
    pairs = [(first.strip(), second.strip()) for _, (first, second) in rows]
    pairs = pairs[1:] if pairs[:1] == [("first", "second")] else pairs
    if not pairs:
        raise DataError(f"{path}: no pair is there; expected two paths a row, such as a.jpg,b.jpg")
    return pairs


def as_mapping(pair: tuple[str, str], decision: PairDecision) -> dict[str, Any]:
    """What `--json` says about one pair."""
    names = dict(zip(_HEADER, pair, strict=True))
    if decision.error is not None:
        return {**names, "error": str(decision.error)}
    return {
        **names,
        "same": decision.same,
        "probability": decision.probability,
        "score": decision.score,
        "threshold": decision.threshold,
        "fmr": decision.fmr,
        "other_faces": list(decision.other_faces),
    }


def decisions_text(
    pairs: Sequence[tuple[str, str]], decisions: Sequence[PairDecision], model: str, as_json: bool
) -> str:
    """A row a pair, as CSV or as JSON lines; a pair that could not be compared has its reason in `error`."""
    rows = [as_mapping(pair, decision) for pair, decision in zip(pairs, decisions, strict=True)]
    if as_json:
        return "".join(json_line({**row, "model": model}) + "\n" for row in rows)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_cells(row) for row in rows)
    return stream.getvalue()


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    """As CSV has it: true and false as 1 and 0, and a column for the further faces of each photograph."""
    if "error" in row:
        return row
    first, second = row.pop("other_faces")
    fmr = "" if row["fmr"] is None else row["fmr"]
    return {**row, "same": int(row["same"]), "fmr": fmr, "first_other_faces": first, "second_other_faces": second}


def worst(decisions: Sequence[PairDecision]) -> Exit:
    """The exit code: that of the worst pair."""
    if any(decision.error is not None for decision in decisions):
        return Exit.ERROR
    return Exit.YES if all(decision.same for decision in decisions) else Exit.NO
