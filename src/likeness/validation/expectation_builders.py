"""Builders of expectations: each carries its name and the columns that identify an offending row in `meta`."""

from __future__ import annotations

from typing import Any

import great_expectations.expectations as gxe

from likeness.artifacts.validation_record import Severity

Suite = list[gxe.Expectation]


def each(
    name: str,
    description: str,
    *,
    column: str,
    value: object,
    show: list[str],
    severity: Severity = "critical",
    **details: Any,
) -> gxe.Expectation:
    """Expects one value in every row of a column."""
    kind = gxe.ExpectColumnValuesToBeInSet
    details |= {"column": column, "value_set": [value]}
    return expect(kind, name, description, show=show, severity=severity, **details)


def expect(
    kind: type[gxe.Expectation],
    name: str,
    description: str,
    *,
    severity: Severity = "critical",
    show: list[str] | None = None,
    bounds: tuple[float, float] | None = None,
    **details: Any,
) -> gxe.Expectation:
    """An expectation; `bounds` become its least and greatest value, and {low} and {high} in its description."""
    if bounds is not None:
        details |= {"min_value": bounds[0], "max_value": bounds[1]}
        description = description.format(low=f"{bounds[0]:g}", high=f"{bounds[1]:g}")
    return kind(severity=severity, description=description, meta={"name": name, "show": show or []}, **details)
