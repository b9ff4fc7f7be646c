"""Removes a person from what the project collects, and says what else holds them and what removes that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from likeness.data.collected import Collected
from likeness.data.incoming_folder import folded
from likeness.data.quarantine import drop
from likeness.errors import DataError
from likeness.maintenance.traces import Project, Traces, remove_tree
from likeness.serving.gallery_file import remove_people


def remove_person(project: Project, name: str, traces: Traces) -> None:
    """Removes what `traces` found of a person in the collection, the intake and the gallery.

    The index of the collection comes first: from then on the photographs do not count, whatever happens next.

    Args:
        project: to remove from.
        name: of the person.
        traces: what was found.

    Raises:
        DataError: a nightly run is at work, or a file cannot be removed; run it again then.
        GalleryError: the gallery cannot be read.
    """
    with _no_nightly_run(project.root):
        collected = Collected.listed(project.data / "collected")
        kept = tuple(one for one in collected.photographs if folded(one.person) != folded(name))
        if len(kept) < len(collected.photographs):
            replace(collected, photographs=kept).write(project.data / "collected.json")
        for folder in traces.folders:
            remove_tree(folder)
        drop(traces.quarantined)
        for note in traces.notes:
            note.unlink(missing_ok=True)
    if traces.enrolled:
        remove_people(project.gallery, traces.enrolled)


@contextmanager
def _no_nightly_run(root: Path) -> Iterator[None]:
    lock = root / ".likeness" / "nightly" / "lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout:
        raise DataError("a nightly run is at work in this project; run this again when it has ended") from None


def found_lines(project: Project, traces: Traces) -> list[str]:
    """What is removed, a line a place."""
    lines = [f"{folder.relative_to(project.root)}/" for folder in traces.folders]
    if traces.photographs:
        lines.append(f"data/collected/index.json: {_count(traces.photographs, 'photograph')}")
    lines += [f"data/quarantine/{file.name}" for file in traces.quarantined]
    lines += [str(note.relative_to(project.root)) for note in traces.notes]
    return lines + [f"{project.gallery}: {name}" for name in traces.enrolled]


def remaining_lines(traces: Traces) -> list[str]:
    """What holds the person still, a line a place."""
    lines = []
    if traces.present:
        where = f", {_count(traces.in_source, 'photograph')} of the source itself" if traces.in_source else ""
        lines.append(f"data/faces, and the model and reports that were made from it{where}")
    lines += [f"DVC cache: {kind} {path.parent.name}{path.name}" for kind, path in traces.cached]
    lines += [f"MLflow run {run}" for run in traces.tracked.runs]
    for version in traces.tracked.versions:
        roles = [alias for alias, number in traces.tracked.serving if number == version]
        lines.append(f"registered model, version {version}" + (f" ({', '.join(roles)})" if roles else ""))
    return lines


def unknown_lines(traces: Traces) -> list[str]:
    """What may hold the person and cannot be looked into."""
    lines = [f"{path}: an archive, not looked into" for path in traces.archives]
    if traces.tracked.unknown:
        lines.append(f"{_count(traces.tracked.unknown, 'MLflow run')} of data sets that are not here any more")
    return lines


def steps(name: str, traces: Traces) -> list[str]:
    """What to run, in this order."""
    todo = []
    if traces.in_source:
        todo.append(f"remove the folder of {name} from the source itself (data.mirror, LIKENESS_MIRROR)")
    if traces.present:
        todo.append("dvc repro: the data set, the model and the reports without this person")
    if traces.tracked.serving:
        todo.append(
            "make register: the new model against the champion; `likeness promote VERSION --because …` puts it in "
            "place whatever the gate says"
        )
    if traces.tracked.runs or traces.tracked.versions:
        data = " ".join(f"--data {fingerprint[:12]}" for fingerprint in traces.tracked.fingerprints)
        todo.append(f"likeness prune {data} --yes: the runs and versions that were trained on this person")
    if traces.cached or traces.present:
        todo.append("dvc gc --workspace: all cached outputs but the present ones; with --cloud in each DVC remote")
    if traces.photographs:
        todo.append("git commit data/collected.json")
    if todo:
        todo.append("backups, clones and exported galleries are beyond this command: remove them there as well")
    return todo


def _count(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"
