"""A model in half precision: a rounded tower, no weights file, the same scores but for rounding."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from likeness.errors import ModelError
from likeness.faces import framed
from likeness.images import read_image
from likeness.models.card import COMPARATOR, TOWER, WEIGHTS, check_folder, read_card
from likeness.models.embedding import score_pairs
from likeness.models.export import export_onnx
from likeness.models.half_precision import write_half
from likeness.models.network import build_siamese, with_cohort
from likeness.models.preprocess import Preprocess
from likeness.models.weights import load_model, save_model
from likeness.serving.model import PACKAGED, model_folder, open_model
from tests.models.samples import SIZE, TINY, card

ROOT = Path(__file__).parents[2]
ORIGINAL = ROOT / "pretrained" / "arcface-lfw-colour"
BEST = ROOT / "pretrained" / "best-lfw-colour"


@pytest.fixture
def half(tmp_path: Path) -> Path:
    write_half(ORIGINAL, tmp_path / "half")
    return tmp_path / "half"


def test_it_takes_half_the_space_and_gives_the_same_scores_but_for_rounding(half: Path) -> None:
    assert (half / TOWER).stat().st_size < 0.55 * (ORIGINAL / TOWER).stat().st_size
    assert not (half / WEIGHTS).exists()
    single, rounded = open_model(ORIGINAL), open_model(half)
    faces = np.random.default_rng(0).integers(0, 256, (40, *single.card.preprocess.size), dtype=np.uint8)
    first, second = single.embed(faces), rounded.embed(faces)
    scores = [single.comparator.pairs(each[:20], each[20:]) for each in (first, second)]
    assert np.abs(scores[0] - scores[1]).max() < 2e-3
    assert rounded.card.weights_sha256 == single.card.weights_sha256  # galleries of one serve the other


def test_its_files_are_checked_against_its_card(half: Path) -> None:
    assert check_folder(half) == {TOWER: None}
    (half / TOWER).write_bytes((half / TOWER).read_bytes() + b"\0")
    assert check_folder(half)[TOWER] is not None
    with pytest.raises(ModelError, match="is not the file of the card"):
        open_model(half)


def test_torch_and_explanations_name_what_they_need(half: Path) -> None:
    with pytest.raises(ModelError, match=r"half precision.*need the model that it was made from"):
        load_model(half)


def test_the_packaged_model_is_the_pretrained_one_in_half_precision() -> None:
    packaged = model_folder(PACKAGED)
    assert check_folder(packaged) == {TOWER: None}
    assert read_card(packaged / "card.json").weights_sha256 == read_card(ORIGINAL / "card.json").weights_sha256
    single, half = (_tensors(folder / TOWER) for folder in (ORIGINAL, packaged))
    assert single.keys() == {name.removesuffix("_half") for name in half}
    for name, values in half.items():
        np.testing.assert_array_equal(values, single[name.removesuffix("_half")].astype(values.dtype))


def _tensors(path: Path) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


def test_the_maps_over_places_of_fisher_vectors_keep_their_precision() -> None:
    """Rounded, they moved scores of `best` by up to 0.03."""
    kept = _tensors(BEST / TOWER)
    over_places = {name: values for name, values in kept.items() if ".down" in name or ".across" in name}
    assert {values.dtype for values in over_places.values()} == {np.dtype(np.float32)}
    assert len(over_places) >= 10
    assert {values.dtype for values in kept.values() if values.size > 10**5} == {np.dtype(np.float16)}


def test_the_best_model_kept_with_the_project_is_whole_and_small() -> None:
    assert check_folder(BEST) == {TOWER: None}
    assert sum(path.stat().st_size for path in BEST.iterdir()) < 31e6
    model = open_model(BEST)
    faces = np.random.default_rng(0).integers(0, 256, (3, *model.card.preprocess.size), dtype=np.uint8)
    embeddings = model.embed(faces)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    assert model.card.preprocess.colour


def test_a_model_that_was_not_exported_is_refused(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(ORIGINAL, tmp_path / "copy"))
    card = (copy / "card.json").read_text()
    (copy / "card.json").write_text(card.replace('"name": "cosine"', '"name": "weighted-l1"'))
    with pytest.raises(ModelError, match=r"comparator\.safetensors: is missing; run `likeness export"):
        write_half(copy, tmp_path / "half")
    (copy / "card.json").write_text(card.replace('"name": "cosine"', '"name": "one-of-my-own"'))
    with pytest.raises(ModelError, match="torch computes its comparator, one-of-my-own, from the weights file"):
        write_half(copy, tmp_path / "half")
    (copy / "card.json").write_text(card)
    (copy / TOWER).unlink()
    with pytest.raises(ModelError, match=r"tower\.onnx: is missing; run `likeness export"):
        write_half(copy, tmp_path / "half")
    assert not (tmp_path / "half").exists()


def test_a_cohort_travels_with_the_exported_tower_in_either_precision(tmp_path: Path) -> None:
    """Without the weights file, pairs are scored as torch scores them; in half precision but for rounding."""
    random = np.random.default_rng(1)
    cohort = torch.from_numpy(random.normal(size=(300, TINY.embedding_dim)).astype(np.float32))
    params, siamese = with_cohort(TINY, build_siamese(TINY, SIZE, 0), cohort, nearest=20)
    whole, half = tmp_path / "whole", tmp_path / "half"
    export_onnx(whole / TOWER, siamese, save_model(whole, siamese, card(params)))
    write_half(whole, half)
    first, second = random.normal(size=(2, 50, TINY.embedding_dim)).astype(np.float32)
    expected = score_pairs(load_model(whole).siamese, first, second)
    (whole / WEIGHTS).unlink()
    for folder, tolerance in ((whole, 1e-6), (half, 1e-3)):
        assert {name for name, wrong in check_folder(folder).items() if not wrong} == {TOWER, COMPARATOR}
        np.testing.assert_allclose(open_model(folder).comparator.pairs(first, second), expected, atol=tolerance)
    assert (half / COMPARATOR).stat().st_size < 0.6 * (whole / COMPARATOR).stat().st_size
    (half / COMPARATOR).write_bytes((half / COMPARATOR).read_bytes() + b"\0")
    with pytest.raises(ModelError, match=r"comparator\.safetensors: is not the file of the card"):
        open_model(half)


@pytest.mark.slow
@pytest.mark.lfw
@pytest.mark.skipif("LIKENESS_LFW" not in os.environ, reason="LIKENESS_LFW names no folder of LFW")
def test_on_real_faces_it_decides_as_in_single_precision() -> None:
    """1000 pairs of View 1 (pairsDevTest): accuracy and every decision are the same."""
    scores, same = _scored(ORIGINAL, PACKAGED)
    decided = scores >= open_model(ORIGINAL).card.decision.threshold
    assert np.abs(scores[0] - scores[1]).max() < 1e-3
    assert (decided[0] != decided[1]).sum() <= 1
    assert (decided[1] == same).mean() > 0.91


@pytest.mark.nightly
@pytest.mark.lfw
@pytest.mark.skipif("LIKENESS_LFW" not in os.environ, reason="LIKENESS_LFW names no folder of LFW")
def test_the_best_model_reaches_its_stated_accuracy_on_real_faces() -> None:
    (scores,), same = _scored(BEST)
    assert (open_model(BEST).card.decision.predict(scores) == same).mean() > 0.93


def _scored(*models: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """Scores [M, 1000] of View 1's test pairs by M models of one input, and which pairs show one person."""
    folder = Path(os.environ["LIKENESS_LFW"])
    pairs = [_pair(line) for line in (folder / "pairsDevTest.txt").read_text().splitlines()[1:]]
    rows = {name: row for row, name in enumerate(sorted({name for *pair, _ in pairs for name in pair}))}
    first, second = ([rows[pair[side]] for pair in pairs] for side in (0, 1))
    opened = [open_model(model) for model in models]
    windows = _windows(folder / "lfw-deepfunneled.tgz", list(rows), opened[0].card.preprocess)
    vectors = [model.embed(windows) for model in opened]
    scores = [model.comparator.pairs(v[first], v[second]) for model, v in zip(opened, vectors, strict=True)]
    return np.stack(scores), np.array([pair[2] for pair in pairs])


def _pair(line: str) -> tuple[str, str, bool]:
    fields = line.split("\t")
    other = fields[0] if len(fields) == 3 else fields[2]
    return f"{fields[0]}_{int(fields[1]):04d}.jpg", f"{other}_{int(fields[-1]):04d}.jpg", len(fields) == 3


def _windows(archive: Path, names: list[str], preprocess: Preprocess) -> np.ndarray:
    found = {}
    with tarfile.open(archive) as members:
        for member in members:
            name = Path(member.name).name
            if name in names and (content := members.extractfile(member)):
                found[name] = preprocess.window(framed(read_image(content.read(), colour=preprocess.colour)).frame)
    return np.stack([found[name] for name in names])
