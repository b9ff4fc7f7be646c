"""`validation.json` of the validate stage: every expectation about a face set, and what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from likeness.artifacts.json_file import JsonFile
from likeness.artifacts.source_card import SourceCard

Severity = Literal["critical", "warning"]

Row = Mapping[str, Any]
"""An offending row by the names of its columns."""
KEPT = 1000
"""Offending rows of an expectation that the file holds at most."""


@dataclass(frozen=True)
class Finding:
    """One expectation and what came of it.

    Attributes:
        name: a few words, unique.
        table: what it speaks about.
        severity: critical stops the pipeline, warning does not.
        success: whether it holds.
        expected: the expectation as a sentence.
        observed: the figure found, or how many of how many rows offend.
        offenders: the offending rows, each with the columns that identify it, in the order of the table; there may
            be some although the expectation holds, if it tolerates a share.
        offender_count: how many there are where the file does not hold them all; None: as many as it holds.
    """

    name: str
    table: str
    severity: Severity
    success: bool
    expected: str
    observed: str
    offenders: tuple[Row, ...] = ()
    offender_count: int | None = None

    @property
    def total(self) -> int:
        """How many rows offend."""
        return len(self.offenders) if self.offender_count is None else self.offender_count

    def shortened(self) -> Finding:
        """As the file holds it: more offenders than anybody reads are only counted."""
        return dataclasses.replace(self, offenders=self.offenders[:KEPT], offender_count=self.total)


@dataclass(frozen=True)
class ValidationSummary:
    """How many expectations there were, held, and failed by severity."""

    expectations: int
    held: int
    critical: int
    warning: int

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> ValidationSummary:
        """Counts findings."""
        failed = [finding.severity for finding in findings if not finding.success]
        held = len(findings) - len(failed)
        return cls(len(findings), held, failed.count("critical"), failed.count("warning"))


@dataclass(frozen=True)
class ValidationRecord:
    """What a validation found.

    Attributes:
        success: whether every critical expectation holds.
        summary: counts of the expectations.
        source: card of the face set.
        expectations: in the order of the suites.
        facts: counts, and minimum, median and maximum of what describes an image or a person.
        params: the bounds.
    """

    success: bool
    source: SourceCard
    summary: ValidationSummary
    expectations: tuple[Finding, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)


VALIDATION = JsonFile("validation.json", ValidationRecord, stage="validate")
