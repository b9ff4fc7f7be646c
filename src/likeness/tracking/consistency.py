"""Whether the files that the stages left belong together: a model is registered with its own figures and names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from likeness.artifacts.digests import DIGESTS
from likeness.artifacts.manifest import MANIFEST
from likeness.artifacts.metrics import METRICS
from likeness.artifacts.predictions import PREDICTIONS
from likeness.artifacts.run_note import RUN_NOTE
from likeness.errors import DataError
from likeness.files import file_sha256
from likeness.models.card import CARD, WEIGHTS, read_card

_HELP = (
    "Nothing was registered. `dvc checkout` (after `dvc pull`) restores the files that dvc.lock names, "
    "`dvc repro` makes new ones"
)


@dataclass(frozen=True)
class StageOutputs:
    """What the stages left: the folders of faces, model and evaluation, and run.json of the training."""

    faces: Path
    model: Path
    evaluation: Path
    run: Path

    @property
    def digests(self) -> dict[str, Path]:
        """The files that an evaluation's digests name, by their names there."""
        return {
            "weights": self.model / WEIGHTS,
            "manifest": self.faces / MANIFEST.name,
            "metrics": self.evaluation / METRICS.name,
            "predictions": self.evaluation / PREDICTIONS.name,
        }


def check_outputs(outputs: StageOutputs) -> None:
    """Refuses outputs of different runs of the stages.

    Raises:
        DataError: a file is missing, or is not the one that another was made from; every one of them is named.
        ModelError: the model's card cannot be read.
    """
    needed = [*outputs.digests.values(), outputs.run, outputs.evaluation / DIGESTS.name]
    if missing := [str(path) for path in needed if not path.is_file()]:
        raise DataError(f"missing: {', '.join(missing)}. {_HELP}")
    if wrong := [*_of_training(outputs), *_of_evaluation(outputs)]:
        raise DataError(f"the outputs of the stages do not belong together: {'; '.join(wrong)}. {_HELP}")


def _of_training(outputs: StageOutputs) -> Iterator[str]:
    """Card, weights and run.json name the same weights; run.json of before 0.2 names none."""
    recorded = read_card(outputs.model / CARD).weights_sha256
    weights = outputs.model / WEIGHTS
    if file_sha256(weights) != recorded:
        yield f"{weights} is not the file that {outputs.model / CARD} names ({recorded[:12]}…)"
    if RUN_NOTE.read(outputs.run).weights_sha256 not in (None, recorded):
        yield f"{outputs.run} is of another training than {weights}"


def _of_evaluation(outputs: StageOutputs) -> Iterator[str]:
    record = outputs.evaluation / DIGESTS.name
    recorded = replace(DIGESTS, stage="evaluate").read(record).sha256
    for name, path in outputs.digests.items():
        found = file_sha256(path)
        if recorded.get(name) != found:
            yield f"{path} ({found[:12]}…) is not the file that {record} names ({str(recorded.get(name))[:12]}…)"
