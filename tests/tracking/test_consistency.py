"""Outputs of different runs of the stages are refused before anything is registered."""

from __future__ import annotations

from pathlib import Path

import pytest

from likeness.artifacts.digests import DIGESTS
from likeness.errors import DataError
from likeness.files import file_sha256, write_json
from likeness.models.card import CARD, WEIGHTS
from likeness.tracking.consistency import StageOutputs, check_outputs


@pytest.fixture
def outputs(tmp_path: Path) -> StageOutputs:
    return made(tmp_path / "one", "one")


def made(root: Path, content: str) -> StageOutputs:
    """Outputs whose digests are right; the card holds what is read of it."""
    from tests.tracking.samples import trained

    trained_here = trained(root, 0 if content == "one" else 1, 0.9)
    outputs = StageOutputs(root / "faces", trained_here / "model", root / "evaluation", root / "run.json")
    for path in (outputs.digests["manifest"], outputs.digests["metrics"], outputs.digests["predictions"]):
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    write_json(outputs.run, {"run_id": "a" * 32, "weights_sha256": file_sha256(outputs.digests["weights"])})
    digests = {name: file_sha256(path) for name, path in outputs.digests.items()}
    write_json(outputs.evaluation / DIGESTS.name, digests)  # as before there was a schema version
    return outputs


@pytest.fixture(autouse=True)
def _store(project: Path) -> None:
    """Trainings are tracked in a store of this test."""


def test_outputs_that_belong_together_pass(outputs: StageOutputs) -> None:
    check_outputs(outputs)


@pytest.mark.fault("A6")
@pytest.mark.parametrize("name", ["weights", "manifest", "metrics", "predictions", "run", "model"])
def test_a_file_of_another_run_is_refused_by_name(outputs: StageOutputs, tmp_path: Path, name: str) -> None:
    other = made(tmp_path / "two", "two")
    changed = {
        **{key: [(path, other.digests[key])] for key, path in outputs.digests.items()},
        "run": [(outputs.run, other.run)],
        "model": [(outputs.model / file, other.model / file) for file in (WEIGHTS, CARD)],
    }[name]
    for ours, theirs in changed:
        ours.write_bytes(theirs.read_bytes())
    with pytest.raises(DataError, match=rf"do not belong together.*{changed[0][0].name}.*Nothing was registered"):
        check_outputs(outputs)


@pytest.mark.fault("A6")
@pytest.mark.parametrize("name", [DIGESTS.name, "metrics.json", "predictions.parquet"])
def test_a_missing_file_is_named(outputs: StageOutputs, name: str) -> None:
    (outputs.evaluation / name).unlink()
    with pytest.raises(DataError, match=f"missing: .*{name}.*dvc pull"):
        check_outputs(outputs)


def test_a_record_that_is_no_record_is_refused(outputs: StageOutputs) -> None:
    for text, said in (("[]", "expected a Digests"), ("{", "cannot be read"), ("{}", "do not belong")):
        (outputs.evaluation / DIGESTS.name).write_text(text)
        with pytest.raises(DataError, match=said):
            check_outputs(outputs)
