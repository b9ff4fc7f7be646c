"""Stage check: a wrong parameter is reported before anything else runs, and a right one re-runs nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from likeness.errors import ParamsError
from pipelines.check import main, read_all
from tests.nightly.toy_project import environment
from tests.pipelines.real_project import real_project

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.fault("A7")


def params(folder: Path, **changes: Any) -> Path:
    """The shipped params.yaml with changes by dotted key (dots as two underscores)."""
    document = yaml.safe_load((ROOT / "params.yaml").read_text())
    for key, value in changes.items():
        *above, last = key.split("__")
        section = document
        for name in above:
            section = section[name]
        section[last] = value
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def refusal(folder: Path, **changes: Any) -> str:
    with pytest.raises(ParamsError) as error:
        main(params(folder, **changes), folder / "out.json")
    assert not (folder / "out.json").exists()
    return str(error.value)


def test_the_shipped_parameters_pass_and_the_output_is_always_the_same(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    main(params(tmp_path), out)
    before = out.read_bytes()
    main(params(tmp_path, train__epochs=3, report__title="another"), out)
    assert out.read_bytes() == before


def test_the_mistakes_of_all_sections_and_both_files_are_listed(tmp_path: Path) -> None:
    (tmp_path / "operations.yaml").write_text("gate:\n  seed: x\nnightly:\n  cron: every full moon\n")
    text = refusal(tmp_path, train__epochs="ten", evaluate__bins=0, data__sizes=[8, 8], report__rows=True)
    assert "params.yaml: 4 mistakes, nothing was started" in text
    assert "train.epochs: expected a whole number" in text
    assert "found 'ten'" in text
    assert "evaluate.bins: expected a whole number >= 1 and <= 100, found 0" in text
    assert "data.sizes: unknown key, did you mean size?" in text
    assert "report.rows: expected a whole number" in text
    assert "operations.yaml: 2 mistakes" in text
    assert "gate.seed: expected a whole number, found 'x'" in text
    assert "nightly: cron" in text


def test_an_unknown_section_is_refused(tmp_path: Path) -> None:
    assert "unknown section trian; known are recipe, data" in refusal(tmp_path, trian={"epochs": 1})


def test_sections_of_operation_that_are_still_in_params_yaml_are_read(tmp_path: Path) -> None:
    assert read_all(params(tmp_path, gate={"seed": 5}))["gate"].seed == 5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train__sampler": "identities"}, "train.sampler.name: identities needs the identity of every"),
        ({"train__loss": {"name": "triplet"}}, "the loss triplet needs to know who is on an image"),
        (
            {"train__loss": {"name": "triplet"}, "split__protocol": "unrestricted"},
            "choose train.sampler.name: identities",
        ),
        (
            {"train__loss": {"name": "contrastive"}, "model__comparator": "weighted-l1"},
            "no loss would train the comparator weighted-l1",
        ),
        ({"train__fit": {"kind": "lda"}}, "train.fit.kind: lda needs the identity"),
        ({"train__epochs": 0, "train__warmup": 0, "model__comparator": "mahalanobis"}, "train.epochs is 0"),
        ({"train__freeze": 99}, "train.freeze: 99 layers are to be trained, but the backbone has"),
        ({"data__size": [16, 16]}, "needs pictures of at least 32×32 pixels"),
        ({"model__window": [0, 0, 200, 10]}, "does not lie inside the stored pictures of 80×64"),
        ({"model__init_from": "absent.safetensors"}, "absent.safetensors"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_sections_that_contradict_each_other(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    text = refusal(tmp_path, **changes)
    assert "its sections do not go together, nothing was started" in text
    assert words in text


def repro(project: Path, *stages: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", "repro", *stages]
    env = environment(PYTHONPATH=str(project / "src"))
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)


def edit(project: Path, name: str, section: str, **values: Any) -> None:
    document = yaml.safe_load((project / name).read_text())
    document.setdefault(section, {}).update(values)
    (project / name).write_text(yaml.safe_dump(document, sort_keys=False))


def test_the_stage_stops_a_run_before_it_begins_and_re_runs_nothing(tmp_path: Path) -> None:
    project = real_project(tmp_path / "project")
    edit(project, "params.yaml", "synthetic", people=40)
    edit(project, "params.yaml", "evaluate", bins="many")
    failed = repro(project)
    assert failed.returncode != 0
    assert "evaluate.bins: expected a whole number >= 1 and <= 100, found 'many'" in failed.stderr
    assert failed.stdout.count("Running stage") == 1
    assert not (project / "data" / "source.json").exists()

    edit(project, "params.yaml", "evaluate", bins=10)
    first = repro(project, "ingest")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Running stage 'ingest'" in first.stdout
    edit(project, "params.yaml", "train", epochs=1)
    edit(project, "operations.yaml", "gate", seed=1)
    second = repro(project, "ingest")
    assert "Running stage 'check'" in second.stdout
    assert "Stage 'ingest' didn't change" in second.stdout
