from __future__ import annotations

import torch

from likeness.models.layers import count_parameters, layer_table
from likeness.models.network import ModelParams, build_siamese
from tests.models.samples import SIZE, TINY


def test_kochs_table_agrees_with_a_count_by_hand() -> None:
    siamese = build_siamese(ModelParams(), (105, 105), 0)
    table = {layer.name: layer for layer in layer_table(siamese, (105, 105))}
    by_hand = {
        # places × output channels × kernel × input channels
        "backbone.features.conv1": ((64, 96, 96), 96 * 96 * 64 * 10 * 10 * 1),
        "backbone.features.conv2": ((128, 42, 42), 42 * 42 * 128 * 7 * 7 * 64),
        "backbone.features.conv3": ((128, 18, 18), 18 * 18 * 128 * 4 * 4 * 128),
        "backbone.features.conv4": ((256, 6, 6), 6 * 6 * 256 * 4 * 4 * 128),
        "backbone.dense": ((4096,), 9216 * 4096),
        "comparator.logit": ((1,), 4096),
    }
    assert {name: (table[name].output_shape, table[name].macs) for name in by_hand} == by_hand
    assert sum(layer.macs for layer in table.values()) == sum(macs for _, macs in by_hand.values())
    assert table["backbone.features.norm1"].parameters == 4 * 64
    assert table["backbone.flatten"].output_shape == (9216,)
    assert next(iter(table)) == "backbone.features.conv1"
    assert list(table)[-1] == "comparator.logit"


def test_grouped_convolutions_count_the_weights_that_reach_an_output() -> None:
    siamese = build_siamese(ModelParams(backbone="mobilenet-v2", comparator="cosine", embedding_dim=8), SIZE, 0)
    table = layer_table(siamese, SIZE)
    pool = next(layer for layer in table if layer.name == "backbone.head.pool")
    assert (pool.output_shape, pool.macs) == ((1280, 1, 1), 1280 * 3 * 2)


def test_every_parameter_is_in_the_table_once() -> None:
    for params, size in ((TINY, SIZE), (ModelParams(embedding_dim=9, width=0.125), (70, 66))):
        siamese = build_siamese(params, size, 0)
        assert sum(layer.parameters for layer in layer_table(siamese, size)) == count_parameters(siamese)


def test_the_table_leaves_the_network_as_it_was() -> None:
    siamese = build_siamese(TINY, SIZE, 0).train()
    before = {name: value.clone() for name, value in siamese.state_dict().items()}
    layer_table(siamese, SIZE)
    assert siamese.training
    assert not any(module._forward_hooks for module in siamese.modules())
    assert all(torch.equal(value, before[name]) for name, value in siamese.state_dict().items())
