"""Chapter: who is this? One-shot recognition in a gallery of people with one photograph each."""

from __future__ import annotations

from likeness.artifacts.metrics import IdentificationMetrics
from likeness.reporting.artefacts import Artefacts
from likeness.reporting.document import Block, Column, FigureGroup, Note, Prose, Section, Table
from likeness.reporting.figures.embeddings import embedding_figure
from likeness.reporting.figures.verification import cmc
from likeness.reporting.sections.results import NOTHING_MEASURED, SYSTEMS, named
from likeness.reporting.wording import count, level, measured, percent, rate

_TITLE = "Who is this?"


def recognition_section(artefacts: Artefacts) -> Section:
    """N-way one-shot trials, rank 1, CMC, the map of the embeddings, and rejection of people not enrolled."""
    if artefacts.metrics is None:
        return Section("recognition", _TITLE, [NOTHING_MEASURED])
    found = artefacts.metrics.identification
    if found.reason is not None:
        return Section("recognition", _TITLE, [Note(f"Not measured: {found.reason}.", "missing")])
    blocks: list[Block] = [Prose(_summary(found)), _table(found)]
    figures = []
    if artefacts.cmc is not None and len(artefacts.cmc):
        figures.append(cmc(named(artefacts.cmc)))
    if artefacts.embeddings is not None and len(artefacts.embeddings) > 1:
        figures.append(embedding_figure(artefacts.embeddings))
    if figures:
        blocks.append(FigureGroup(figures))
    return Section("recognition", _TITLE, blocks)


def _summary(found: IdentificationMetrics) -> str:
    return (
        f"Each of {count(found.known_people)} test people is enrolled from **one** photograph, without "
        f"training, and searched for with {count(found.probes)} others; {count(found.unknown_people)} more "
        f"people are not enrolled and must be rejected. A one-shot trial shows {found.ways} candidates (chance "
        f"{percent(1 / (found.ways or 1))}; {count(found.trials)} trials). Intervals by resampling people."
    )


def _table(found: IdentificationMetrics) -> Table:
    systems = {SYSTEMS[name]: found.systems[name] for name in SYSTEMS if name in found.systems}
    names = list(dict.fromkeys(name for figures in systems.values() for name in figures))
    names.sort(key=_order)
    rows = [
        [_label(name, found), *(measured(figures.get(name)) for figures in systems.values())] for name in names
    ]
    return Table([Column("figure"), *(Column(system, True) for system in systems)], rows)


def _order(name: str) -> tuple[int, float]:
    kind = ("one_shot", "rank", "tpir").index(next(k for k in ("one_shot", "rank", "tpir") if name.startswith(k)))
    return kind, float(name.removeprefix("rank_")) if kind == 1 else -level(name) if kind == 2 else 0.0


def _label(name: str, found: IdentificationMetrics) -> str:
    if name == "one_shot":
        return f"{found.ways}-way one-shot accuracy"
    if name.startswith("rank_"):
        return f"right person among the first {name.removeprefix('rank_')}"
    return f"ranked first and accepted (TPIR), at FPIR {rate(name)}"
