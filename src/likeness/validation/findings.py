"""What came of the expectations as one table of text, and the end of a stage where a critical one fails."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from likeness.artifacts.validation_record import Finding, Row, Severity
from likeness.errors import ValidationFailedError

IN_TEXT = 10  # offending rows that the text table names per expectation
TEXT_WIDTH = 110


def failed(findings: Sequence[Finding], severity: Severity) -> list[Finding]:
    """The findings of a severity that do not hold."""
    return [finding for finding in findings if finding.severity == severity and not finding.success]


def refuse_critical(findings: Sequence[Finding], where: str) -> None:
    """Stops what would build on data that fails a critical expectation.

    Args:
        findings: of all expectations.
        where: the page with all details.

    Raises:
        ValidationFailedError: with each failed critical expectation and its first offending rows, as one table.
    """
    critical = failed(findings, "critical")
    if critical:
        raise ValidationFailedError(
            f"{len(critical)} of {len(findings)} expectations are critical and do not hold, so nothing is built "
            f"on these data\n{text_table(critical)}\nAll details: {where}. Correct the data and ingest again, or "
            "widen the bound in section validate of params.yaml if the data are right"
        )


def text_table(findings: Sequence[Finding]) -> str:
    """Expectation, figure, and the first offending rows, in three columns."""
    heads = ("expectation", "found", "offending rows")
    names = max([len(heads[0]), *(len(finding.name) for finding in findings)])
    figures = max([len(heads[1]), *(len(finding.observed) for finding in findings)])
    rule = "  ".join("-" * width for width in (names, figures, len(heads[2])))
    lines = [f"{heads[0]:{names}}  {heads[1]:{figures}}  {heads[2]}", rule]
    for finding in findings:
        rows = _offender_lines(finding) or [finding.expected]
        wrapped = [line for row in rows for line in _wrap(row, TEXT_WIDTH - names - figures - 4)]
        lines.append(f"{finding.name:{names}}  {finding.observed:{figures}}  {wrapped[0]}")
        lines += [" " * (names + figures + 4) + line for line in wrapped[1:]]
    return "\n".join(lines)


def shown(offender: Row) -> dict[str, Any]:
    """The columns of an offending row that are worth reading: not its manifest rows."""
    return {name: value for name, value in offender.items() if name not in ("row", "twin")}


def _offender_lines(finding: Finding) -> list[str]:
    rows = [_one_line(shown(offender)) for offender in finding.offenders[:IN_TEXT]]
    rest = len(finding.offenders) - len(rows)
    return [*rows, f"… and {rest} more"] if rest else rows


def _one_line(offender: Row) -> str:
    """The first value names the row; the others carry their column's name if they are numbers."""
    first, *others = offender.items()
    texts = [str(value) if isinstance(value, str) else f"{name} {value}" for name, value in others if value != ""]
    return ": ".join([str(first[1]), *([", ".join(texts)] if texts else [])])


def _wrap(text: str, width: int) -> list[str]:
    lines = [
        line for part in text.splitlines() for line in textwrap.wrap(part, max(width, 40), break_on_hyphens=False)
    ]
    return [lines[0], *("  " + line for line in lines[1:])] if lines else [""]
