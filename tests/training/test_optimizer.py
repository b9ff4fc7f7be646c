from __future__ import annotations

import pytest
import torch
from torch import nn

from likeness.training.optimizer import Penalty, build_optimizer, learning_rate, named_trainable
from likeness.training.params import L2Params, TrainParams
from tests.training.tiny import network


def test_penalty_and_its_gradient_are_those_of_the_sum_of_squares() -> None:
    siamese = network()
    penalty = Penalty(siamese.backbone, L2Params(conv=2e-4, dense=2e-3))
    convolutions = [m.weight for m in siamese.backbone if isinstance(m, nn.Conv2d)]
    dense = [m.weight for m in siamese.backbone if isinstance(m, nn.Linear)]
    expected = 2e-4 * sum(w.square().sum() for w in convolutions) + 2e-3 * sum(w.square().sum() for w in dense)
    by_autograd = torch.autograd.grad(expected, [*convolutions, *dense])
    for parameter in siamese.parameters():
        parameter.grad = torch.ones_like(parameter)

    penalty.add_gradients()

    assert penalty.value() == pytest.approx(expected.item(), rel=1e-6)
    for weight, gradient in zip([*convolutions, *dense], by_autograd, strict=True):
        assert torch.allclose(weight.grad, 1 + gradient, rtol=1e-6)
    untouched = [p for name, p in siamese.named_parameters() if name.endswith("bias")]
    assert all(torch.equal(p.grad, torch.ones_like(p)) for p in untouched)


def test_penalty_leaves_frozen_layers_out() -> None:
    siamese = network()
    siamese.requires_grad_(False)
    assert Penalty(siamese.backbone, L2Params(conv=1.0, dense=1.0)).value() == 0


def test_learning_rate_warms_up_and_follows_half_a_cosine() -> None:
    params = TrainParams(epochs=10, learning_rate=1.0, warmup=2, lr_schedule="cosine")
    assert [learning_rate(params, p) for p in (0.0, 0.1, 0.2)] == pytest.approx([0, 0.5, 1])
    assert [learning_rate(params, p) for p in (0.6, 1.0)] == pytest.approx([0.5, 0])
    constant = TrainParams(epochs=10, learning_rate=1.0, warmup=2)
    assert [learning_rate(constant, p) for p in (0.1, 0.2, 1.0)] == pytest.approx([0.5, 1, 1])


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_weight_decay_spares_biases_and_norms(name: str) -> None:
    siamese = network()
    parameters = named_trainable(siamese, nn.Identity())
    optimizer = build_optimizer(parameters, TrainParams(optimizer=name, weight_decay=0.1))
    decayed = {id(p) for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]}
    names = {name for name, p in parameters.items() if id(p) in decayed}
    assert names == {f"model.backbone.{layer}.weight" for layer in (0, 4, 9)}
