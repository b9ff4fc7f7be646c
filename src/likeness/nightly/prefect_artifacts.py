"""What a nightly run shows in Prefect: artifacts, and a message through a block; and its page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import get_client
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.blocks.core import Block
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.runtime import flow_run

from likeness.artifacts.metrics import METRICS, Metrics
from likeness.artifacts.nightly_run import NightlyRun, read_nightly_runs
from likeness.artifacts.validation_record import VALIDATION
from likeness.metrics.intervals import Estimate
from likeness.nightly.incoming_batch import CollectedBatch
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.registry_state import RegistryState

_log = logging.getLogger(__name__)


@contextmanager
def best_effort() -> Iterator[None]:
    """What is only shown must not change how a run ends: an error in the block costs one line of the log."""
    try:
        yield
    except Exception as error:
        _log.warning("not shown in Prefect: %s: %s", type(error).__name__, error)


def run_name(purpose: str = "") -> str:
    """Such as "retrain 2026-11-26: 34 new photographs"; the date alone before the batch is known."""
    return f"retrain {date.today().isoformat()}" + (f": {purpose}" if purpose else "")


def rename_run(purpose: str) -> None:
    """Names the present run by what it does."""
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.id), name=run_name(purpose))


def show_batch(batch: CollectedBatch) -> None:
    """Counts of the batch, and how far it drifted."""
    lines = [f"- {name}: {count}" for name, count in batch.counts.items()]
    create_markdown_artifact("\n".join(lines), key="batch", description="Files by their result")
    if batch.drift:
        create_table_artifact(batch.drift, key="drift", description="Batch against data set")


def show_stage(stage: str, paths: ProjectPaths) -> None:
    """What a stage found, where there is something to show."""
    if stage == "validate":
        record = VALIDATION.read(paths.reports / "validation" / VALIDATION.name)
        table = [
            {name: getattr(one, name) for name in ("name", "table", "severity", "success", "observed")}
            for one in record.expectations
        ]
        create_table_artifact(table, key="validation", description="Expectations over the whole data set")
    if stage == "evaluate":
        metrics = METRICS.read(paths.reports / "evaluation" / METRICS.name)
        create_table_artifact(metrics_table(metrics), key="metrics", description="Test pairs, 95 % intervals")
    if stage == "report":
        _link("report", paths.reports / "report.html")


def metrics_table(metrics: Metrics) -> list[dict[str, str]]:
    """One row a system that was measured on the test pairs."""
    return [
        {
            "system": name,
            "accuracy": _interval(system.test.accuracy),
            "auc": _interval(system.test.auc),
            "eer": _interval(system.test.eer),
        }
        for name, system in metrics.systems.items()
    ]


def show_registry_state(state: RegistryState, run_id: str | None) -> None:
    """The gate's decision, and the run of the training."""
    text = state.decision.table() if state.decision else "This very model was judged before; nothing changes."
    text = f"{text}\nMLflow run: `{run_id}`"
    create_markdown_artifact(text, key="gate", description="Challenger against champion")


def show_run(run: NightlyRun) -> None:
    """How the run ended."""
    text = f"**{run.outcome}** in {run.seconds:.0f} s. {run.line}"
    create_markdown_artifact(text, key="nightly-run", description="How the run ended")


def write_runs_page(paths: ProjectPaths) -> None:
    """The page of the nightly runs, beside the report that links to it."""
    from likeness.reporting.nightly_runs import FILE, write_page  # charts take a second to import

    write_page(read_nightly_runs(paths.nightly_runs), paths.reports / FILE)


def notify(slug: str, run: NightlyRun) -> None:
    """Sends a message through a saved block: any of Prefect's notification blocks, or a plain webhook.

    Args:
        slug: its type and name, such as slack-webhook/likeness.
        run: that has ended.
    """
    block: Any = Block.load(slug)
    subject, body = f"Likeness: {run.outcome}", run.line
    if hasattr(block, "notify"):
        block.notify(body, subject)
    else:
        block.call(payload={"subject": subject, "text": body})


def save_webhook(name: str, url: str) -> str:
    """Saves a block that posts {"subject", "text"} as JSON; returns the value for `nightly.notify`."""
    message = {"subject": "{{subject}}", "text": "{{body}}"}
    block = CustomWebhookNotificationBlock(name=name, url=url, json_data=message)
    block.save(name, overwrite=True)
    return f"{CustomWebhookNotificationBlock.get_block_type_slug()}/{name}"


def _link(key: str, path: Path) -> None:
    if path.is_file():
        create_link_artifact(path.resolve().as_uri(), key=key, link_text=path.name)


def _interval(figure: Estimate) -> str:
    return f"{figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}]"
