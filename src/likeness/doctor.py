"""What this machine can do for Likeness, and what to do about each thing that is missing."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from likeness._version import DISTRIBUTION
from likeness.data.cores import available_cores
from likeness.errors import DataError
from likeness.tracking.database import set_aside, state_of

Status = Literal["ok", "note", "missing"]
_SIGNS: dict[Status, str] = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "missing": "[red]missing[/]"}
_GIB = 1 << 30
_INSTALL = (
    "verify, enroll and identify need none of this; training and the pipeline do. In a checkout `make run` "
    f"installs the tested versions into .venv, elsewhere: pip install '{DISTRIBUTION}[pipeline,nightly]'"
)


@dataclass(frozen=True)
class Diagnosis:
    """One line of the examination: what was looked at, what was found, and what to do where it is not fine."""

    subject: str
    status: Status
    found: str
    remedy: str = ""


def examine(root: Path) -> list[Diagnosis]:
    """Looks at the machine and at the project in `root`; changes nothing and needs no network."""
    return [
        _python(),
        _packages(),
        _device(),
        _torchvision(),
        _cores_and_memory(),
        _disk(root),
        _repository(root),
        _data(root),
        _model(root),
        _tracking(root),
        _browser(),
    ]


def print_report(findings: list[Diagnosis], console: Console) -> None:
    """One screen: a row a finding, and below it what to do."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in ("status", "subject", "found"):
        table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(_SIGNS[finding.status], finding.subject, escape(finding.found))
        if finding.remedy:
            style = "bold" if finding.status == "missing" else "dim"
            table.add_row("", "", f"[{style}]{escape(finding.remedy)}[/]")
    console.print(table)


def _python() -> Diagnosis:
    machine = f"{platform.system()} {platform.machine()}"
    found = f"{platform.python_implementation()} {platform.python_version()} on {machine}"
    return Diagnosis("Python", "ok", found)


def _packages() -> Diagnosis:
    names = ["dvc", "mlflow", "prefect", "great-expectations", "torch", "torchvision", "pandas", "onnxruntime"]
    versions = {name: _version(name) for name in names}
    found = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    absent = [name for name, version in versions.items() if version is None]
    if absent:
        remedy = f"not installed: {', '.join(absent)}. {_INSTALL}"
        return Diagnosis("packages", "missing", found, remedy)
    return Diagnosis("packages", "ok", found)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _device() -> Diagnosis:
    try:
        import torch
    except ImportError as error:
        return Diagnosis("device", "missing", str(error), _INSTALL)
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
        memory = torch.cuda.get_device_properties(0).total_memory / _GIB
        return Diagnosis("device", "ok", f"CUDA: {name}, {memory:.0f} GiB; bf16 {torch.cuda.is_bf16_supported()}")
    remedy = "no CUDA GPU: training runs on the CPU; the small recipes are made for that, see docs/results.md"
    return Diagnosis("device", "note", f"CPU, {torch.get_num_threads()} threads", remedy)


def _torchvision() -> Diagnosis:
    try:
        from likeness.models import vision
    except Exception as error:
        return Diagnosis(
            "torchvision", "missing", str(error), "reinstall the locked versions: rm -rf .venv; make run"
        )
    compiled = "compiled operators" if vision.has_compiled_ops() else "no compiled operators (none are needed)"
    return Diagnosis("torchvision", "ok", f"models and transforms import; {compiled}")


def _cores_and_memory() -> Diagnosis:
    try:
        import psutil
    except ImportError as error:
        return Diagnosis("machine", "missing", str(error), _INSTALL)
    memory = psutil.virtual_memory()
    cores = available_cores()
    found = f"{cores} cores, {memory.total / _GIB:.0f} GiB of memory, {memory.available / _GIB:.0f} GiB free"
    if memory.available < 3 * _GIB:
        return Diagnosis("machine", "note", found, "under 3 GiB free: S1 at batch 32 takes about that much")
    return Diagnosis("machine", "ok", found)


def _disk(root: Path) -> Diagnosis:
    free = shutil.disk_usage(root).free / _GIB
    if free < 3:
        return Diagnosis(
            "disk", "missing", f"{free:.1f} GiB free", "LFW with its runs takes about 3 GiB: free some"
        )
    return Diagnosis("disk", "ok", f"{free:.0f} GiB free")


def _repository(root: Path) -> Diagnosis:
    if any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents)):
        return Diagnosis("git", "ok", "a repository")
    remedy = "DVC and the runs' provenance need one: git init && git add -A && git commit -m start"
    return Diagnosis("git", "missing", "not a git repository (a downloaded archive?)", remedy)


def _data(root: Path) -> Diagnosis:
    from likeness.artifacts.source_card import SOURCE_CARD

    try:
        source = SOURCE_CARD.find(root / "data" / "faces" / SOURCE_CARD.name)
    except DataError as error:
        return Diagnosis("data", "missing", str(error), "`dvc checkout data/faces`, or ingest again")
    if source is None:
        remedy = "`make run` draws synthetic faces; `make lfw MIRROR=<folder>` takes real ones from a folder"
        return Diagnosis("data", "note", "none ingested yet", remedy)
    kind = "synthetic faces" if source.synthetic else f"{source.source}, alignment {source.alignment}"
    return Diagnosis("data", "ok", f"{kind}: {source.images} images of {source.people} people")


def _model(root: Path) -> Diagnosis:
    card = root / "models" / "model" / "card.json"
    if not card.exists():
        return Diagnosis("model", "note", "none trained yet", "`make run` trains one")
    return Diagnosis("model", "ok", f"{card.parent.relative_to(root)}")


def _tracking(root: Path) -> Diagnosis:
    store = root / "mlflow.db"
    state = state_of(store)
    if state == "absent":
        return Diagnosis("tracking", "note", "no run recorded yet", "the first `make run` creates mlflow.db")
    if state != "whole":
        remedy = "`likeness doctor --repair` sets it aside and makes a new one; nothing is deleted"
        return Diagnosis("tracking", "missing", f"mlflow.db is {state}", remedy)
    return Diagnosis("tracking", "ok", f"mlflow.db, {store.stat().st_size / 1e6:.1f} MB; `make ui` shows the runs")


def _browser() -> Diagnosis:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        remedy = "only the tests of the page need it: apt-get install chromium; without it they are skipped"
        return Diagnosis("browser", "note", "no Chromium", remedy)
    return Diagnosis("browser", "ok", f"{Path(path).name}")


def repair_databases(root: Path) -> list[str]:
    """Makes the databases of the project in `root` usable again; returns a sentence for each."""
    from likeness.tracking.mlflow_store import repair

    return [repair(None, root), _repair_scheduler(root / ".likeness" / "prefect" / "prefect.db")]


def _repair_scheduler(path: Path) -> str:
    """Sets a damaged database of the scheduler aside; it holds the history of runs, and a new one is made."""
    if not path.exists():
        return f"{path.name}: none yet; the first nightly run makes it"
    if scheduler_database_whole(path):
        return f"{path.name}: nothing to repair"
    kept = set_aside(path, "damaged")
    return f"{path.name}: was damaged; it is kept as {kept.name}, and the next run makes a new one"


def scheduler_database_whole(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with the scheduler's database."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return bool(database.execute("pragma quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False
