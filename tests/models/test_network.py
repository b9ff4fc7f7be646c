from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from likeness.errors import ModelError, ParamsError
from likeness.models.architecture import ModelParams
from likeness.models.network import build_siamese, ensemble_of, with_projection
from likeness.models.siamese import Siamese
from likeness.models.weights import save_weights
from likeness.params import from_mapping
from tests.models.parts import planned, varied
from tests.models.samples import SIZE, TINY


def _images(count: int = 4, seed: int = 0) -> Tensor:
    return torch.rand(count, 1, *SIZE, generator=torch.Generator().manual_seed(seed))


def _built(params: ModelParams = TINY, seed: int = 0) -> Siamese:
    return build_siamese(params, SIZE, seed).eval()


def test_an_unknown_backbone_is_refused_with_those_known() -> None:
    with pytest.raises(
        ParamsError, match=r"backbone.name: unknown backbone 'resnet'; known are .*koch, .*residual"
    ):
        from_mapping(ModelParams, {"backbone": "resnet"}, "params.yaml")


def test_a_name_alone_stands_for_the_part_with_its_defaults() -> None:
    read = from_mapping(ModelParams, {"backbone": "residual", "comparator": "cosine"}, "params.yaml")
    assert read == planned("residual", "cosine")


def test_the_seed_alone_decides_the_weights_and_the_global_state_is_left_alone() -> None:
    torch.manual_seed(11)
    state = torch.get_rng_state()
    first = _built(seed=5).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(12)
    second, other = _built(seed=5).state_dict(), _built(seed=6).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["backbone.stem.0.weight"], other["backbone.stem.0.weight"])


@pytest.mark.parametrize("comparator", ["weighted-l1", "euclidean", "cosine", "mahalanobis"])
def test_scores_are_symmetric(comparator: str) -> None:
    siamese = _built(varied(TINY, comparator=comparator))
    first, second = siamese.embed(_images(4, 1)), siamese.embed(_images(4, 2))
    assert torch.equal(siamese.score(first, second), siamese.score(second, first))


@pytest.mark.parametrize(
    ("comparator", "normalise", "unit"),
    [("cosine", False, True), ("euclidean", True, True), ("euclidean", False, False), ("weighted-l1", True, True)],
)
def test_embeddings_lie_on_the_unit_sphere_where_stated(comparator: str, normalise: bool, unit: bool) -> None:
    siamese = _built(varied(TINY, comparator=comparator, normalise=normalise))
    norms = siamese.embed(_images()).norm(dim=1)
    assert siamese.unit is unit
    assert torch.allclose(norms, torch.ones(4)) is unit


def test_one_embedding_serves_every_pair_of_a_photograph() -> None:
    siamese = _built()
    embeddings = siamese.embed(_images())
    alone = torch.cat([siamese.embed(image[None]) for image in _images()])
    torch.testing.assert_close(embeddings, alone, rtol=1e-5, atol=1e-6)


def test_a_window_shows_the_tower_its_part_only() -> None:
    part = varied(TINY, window=(5, 0, 32, 32))
    siamese = _built(part)
    images = _images()
    changed = images.clone()
    changed[:, :, :5] = changed[:, :, 37:] = 0
    assert torch.equal(siamese.embed(images), siamese.embed(changed))
    changed[:, :, 36] += 0.5
    assert not torch.equal(siamese.embed(images), siamese.embed(changed))
    cut = build_siamese(TINY, (32, 32), 0).eval()
    assert torch.equal(siamese.embed(images), cut.embed(images[:, :, 5:37]))


def test_a_window_outside_the_picture_is_refused() -> None:
    with pytest.raises(ModelError, match=r"window \[9, 0, 32, 32\].*40×32"):
        _built(varied(TINY, window=(9, 0, 32, 32)))


def test_a_frozen_backbone_neither_learns_nor_watches() -> None:
    siamese = build_siamese(varied(TINY, frozen=True, comparator="mahalanobis"), SIZE, 0).train()
    before = {name: value.clone() for name, value in siamese.backbone.state_dict().items()}
    optimizer = torch.optim.SGD((p for p in siamese.parameters() if p.requires_grad), lr=0.1)
    embeddings = siamese.embed(_images())
    siamese.score(embeddings, embeddings.flip(0)).sum().backward()
    optimizer.step()
    assert all(torch.equal(value, before[name]) for name, value in siamese.backbone.state_dict().items())
    assert not torch.equal(siamese.comparator.factor.weight, torch.eye(16))  # type: ignore[union-attr,arg-type]


def test_init_from_takes_the_backbone_of_a_saved_network(tmp_path: Path) -> None:
    source = _built(seed=1)
    save_weights(tmp_path / "a.safetensors", source)
    other_head = varied(TINY, comparator="weighted-l1", init_from=str(tmp_path / "a.safetensors"))
    started = _built(other_head, seed=2)
    assert torch.equal(started.backbone(_images()), source.backbone(_images()))


