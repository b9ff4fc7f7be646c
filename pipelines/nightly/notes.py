"""What a night leaves for people to see in Prefect: artifacts, and a message through a block."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.blocks.core import Block
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from likeness.files import read_json
from likeness.tracking.history import Night, read_nights
from pipelines.nightly.intake import Intake
from pipelines.nightly.params import Places
from pipelines.nightly.standing import Standing

_log = logging.getLogger(__name__)
_NAMES = ("accuracy", "auc", "eer")


@contextmanager
def optional() -> Iterator[None]:
    """What is only shown must not change how a night ends: a fault in here costs one line of the log."""
    try:
        yield
    except Exception as error:
        _log.warning("not shown in Prefect: %s: %s", type(error).__name__, error)


def show_intake(intake: Intake) -> None:
    """Counts of the batch, and how far it drifted."""
    lines = [f"- {name}: {count}" for name, count in intake.counts.items()]
    create_markdown_artifact("\n".join(lines), key="batch", description="Files by what became of them")
    if intake.drift:
        create_table_artifact(intake.drift, key="drift", description="Batch against data set")


def show_stage(stage: str, places: Places) -> None:
    """What a stage found, where there is something to see."""
    if stage == "validate":
        record = read_json(places.reports / "validation" / "validation.json")
        table = [
            {key: one[key] for key in ("name", "table", "severity", "success", "observed")}
            for one in record["expectations"]
        ]
        create_table_artifact(table, key="validation", description="Expectations over the whole data set")
    if stage == "evaluate":
        metrics = read_json(places.reports / "evaluation" / "metrics.json")
        create_table_artifact(metrics_table(metrics), key="metrics", description="Test pairs, 95 % intervals")
    if stage == "report":
        _link("report", places.reports / "report.html")


def metrics_table(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a system that was measured on the test pairs."""
    rows = []
    for system in ("model", "baseline", "untrained"):
        figures = metrics.get(system, {})
        figures = figures.get("test", figures)
        row = {name: _interval(figures[name]) for name in _NAMES if isinstance(figures.get(name), dict)}
        if row:
            rows.append({"system": system, **row})
    return rows


def show_standing(standing: Standing, run_id: str | None) -> None:
    """The gate's decision, and the run of the training."""
    text = standing.verdict.table() if standing.verdict else "This very model was judged before; nothing changes."
    text = f"{text}\nMLflow run: `{run_id}`"
    create_markdown_artifact(text, key="gate", description="Challenger against champion")


def show_night(night: Night) -> None:
    """How the night ended."""
    text = f"**{night.outcome}** in {night.seconds:.0f} s. {night.line}"
    create_markdown_artifact(text, key="night", description="How the night ended")


def write_page(places: Places) -> None:
    """The page of the nights, beside the report that links to it."""
    from likeness.reporting.nights import FILE, write_nights  # charts take a second to import

    nights = [dataclasses.asdict(night) for night in read_nights(places.nights)]
    write_nights(nights, places.reports / FILE)


def notify(slug: str, night: Night) -> None:
    """Tells a saved block: any of Prefect's notification blocks, or a plain webhook.

    Args:
        slug: its type and name, such as slack-webhook/likeness.
        night: what to tell.
    """
    block: Any = Block.load(slug)
    subject, body = f"Likeness: {night.outcome}", night.line
    if hasattr(block, "notify"):
        block.notify(body, subject)
    else:
        block.call(payload={"subject": subject, "text": body})


def save_webhook(name: str, url: str) -> str:
    """Saves a block that posts {"subject", "text"} as JSON; returns what `nightly.notify` is to say."""
    message = {"subject": "{{subject}}", "text": "{{body}}"}
    block = CustomWebhookNotificationBlock(name=name, url=url, json_data=message)
    block.save(name, overwrite=True)
    return f"{CustomWebhookNotificationBlock.get_block_type_slug()}/{name}"


def _link(key: str, path: Path) -> None:
    if path.is_file():
        create_link_artifact(path.resolve().as_uri(), key=key, link_text=path.name)


def _interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}]"


def as_text(value: Any) -> str:
    """Plain values as one line."""
    return json.dumps(value, sort_keys=True)
