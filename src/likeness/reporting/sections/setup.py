"""Chapter: everything that is needed to rebuild the run: parameters, versions, machine, data, code."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath
from typing import Any

import yaml

from likeness.artifacts.json_file import plain
from likeness.artifacts.run_note import Provenance, RunNote
from likeness.artifacts.training_summary import TrainingSummary
from likeness.models.card import Card
from likeness.params import leaves
from likeness.reporting.artefacts import Artefacts
from likeness.reporting.document import (
    Block,
    Code,
    Column,
    Download,
    Facts,
    Note,
    Prose,
    Section,
    Subheading,
    Table,
)
from likeness.reporting.inline import quoted
from likeness.reporting.params import ReportParams
from likeness.reporting.wording import number


def setup_section(artefacts: Artefacts) -> Section:
    """All parameters of all stages, versions and machine."""
    rows = [[quoted(key), quoted(_shown(value))] for key, value in leaves(artefacts.params)]
    blocks: list[Block] = [
        Prose("Every parameter that the stages before this page used, as each noted it."),
        Table([Column("parameter"), Column("value", room=24)], rows, f"{len(rows)} parameters.", folded=True),
        Subheading("Model"),
        Table(
            [Column("key"), Column("value", room=24)],
            [[quoted(key), quoted(_shown(value))] for key, value in leaves(_of_model(artefacts.card))],
            "The model's own card, which is beside its weights.",
            folded=True,
        ),
        Subheading("Software"),
        Facts([(name, quoted(version)) for name, version in sorted(artefacts.card.versions.items())]),
        Subheading("Machine"),
        *_machine(artefacts.summary),
    ]
    return Section("setup", "The full setup", blocks)


def provenance_section(artefacts: Artefacts, params: ReportParams) -> Section:
    """Where the data, the code and the weights come from, and the commands that make this page again."""
    card, run = artefacts.card, artefacts.run or RunNote(None, reason="the training has written no run.json")
    code = run.code
    facts = [
        ("Data fingerprint", quoted(artefacts.source.fingerprint)),
        ("Archive sha256", quoted(artefacts.source.archive_sha256 or "none")),
        ("Weights sha256", quoted(card.weights_sha256)),
        ("Repository", _repository(code)),
        ("Commit", _commit(code)),
        ("Trained", code.time.replace("T", " ").replace("Z", " UTC") or "time unknown"),
        ("dvc.lock sha256", quoted(code.dvc_lock) if code.dvc_lock else "unknown"),
        ("DVC experiment", quoted(code.experiment) if code.experiment else "none, a plain `dvc repro`"),
        ("MLflow run", _run(run)),
        ("Seed", f"training {number(card.seed)}, split {number(artefacts.split.seed)}"),
    ]
    blocks: list[Block] = [Facts(facts)]
    if card.fingerprint != artefacts.source.fingerprint:
        blocks.append(Note("The model was trained on **other data** than those described here.", "warning"))
    if code.dirty:
        changed = ", ".join(quoted(name) for name in code.changed)
        blocks.append(Note(f"The working tree differed from that commit: {changed}.", "warning"))
    return Section(
        "provenance", "Provenance, and how to make this page again", [*blocks, *_again(artefacts, code, params)]
    )


def _of_model(card: Card) -> dict[str, Any]:
    return {key: value for key, value in plain(card).items() if key not in ("trained", "versions", "decision")}


def _shown(value: Any) -> str:
    """A value as YAML would hold it; of an absolute path only its name, which alone means something elsewhere."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f"…/{PurePosixPath(text).name}" if isinstance(value, str) and text.startswith("/") else text


def _machine(summary: TrainingSummary | None) -> list[Block]:
    if summary is None:
        return [Note("The machine is unknown: the training has written no `summary.json`.", "missing")]
    facts = {
        "trained on": summary.device,
        "processes": summary.processes,
        "precision": summary.precision,
        **dataclasses.asdict(summary.machine),
        "peak memory": _gibibytes(summary.peak_memory_bytes.host),
        "peak memory of the GPU": _gibibytes(summary.peak_memory_bytes.gpu),
    }
    return [Facts([(name, quoted(_shown(value))) for name, value in facts.items() if value is not None])]


def _gibibytes(count: int | None) -> str | None:
    return f"{count / (1 << 30):.1f} GiB" if count else None


def _commit(code: Provenance) -> str:
    if not code.commit:
        return "unknown"
    state = {True: "with changes", False: "clean", None: "state unknown"}[code.dirty]
    return f"{quoted(code.commit)}, {state}"


def _run(run: RunNote) -> str:
    if run.run_id:
        return f"{quoted(run.run_id)} of experiment {quoted(str(run.experiment))} in {quoted(str(run.uri))}"
    return f"none: {run.reason}"


def _repository(code: Provenance) -> str:
    if code.repository is None:
        return "unknown: the checkout that trained has no remote `origin` on another machine"
    return (
        f"[{code.repository}]({code.repository})"
        if code.repository.startswith("http")
        else quoted(code.repository)
    )


def _again(artefacts: Artefacts, code: Provenance, params: ReportParams) -> list[Block]:
    """The parameters as a file, and one command."""
    text = "Save the parameters below as `params.yaml` in an empty folder"
    if not artefacts.source.synthetic:
        text += ", set `data.mirror` in it to where the images are,"
    text += " and run this there:"
    steps = [
        f"git clone {code.repository or 'REPOSITORY'} again",
        *([f"git -C again checkout -q {code.commit}"] if code.commit else []),
        "cp params.yaml again/",
        "make -C again run",
    ]
    command = " \\\n  && ".join(steps)
    ending = (
        "It installs the locked versions and runs every stage; `make ui` there shows the training's curves. "
        "`sha256sum again/models/model/weights.safetensors` is to be compared with the digest above; on another "
        "kind of processor the weights differ in rounding."
    )
    return [
        Prose(text),
        Download(
            "params.yaml", _file(artefacts.params | {params.SECTION: plain(params)}), "params.yaml of this run"
        ),
        Code(command, "sh"),
        Prose(ending),
    ]


def _file(params: Any) -> str:
    """The parameters as the file that `dvc repro` reads, folders of this machine by their names alone."""
    return yaml.safe_dump(_portable(params), sort_keys=False, allow_unicode=True)


def _portable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _portable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_portable(one) for one in value]
    return PurePosixPath(value).name if isinstance(value, str) and value.startswith("/") else value
