"""The gate's decision on a challenger: gate.json for programs, gate.md for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from likeness.artifacts.json_file import JsonFile
from likeness.files import write_text

GateOutcome = Literal["promoted", "kept", "refused"]


@dataclass(frozen=True)
class GateCheck:
    """One line of the decision.

    Attributes:
        name: what was looked at.
        found: the figure (the challenger's, or its change against the champion).
        required: what was asked of it, in words.
        passed: whether it holds.
        low, high: ends of the 95 % interval of `found`, where it has one.
    """

    name: str
    found: float
    required: str
    passed: bool
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class GateDecision:
    """The gate's decision, with its reasons and figures.

    Attributes:
        outcome: what became of the challenger.
        reason: in a sentence.
        challenger, champion: versions in the registry; None where no model serves yet.
        pairs: number of test pairs on which both were compared.
        checks: every measure that was looked at.
        context: further figures by name.
    """

    outcome: GateOutcome
    reason: str
    challenger: int
    champion: int | None
    pairs: int
    checks: tuple[GateCheck, ...]
    context: dict[str, float] = field(default_factory=dict)

    def table(self) -> str:
        """The decision as one Markdown table, the reason above it."""
        against = "no champion yet" if self.champion is None else f"champion version {self.champion}"
        head = (
            f"**{self.outcome}**: version {self.challenger} against {against}, {self.pairs} pairs. {self.reason}"
        )
        rows = [
            f"| {check.name} | {check.found:+.4f}{_interval(check)} | {check.required} | {_sign(check)} |"
            for check in self.checks
        ]
        return "\n".join(
            [head, "", "| check | found | required | |", "|---|---|---|---|", *rows, *self._mcnemar(), ""]
        )

    def _mcnemar(self) -> list[str]:
        if "mcnemar_p" not in self.context:
            return []
        ours, theirs = (f"{self.context[f'only_{who}_right']:.0f}" for who in ("challenger", "champion"))
        p_value = f"{self.context['mcnemar_p']:.2g}"
        return [
            "",
            f"Only the challenger is right on {ours} pairs, only the champion on {theirs}: McNemar p = {p_value}.",
        ]


GATE_DECISION = JsonFile("gate.json", GateDecision)


def write_gate_decision(folder: Path, decision: GateDecision) -> None:
    """Writes gate.json and gate.md."""
    GATE_DECISION.write(folder / GATE_DECISION.name, decision)
    write_text(folder / "gate.md", decision.table())


def _interval(check: GateCheck) -> str:
    return "" if check.low is None or check.high is None else f" [{check.low:+.4f}, {check.high:+.4f}]"


def _sign(check: GateCheck) -> str:
    return "holds" if check.passed else "**fails**"
