"""`python -m pipelines.nightly`: serves the flow by its cron, or runs it once, from this one process.

Prefect reads its settings when it is imported, so they are set here, before that.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from likeness.artifacts.nightly_run import NightlyRun, write_nightly_run
from likeness.errors import LikenessError, TrackingError
from likeness.nightly.deployment import deploy as send_deployment
from likeness.nightly.outcome import RunOutcome
from likeness.nightly.params import read_nightly
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.prefect_server import configure_prefect, embedded_server, ensure_server
from likeness.telemetry import disable_telemetry
from likeness.tracking.mlflow_store import one_line

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
_Project = Annotated[Path, typer.Option(help="Folder of the project.")]


@app.command()
def serve(project: _Project = Path()) -> None:
    """Run the flow by its cron until stopped; the page is http://127.0.0.1:4200."""
    paths = ProjectPaths(project.resolve())
    params = read_nightly(paths.params)
    configure_prefect(paths)
    with start_failure_recorded(paths), embedded_server(paths, params):
        from likeness.nightly.schedule import serve_nightly
        from pipelines.retrain import retrain

        serve_nightly(retrain, paths, params)


@app.command()
def now(
    project: _Project = Path(),
    force_train: Annotated[bool, typer.Option(help="Train from a new seed even if nothing is new.")] = False,
    accept_drift: Annotated[bool, typer.Option(help="Add a batch however unlike the data set.")] = False,
    no_settle: Annotated[bool, typer.Option("--no-settle", help="Add files that changed just now.")] = False,
) -> None:
    """Run the flow once, and exit with 1 if somebody should look."""
    paths = ProjectPaths(project.resolve())
    params = read_nightly(paths.params)
    configure_prefect(paths)
    with start_failure_recorded(paths):
        ensure_server(paths, params)
        from pipelines.retrain import retrain

        state = retrain(str(paths.root), force_train, accept_drift, no_settle, return_state=True)
    typer.echo(f"{state.name}: {state.message}")
    raise typer.Exit(exit_code(state.name))


def exit_code(state_name: str) -> int:
    """0 for Prefect's name of a run's state that nobody needs to look at, a refused challenger's too; else 1."""
    return 0 if state_name in {outcome.state_name for outcome in RunOutcome if outcome.good} else 1


@app.command()
def deploy(project: _Project = Path()) -> None:
    """Deploy prefect.yaml to the server that PREFECT_API_URL names, with the schedule of operations.yaml."""
    paths = ProjectPaths(project.resolve())
    configure_prefect(paths)
    send_deployment(paths, read_nightly(paths.params))


@app.command()
def webhook(url: str, name: str = "likeness", project: _Project = Path()) -> None:
    """Save a block that posts to a URL how a run ended, for nightly.notify in operations.yaml."""
    paths = ProjectPaths(project.resolve())
    configure_prefect(paths)
    ensure_server(paths, read_nightly(paths.params))
    from likeness.nightly.prefect_artifacts import save_webhook

    typer.echo(f"set nightly.notify to {save_webhook(name, url)} in operations.yaml")


@contextmanager
def start_failure_recorded(paths: ProjectPaths) -> Iterator[None]:
    """Records a run that the scheduler could not even start, as when its database is damaged.

    Raises:
        TrackingError: it could not; the message says so and what to do.
    """
    started = datetime.now(UTC)
    try:
        yield
    except LikenessError:
        raise
    except Exception as error:
        line = f"the scheduler could not start ({one_line(error)}). Run `likeness doctor --repair`."
        write_nightly_run(
            paths.nightly_runs,
            NightlyRun(started.isoformat(timespec="seconds"), RunOutcome.FAILED.value, line, 0.0),
        )
        raise TrackingError(line) from error


def main() -> None:
    """The command line; a LikenessError becomes a sentence and an exit code."""
    disable_telemetry()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request otherwise
    try:
        app()
    except LikenessError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
