"""Every spelling that docs/api.md calls deprecated has a test which shows that it is still read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from likeness._version import __version__

ROOT = Path(__file__).parents[2]
TESTS = {
    "`--far`": "tests/test_cli.py::test_the_deprecated_name_of_a_rate_is_still_read",
    "`far=`, `.far`, `.far_each`": "tests/test_deprecated.py::test_the_former_keyword_of_a_rate_is_read",
    "`far`, in requests to `likeness serve`": (
        "tests/serving/test_app.py::test_the_former_field_of_a_rate_is_read"
    ),
    "`far`, in `params` of `mlflow models serve`": (
        "tests/serving/test_pyfunc.py::test_the_former_parameter_of_a_rate_is_read"
    ),
    "`far_table`, `far`": (
        "tests/models/test_card.py::test_a_card_with_the_former_names_of_rates_is_read_and_written_in_those_of_now"
    ),
    "`evaluate.far`, `evaluate.identification.far`": (
        "tests/test_deprecated.py::test_former_keys_of_params_yaml_are_read"
    ),
    "`gate.tar_fall`": "tests/test_deprecated.py::test_the_former_key_of_the_gate_is_read",
    "`tar_at_far_…`, `open_set_at_far_…`, `far`, `tar`, `frr`": "tests/artifacts/test_old_files.py::test_metrics",
    "`far`, `tar`": "tests/artifacts/test_old_files.py::test_roc",
    "`true_accepts`, `false-reject` and the like": "tests/artifacts/test_old_files.py::test_decisions",
    "`model.width`, `model.external.onnx`, `dense_std` of `weighted-l1`": (
        "tests/training/test_former_params.py::test_former_sections_are_read_as_those_of_the_recipe"
    ),
    "`train.sampler.kind`; null for a key of another part": (
        "tests/training/test_former_params.py::test_former_sections_are_read_as_those_of_the_recipe"
    ),
    "`data.frame`": "tests/data/test_own_photographs.py::test_former_names_of_the_framing_are_read",
    "sections `nightly`, `gate`, `tracking`": (
        "tests/test_operations.py::test_sections_of_params_yaml_are_still_read_and_come_second"
    ),
    "`format: 1`": "tests/models/test_format_1.py::test_the_kept_model_is_still_read",
    "a gallery without `framing`": (
        "tests/serving/test_gallery_file.py::test_a_gallery_of_before_there_was_a_choice_of_framing_is_loaded"
    ),
    "no `schema_version`, in outputs of the stages, `gate.json`": (
        "tests/artifacts/test_old_files.py::test_metrics"
    ),
    "no `schema_version`, in records of nightly runs": (
        "tests/artifacts/test_nightly_run.py::test_records_of_the_version_before_are_read"
    ),
    "`milliseconds` in `figures.json`": (
        "tests/tracking/test_registry.py::test_a_version_that_an_earlier_release_registered_can_be_judged"
    ),
}
TAGS = (
    *("gate.because", "gate.challenger", "gate.champion", "gate.outcome", "weights.sha256", "predictions.sha256"),
    *("data.fingerprint", "data.short", "data.source", "data.synthetic", "data.alignment"),
    *("git.commit", "git.short", "git.dirty", "git.changed", "dvc.lock.sha256", "dvc.experiment"),
)
"""Tags of MLflow's runs and versions that release 0.1 wrote."""


def rows() -> list[list[str]]:
    text = (ROOT / "docs" / "api.md").read_text().partition("**Deprecated**")[2]
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return cells[1:]


def test_each_deprecated_spelling_has_its_test() -> None:
    named = [row[0] if row[0] in TESTS else f"{row[0]}, in {row[1]}" for row in rows()]
    assert named == list(TESTS)
    for place in TESTS.values():
        path, _, name = place.partition("::")
        functions = [
            node for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)
        ]
        assert name in [function.name for function in functions], place


def test_no_deprecated_spelling_has_outlived_its_version() -> None:
    now = tuple(map(int, re.findall(r"\d+", __version__)[:2]))
    late = [row[0] for row in rows() if tuple(map(int, row[-1].split("."))) <= now]
    assert late == []


@pytest.mark.parametrize("tag", TAGS)
def test_no_tag_of_the_first_release_was_renamed(tag: str) -> None:
    source = "".join(path.read_text() for path in (ROOT / "src" / "likeness").rglob("*.py"))
    assert f'"{tag}"' in source