def test_init_from_another_network_is_refused_by_name(tmp_path: Path) -> None:
    save_weights(tmp_path / "a.safetensors", _built(varied(TINY, embedding_dim=8)))
    with pytest.raises(ModelError, match=r"another network(.|\n)*head.linear.weight: expected \[16, 48\], found"):
        _built(varied(TINY, init_from=str(tmp_path / "a.safetensors")))


def test_init_from_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such weights file"):
        _built(varied(TINY, init_from=str(tmp_path / "absent.safetensors")))
    (tmp_path / "pickle.pt").write_bytes(b"\x80\x04 not safetensors")
    with pytest.raises(ModelError, match="is no safetensors file"):
        _built(varied(TINY, init_from=str(tmp_path / "pickle.pt")))


def test_an_ensembles_cosine_is_the_weighted_mean_of_its_members() -> None:
    plans = [TINY, varied(TINY, embedding_dim=24, window=(0, 0, 40, 32))]
    members = [(params, _built(params, seed)) for seed, params in enumerate(plans)]
    params, joined = ensemble_of(members, shares=(3.0, 1.0))
    first, second = _images(4, 1), _images(4, 2)
    scores = [member.score(member.embed(first), member.embed(second)) for _, member in members]
    left, right = joined.eval().embed(first), joined.embed(second)
    torch.testing.assert_close((left * right).sum(dim=1), 0.75 * scores[0] + 0.25 * scores[1])
    torch.testing.assert_close(joined.score(left, right), 0.75 * scores[0] + 0.25 * scores[1])
    assert (params.embedding_dim, joined.embedding_dim, left.shape) == (40, 40, (4, 40))
    assert joined.unit


def test_an_ensembles_members_start_from_their_own_files(tmp_path: Path) -> None:
    sources = [_built(seed=seed) for seed in (1, 2)]
    plans = []
    for number, source in enumerate(sources):
        save_weights(tmp_path / f"{number}.safetensors", source)
        plans.append(varied(TINY, init_from=str(tmp_path / f"{number}.safetensors")))
    params = planned(backbone="ensemble", comparator="cosine", embedding_dim=32, members=tuple(plans))
    expected = torch.cat([source.embed(_images()) for source in sources], dim=1) / 2**0.5
    torch.testing.assert_close(_built(params, seed=9).embed(_images()), expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"members": ()}, "an ensemble needs `members`"),
        ({"embedding_dim": 31}, "members' together, 32, found 31"),
        ({"shares": (1.0,)}, "a share for each of 2"),
        ({"members": (TINY, varied(TINY, comparator="euclidean"))}, "compared by cosine"),
    ],
)
def test_contradicting_parameters_are_refused(changes: dict[str, object], message: str) -> None:
    sound = {"embedding_dim": 32, "members": (TINY, TINY)}
    with pytest.raises(ValueError, match=message):
        planned("ensemble", "cosine", **sound | changes)


def test_a_projection_maps_the_embedding() -> None:
    siamese = _built(varied(TINY, normalise=True))
    params = varied(TINY, normalise=True)
    weight, bias = torch.randn(5, 16), torch.randn(5)
    projected_params, projected = with_projection(params, siamese, weight, bias)
    expected = torch.nn.functional.normalize(siamese.embed(_images()) @ weight.T + bias, dim=1)
    torch.testing.assert_close(projected.embed(_images()), expected)
    assert (projected_params.projection_dim, projected_params.output_dim, projected.embedding_dim) == (5, 5, 5)
    assert projected.unit


def test_a_projected_euclidean_distance_is_the_mahalanobis_distance() -> None:
    params = varied(TINY, comparator="euclidean", normalise=True)
    siamese, factor = _built(params), torch.randn(16, 16)
    _, projected = with_projection(params, siamese, factor)
    first, second = siamese.embed(_images(4, 1)), siamese.embed(_images(4, 2))
    difference = (first - second).double()
    expected = -((difference @ factor.T.double() @ factor.double()) * difference).sum(1).sqrt()
    scores = projected.score(projected.embed(_images(4, 1)), projected.embed(_images(4, 2)))
    torch.testing.assert_close(scores.double(), expected, rtol=1e-5, atol=1e-5)
    assert not projected.unit


def test_a_projection_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ModelError, match=r"\[any, 16\] numbers, found \[5, 9\]"):
        with_projection(TINY, _built(), torch.randn(5, 9))
    weighted = varied(TINY, comparator="weighted-l1")
    with pytest.raises(ModelError, match="cosine or euclidean"):
        with_projection(weighted, _built(weighted), torch.randn(5, 16))
