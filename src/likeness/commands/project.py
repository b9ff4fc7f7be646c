"""`likeness doctor`, `where`, `export`, `promote`, `rollback`, `history`: the project and its models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from likeness.artifacts.metrics import METRICS
from likeness.commands.common import MODEL, Exit, JsonOption, emit
from likeness.extras import needing


def doctor(
    repair: Annotated[
        bool, typer.Option(help="Make half-made or damaged databases usable; nothing is deleted.")
    ] = False,
) -> None:
    """What this machine can do, and what to do about each thing that is missing."""
    from rich.console import Console

    from likeness.doctor import examine, print_report, repair_databases

    if repair:
        for line in repair_databases(Path.cwd()):
            typer.echo(line)
    findings = examine(Path.cwd())
    print_report(findings, Console())
    raise typer.Exit(Exit.NO if any(finding.status == "missing" for finding in findings) else Exit.YES)


def where() -> None:
    """What the last `dvc repro` found, and where its report, metrics, model and runs are."""
    paths = {
        "report": Path("reports/report.html"),
        "metrics": Path("reports/evaluation/metrics.json"),
        "model": Path("models/model"),
        "runs": Path("mlflow.db"),
    }
    hints = {"runs": "  (make ui)"}
    for line in result_lines(paths["metrics"]):
        typer.echo(line)
    for what, path in paths.items():
        found = f"{path.resolve()}{hints.get(what, '')}" if path.exists() else "none yet; make run"
        typer.echo(f"{what:8} {found}")


def result_lines(metrics: Path) -> list[str]:
    """Accuracy with its interval, the baseline's, and which is better; nothing where nothing is measured."""
    found = METRICS.find(metrics)
    if found is None:
        return []
    model, baseline = found.model.test.accuracy, found.baseline.test.accuracy
    gain = found.comparison["model_minus_baseline"].accuracy
    shown = "better" if gain.low > 0 else "worse" if gain.high < 0 else "not shown to be better"
    return [
        f"accuracy {model.value:.1%} (95 % interval {model.low:.1%} to {model.high:.1%})",
        f"baseline {baseline.value:.1%} (classical, same pairs)",
        f"verdict  {shown} than the classical baseline: {100 * gain.value:+.1f} points "
        f"({100 * gain.low:+.1f} to {100 * gain.high:+.1f})",
    ]


def history(
    last: Annotated[int, typer.Option(min=1, help="How many nightly runs.")] = 14, as_json: JsonOption = False
) -> None:
    """The last nightly runs: outcome, accuracies, photographs new, bad, waiting, left aside; minutes."""
    from rich.console import Console

    from likeness.reporting.run_history import print_history

    print_history(Path("reports/nightly"), Console(), last, as_json)


def export(
    folder: Annotated[Path, typer.Argument(help="The model's folder.")] = Path(MODEL),
    half: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write there instead: the exported tower in half precision, without weights."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the tower as ONNX beside its weights, so that it runs without torch, and check it against torch."""
    if half is not None:
        _export_half(folder, half, as_json)
        return
    from likeness.models.card import TOWER

    with needing("train"):
        from likeness.models.export import export_onnx
        from likeness.models.weights import load_model

    loaded = load_model(folder)
    target = folder / TOWER
    difference = export_onnx(target, loaded.siamese, loaded.card)
    if as_json:
        emit({"onnx": str(target), "bytes": target.stat().st_size, "relative_difference": difference})
    else:
        size = target.stat().st_size / 1e6
        typer.echo(f"{target}: {size:.1f} MB, differs from torch by at most {difference:.1e} of the largest value")


def _export_half(folder: Path, target: Path, as_json: bool) -> None:
    from likeness.models.card import TOWER

    with needing("train"):
        from likeness.models.half_precision import write_half

    written = write_half(folder, target)
    size = sum((target / name).stat().st_size for name in written.files)
    if as_json:
        emit({"onnx": str(target / TOWER), "bytes": size})
    else:
        typer.echo(f"{target}: the model in half precision, {size / 1e6:.1f} MB")


model_app = typer.Typer(no_args_is_help=True, help="Look at a model's files.")


@model_app.command("verify")
def verify_model(
    folder: Annotated[Path, typer.Argument(help="The model's folder.")] = Path(MODEL), as_json: JsonOption = False
) -> None:
    """Check every file of a model's folder against the digests in its card; exit code 1 where one differs."""
    from likeness.models.card import check_folder

    found = check_folder(folder)
    if as_json:
        emit(found)
    for name, problem in () if as_json else found.items():
        typer.echo(f"{name}: {problem or 'as in the card'}")
    raise typer.Exit(Exit.NO if any(found.values()) else Exit.YES)


def promote(
    version: Annotated[int, typer.Argument(min=1, help="Version of the registered model.")],
    because: Annotated[str, typer.Option(help="Why; it is written down.")],
) -> None:
    """Make a registered version the champion, whatever the gate says."""
    with needing("pipeline"):
        from likeness.tracking.registry import Registry

    entry = Registry.open().promote(version, because)
    typer.echo(f"version {entry.champion} is the champion: {because}")


def rollback(because: Annotated[str, typer.Option(help="Why; it is written down.")]) -> None:
    """Make the former champion the champion again."""
    with needing("pipeline"):
        from likeness.tracking.registry import Registry

    entry = Registry.open().rollback(because)
    typer.echo(f"version {entry.champion} is the champion again")
