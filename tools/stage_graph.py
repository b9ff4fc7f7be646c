"""Draws the stages of dvc.yaml and what each reads of the others: docs/images/dag.svg.

python -m tools.stage_graph      # after a change of the stages
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from likeness.files import write_text

SOURCE, TARGET = Path("dvc.yaml"), Path("docs/images/dag.svg")
_BOX, _GAP, _HEIGHT, _TOP = 84, 16, 34, 120
_INK, _LINE, _FILL = "#1c2430", "#5b6573", "#e3ecf6"


def edges(stages: dict[str, Any]) -> list[tuple[str, str]]:
    """Pairs of stages of which the second reads an output of the first, in the order of the file."""
    outputs = {name: [_path(out) for out in stage.get("outs", [])] for name, stage in stages.items()}
    return [
        (writer, reader)
        for writer, paths in outputs.items()
        for reader, stage in stages.items()
        if writer != reader and any(_reads(dep, path) for dep in stage.get("deps", []) for path in paths)
    ]


def picture(stages: dict[str, Any]) -> str:
    """The stages in a row in their order, with an arc for every edge; neighbours are joined by an arrow."""
    places = {name: place * (_BOX + _GAP) for place, name in enumerate(stages)}
    width, height = len(stages) * (_BOX + _GAP) - _GAP, _TOP + _HEIGHT + 6
    boxes = [
        f'<rect x="{x}" y="{_TOP}" width="{_BOX}" height="{_HEIGHT}" rx="5" fill="{_FILL}" stroke="{_LINE}"/>'
        f'<text x="{x + _BOX / 2}" y="{_TOP + 22}" fill="{_INK}">{name}</text>'
        for name, x in places.items()
    ]
    lines = [_line(places[writer], places[reader]) for writer, reader in edges(stages)]
    size = f'width="{width + 8}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 0 {width + 8} {height}" {size} '
    head += 'font-family="system-ui, sans-serif" font-size="14" text-anchor="middle">'
    return "\n".join([head, f'<rect x="-4" {size} fill="#fff"/>', *lines, *boxes, "</svg>", ""])


def _line(start: float, end: float) -> str:
    steps = round((end - start) / (_BOX + _GAP))
    if steps == 1:
        y = _TOP + _HEIGHT / 2
        path = f"M{start + _BOX},{y}H{end}M{end - 6},{y - 4}L{end},{y}L{end - 6},{y + 4}"
    else:
        left, right, high = start + _BOX * 0.62, end + _BOX * 0.38, _TOP - 10 - 18 * steps
        path = f"M{left:.0f},{_TOP}C{left:.0f},{high} {right:.0f},{high} {right:.0f},{_TOP}l-4,-6m4,6l4,-6"
    return f'<path d="{path}" fill="none" stroke="{_LINE}" stroke-width="1.2"/>'


def _path(out: str | dict[str, Any]) -> str:
    return out if isinstance(out, str) else next(iter(out))


def _reads(dep: str, out: str) -> bool:
    return dep == out or dep.startswith(f"{out}/") or out.startswith(f"{dep}/")


if __name__ == "__main__":
    write_text(TARGET, picture(yaml.safe_load(SOURCE.read_text(encoding="utf-8"))["stages"]))
