"""Former names of rates: calls and files that users have still work, and say what to use instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import likeness
from drawnfaces.portrait import draw_photographs
from likeness.deprecated import current_name, current_names
from likeness.errors import ParamsError
from likeness.evaluation.params import EvaluateParams
from likeness.operations import read_operations
from likeness.params import read_params
from likeness.tracking.gate import GateParams

NAMES = {
    "evaluate.far": "evaluate.fmr",
    "evaluate.identification.far": "evaluate.identification.fpir",
    "decision.far_table": "decision.fmr_table",
    "test.tar_at_far_2_5e-2": "test.tmr_at_fmr_2_5e-2",
    "identification.model.open_set_at_far_1e-1": "identification.model.tpir_at_fpir_1e-1",
    "model.operating_points.far_1e-2": "model.operating_points.fmr_1e-2",
    "gate.tar_fall": "gate.tmr_fall",
}
CALLS: dict[str, Callable[[likeness.Verifier, Any, dict[str, float]], Any]] = {
    "verify": lambda verifier, pair, rate: verifier.verify(*pair, **rate).fmr,
    "verify_many": lambda verifier, pair, rate: verifier.verify_many([pair], **rate)[0].fmr,
    "compare": lambda verifier, pair, rate: verifier.compare(*map(verifier.face, pair), **rate).fmr,
    "verify_pairs": lambda verifier, pair, rate: likeness.verify_pairs([pair], verifier=verifier, **rate)[0].fmr,
    "evaluate": lambda verifier, pair, rate: (
        likeness.evaluate([pair], [False], verifier=verifier, **rate).threshold,
    ),
}
RATE: dict[str, Any] = {"far": 0.01}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("photos")
    for person in range(2):
        (content,) = draw_photographs(7, [(person, 1)])
        (folder / f"{person}.jpg").write_bytes(content)
    return folder / "0.jpg", folder / "1.jpg"


@pytest.fixture(scope="module")
def verifier() -> likeness.Verifier:
    return likeness.Verifier.load("packaged")


@pytest.mark.parametrize("name", CALLS)
def test_the_former_keyword_of_a_rate_is_read(
    name: str, verifier: likeness.Verifier, pair: tuple[Path, Path]
) -> None:
    with pytest.warns(DeprecationWarning, match=r"far goes in version 1\.0; use fmr"):
        former = CALLS[name](verifier, pair, RATE)
    assert former == CALLS[name](verifier, pair, {"fmr": 0.01})
    with pytest.raises(TypeError, match="expected fmr alone"):
        CALLS[name](verifier, pair, {"far": 0.01, "fmr": 0.01})


def test_the_former_keyword_of_identify_is_read(
    verifier: likeness.Verifier, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    people = likeness.open_gallery(tmp_path / "people.safetensors", verifier)
    people.enrol({"Ada": [verifier.face(pair[0])], "Ben": [verifier.face(pair[1])]}, force=True)
    with pytest.warns(DeprecationWarning, match="use fpir"):
        (found,) = people.identify([verifier.face(pair[0])], **RATE)
    assert found.limit.fpir == 0.01
    with pytest.warns(DeprecationWarning, match="use fpir"):
        assert found.limit.far == 0.01
    with pytest.warns(DeprecationWarning, match="far_each goes in version"):
        assert found.limit.far_each == found.limit.fmr == pytest.approx(0.005, rel=0.01)


def test_the_former_attribute_of_a_verdict_is_read(verifier: likeness.Verifier, pair: tuple[Path, Path]) -> None:
    results = verifier.verify(*pair, fmr=0.01), likeness.verify_pairs([pair], verifier=verifier, fmr=0.01)[0]
    for result in results:
        with pytest.warns(DeprecationWarning, match="use fmr"):
            assert result.far == 0.01


@pytest.mark.parametrize("former", NAMES)
def test_a_former_key_has_a_name_of_now(former: str) -> None:
    assert current_name(former) == current_name(NAMES[former]) == NAMES[former]


def test_values_keep_all_else() -> None:
    values = {"far": [{"far": 1}, "tar_at_far_1e-1", 2], "far_side": "far", 3: {"afar": None}}
    assert current_names(values) == {
        "fmr": [{"fmr": 1}, "tmr_at_fmr_1e-1", 2],
        "far_side": "far",
        3: {"afar": None},
    }


def test_former_keys_of_params_yaml_are_read(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("evaluate: {far: [0.02], identification: {far: [0.05]}}\n")
    read = read_params(path, EvaluateParams)
    assert (read.fmr, read.identification.fpir) == ((0.02,), (0.05,))
    path.write_text("evaluate: {far: [0.02], fmr: [0.02]}\n")
    with pytest.raises(ParamsError, match=r"evaluate\.far: unknown key"):
        read_params(path, EvaluateParams)


def test_the_former_key_of_the_gate_is_read(tmp_path: Path) -> None:
    (tmp_path / "operations.yaml").write_text("gate: {tar_fall: 0.5}\n")
    assert read_operations(tmp_path / "params.yaml", GateParams).tmr_fall == 0.5
