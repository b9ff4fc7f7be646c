from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import ModelError
from likeness.files import read_json, write_json
from likeness.serving.model import open_model
from likeness.tracking import registry


@pytest.fixture
def copy(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def faces(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 72, 72), dtype=np.uint8)


def test_onnx_and_torch_give_the_same_embeddings(model_folder: Path) -> None:
    onnx, torch = open_model(model_folder, "onnx"), open_model(model_folder, "torch")
    assert (onnx.runtime, torch.runtime) == ("onnx", "torch")
    assert np.abs(onnx.embed(faces(100)) - torch.embed(faces(100))).max() < 1e-4
    assert onnx.embed(faces(0)).shape == (0, 32)


def test_the_folder_may_be_named_by_any_of_its_files(model_folder: Path) -> None:
    for name in ("weights.safetensors", "card.json", "tower.onnx"):
        assert open_model(model_folder / name).folder == model_folder


def test_an_exported_tower_is_preferred_and_enough_where_the_comparator_has_no_weights(copy: Path) -> None:
    (copy / "weights.safetensors").unlink()
    assert open_model(copy).runtime == "onnx"


def test_a_tower_of_other_weights_is_not_used(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    card = read_json(copy / "card.json")
    write_json(copy / "card.json", {**card, "weights_sha256": "0" * 64})
    with pytest.raises(ModelError, match="no tower exported from these weights"):
        open_model(copy, "onnx")
    with pytest.raises(ModelError, match="is not the file that its card describes"):
        open_model(copy)
    assert "exported from other weights" in caplog.text


def test_weights_with_a_wrong_digest_are_refused_for_the_comparator_too(
    other_model_folder: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(other_model_folder, tmp_path / "model"))
    weights = bytearray((copy / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "weights.safetensors").write_bytes(weights)
    with pytest.raises(ModelError, match="is not the file of the card"):
        open_model(copy)


@pytest.mark.parametrize("content", [b"", b"not onnx", b"\x08\x07"])
def test_a_damaged_tower_is_refused(copy: Path, content: bytes) -> None:
    (copy / "tower.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"tower\.onnx"):
        open_model(copy)


def test_no_model_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model here; expected a folder"):
        open_model(tmp_path)
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises(ModelError, match="expected a model card"):
        open_model(tmp_path)


def test_a_registered_model_is_fetched_by_the_registry(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry itself, which takes seconds to open, is tested in its own room."""
    asked: list[str] = []
    monkeypatch.setattr(registry, "resolve", lambda uri: asked.append(uri) or model_folder)
    assert open_model("models:/likeness@champion").folder == model_folder
    assert asked == ["models:/likeness@champion"]


def test_the_packaged_model_is_used_where_none_is_named_and_the_project_has_none(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    packaged = open_model()
    assert (packaged.name, packaged.card.precision, packaged.runtime) == ("packaged", "half", "onnx")
    assert open_model("").name == "packaged"  # an empty LIKENESS_MODEL names none
    shutil.copytree(model_folder, tmp_path / "models" / "model")
    assert open_model().name == "models/model"
    assert open_model("packaged").folder == packaged.folder
    assert open_model(model_folder).folder == model_folder
