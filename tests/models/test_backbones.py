from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from likeness.errors import ModelError
from likeness.models.backbones.light_cnn import MaxFeatureMap
from likeness.models.backbones.sizing import halved, scaled
from likeness.models.network import build_siamese
from tests.models.parts import planned, varied


def count_parameters(module: nn.Module) -> int:
    """Weights, biases and batch-norm running statistics."""
    return sum(value.numel() for value in module.state_dict().values() if value.is_floating_point())


SMALL = {
    "koch": planned(backbone="koch", embedding_dim=12, width=0.125),
    "light-cnn": planned(backbone="light-cnn", embedding_dim=12, width=0.25),
    "mobilenet-v2": planned(backbone="mobilenet-v2", embedding_dim=12, width=0.25),
    "residual": planned(backbone="residual", embedding_dim=12, width=0.25),
    "mobilenet-v2, dense head": planned(backbone="mobilenet-v2", embedding_dim=12, width=0.25, dense_head=True),
    "residual, dense head": planned(backbone="residual", embedding_dim=12, width=0.25, dense_head=True),
}
MINIMUM = {name: 65 if name == "koch" else 32 for name in SMALL}


@pytest.mark.parametrize(("first_bias", "expected"), [(True, 38_954_049), (False, 38_953_985)])
def test_koch_has_the_published_number_of_parameters(first_bias: bool, expected: int) -> None:
    siamese = build_siamese(planned(first_bias=first_bias), (105, 105), seed=0)
    running = [value for name, value in siamese.named_buffers() if "running" in name]
    assert count_parameters(siamese) == expected
    assert sum(value.numel() for value in running) == 1152


def test_koch_2015_has_no_batch_norm() -> None:
    siamese = build_siamese(varied(SMALL["koch"], batch_norm=False), (105, 105), seed=0)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in siamese.modules())


def test_koch_starts_from_the_stated_distributions() -> None:
    siamese = build_siamese(planned(embedding_dim=512, dense_std=0.2), (105, 105), seed=0)
    weights = dict(siamese.named_parameters())
    drawn = {
        "backbone.features.conv2.weight": (0.0, 0.01),
        "backbone.features.conv2.bias": (0.5, 0.01),
        "backbone.dense.weight": (0.0, 0.2),
        "backbone.dense.bias": (0.5, 0.01),
        "comparator.logit.weight": (0.0, 0.2),
    }
    for name, (mean, std) in drawn.items():
        values = weights[name].detach().double()
        assert values.mean().item() == pytest.approx(mean, abs=4 * std / math.sqrt(values.numel())), name
        assert values.std().item() == pytest.approx(std, rel=4 / math.sqrt(2 * values.numel())), name


@pytest.mark.parametrize("backbone", SMALL)
@pytest.mark.parametrize("size", [(80, 64), (112, 96), (105, 105), (67, 71), "minimum"])
def test_every_backbone_embeds_every_size_that_it_allows(backbone: str, size: tuple[int, int] | str) -> None:
    shape = (MINIMUM[backbone],) * 2 if size == "minimum" else size
    if min(shape) < MINIMUM[backbone]:
        with pytest.raises(ModelError, match="at least"):
            build_siamese(SMALL[backbone], shape, seed=0)
        return
    siamese = build_siamese(SMALL[backbone], shape, seed=0)
    embeddings = siamese.embed(torch.rand(2, 1, *shape))
    assert embeddings.shape == (2, 12)
    embeddings.square().sum().backward()
    assert all(p.grad is not None for p in siamese.backbone.parameters())


@pytest.mark.parametrize("backbone", SMALL)
def test_smaller_pictures_are_refused_by_both_numbers(backbone: str) -> None:
    low = MINIMUM[backbone]
    with pytest.raises(
        ModelError, match=rf"{SMALL[backbone].backbone.name}.*at least {low}×{low}.*found {low - 1}×200"
    ):
        build_siamese(SMALL[backbone], (low - 1, 200), seed=0)


@pytest.mark.parametrize("backbone", ["light-cnn", "mobilenet-v2", "residual"])
def test_width_scales_the_network(backbone: str) -> None:
    counts = [
        count_parameters(build_siamese(varied(SMALL[backbone], width=width), (40, 40), 0))
        for width in (0.25, 0.5, 1.0)
    ]
    assert counts == sorted(counts)
    assert counts[2] > 4 * counts[0]


def test_the_phone_sized_networks_have_at_most_three_million_parameters() -> None:
    for backbone in ("residual", "mobilenet-v2"):
        params = planned(backbone=backbone, comparator="cosine", embedding_dim=256)  # type: ignore[arg-type]
        assert 2_000_000 < count_parameters(build_siamese(params, (80, 64), seed=0)) <= 3_000_000


@pytest.mark.parametrize("batch_norm", [True, False])
def test_the_light_cnn_gives_embeddings_about_zero_if_it_normalises(batch_norm: bool) -> None:
    params = planned(backbone="light-cnn", embedding_dim=32, width=0.25, batch_norm=batch_norm)
    siamese = build_siamese(params, (40, 32), seed=0).train()
    pictures = torch.rand(64, 1, 40, 32, generator=torch.Generator().manual_seed(0))
    embeddings = siamese.backbone(pictures)
    centre = embeddings.mean(dim=0)
    if batch_norm:
        torch.testing.assert_close(centre, torch.zeros(32), atol=1e-5, rtol=0)
    else:  # all embeddings lie on one side of the origin, farther from it than from each other
        assert centre.mean() > 0
        assert centre.norm() > (embeddings - centre).norm(dim=1).max()


def test_a_new_mobilenet_is_as_shallow_as_its_shortcuts_allow() -> None:
    features = build_siamese(SMALL["mobilenet-v2"], (40, 32), seed=0).backbone.features
    blocks = [block for block in features if getattr(block, "use_res_connect", False)]  # type: ignore[union-attr]
    assert len(blocks) >= 10  # of 17; narrow ones have a few more than the published 10
    for block in blocks:
        pictures = torch.randn(2, block.out_channels, 5, 4)
        torch.testing.assert_close(block(pictures), pictures, atol=0, rtol=0)
        (filters,) = [part.weight for part in block.conv.modules() if getattr(part, "groups", 1) > 1]
        assert float(filters.detach().std()) == pytest.approx((2 / 9) ** 0.5, rel=0.25)  # He et al. 2015


def test_a_dense_head_weighs_every_place() -> None:
    pooled, dense = (
        count_parameters(build_siamese(varied(SMALL["residual"], dense_head=head), (80, 64), 0))
        for head in (False, True)
    )
    # 48 channels on 5×4 places: the depthwise weights and one batch norm give way to 20 maps instead of one.
    assert dense - pooled == 48 * 12 * (20 - 1) - 48 * 20


def test_depth_multiplies_the_residual_blocks() -> None:
    shallow, deep = (
        build_siamese(varied(SMALL["residual"], depth=depth), (40, 40), 0).backbone for depth in (1, 2)
    )
    assert len(deep.stages) == 2 * len(shallow.stages)  # type: ignore[arg-type]


def test_max_feature_map_keeps_the_larger_half() -> None:
    given = torch.tensor([[[[1.0]], [[-2.0]], [[0.5]], [[3.0]]]])
    assert MaxFeatureMap()(given).flatten().tolist() == [1.0, 3.0]


def test_channels_are_multiples_of_eight_and_maps_halve_upwards() -> None:
    assert [scaled(64, width) for width in (0.01, 0.3, 1.0, 1.1)] == [8, 16, 64, 72]
    assert halved((5, 80), 2) == (2, 20)
