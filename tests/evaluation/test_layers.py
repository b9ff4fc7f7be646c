import pytest
import torch
from torch import nn

from likeness.evaluation.layers import layer_table
from likeness.models.comparators.cosine import Cosine
from likeness.models.network import build_siamese, with_cohort
from likeness.models.siamese import Siamese
from tests.models.parts import planned


def test_s1_layer_by_layer_by_hand():
    table = layer_table(build_siamese(planned(), (105, 105), 0), (105, 105)).set_index("name")
    assert table["parameters"].sum() == 38_954_049
    conv, dense = table.loc["backbone.features.conv2"], table.loc["backbone.dense"]
    assert conv["output_shape"] == "128×42×42"
    assert conv["parameters"] == 128 * 64 * 49 + 128
    assert conv["mmacs"] == pytest.approx(42 * 42 * 128 * 64 * 49 / 1e6)
    assert dense["mmacs"] == pytest.approx(9216 * 4096 / 1e6)
    assert conv[["kernel", "stride", "padding"]].tolist() == ["7×7", "1", "0"]
    assert dense[["kernel", "stride", "padding"]].tolist() == ["", "", ""]
    assert table.iloc[-1]["output_shape"] == "1"
    assert table.iloc[-1]["mmacs"] == pytest.approx(4096 / 1e6)


@pytest.mark.parametrize("backbone", ["light-cnn", "mobilenet-v2", "residual"])
def test_sums_are_the_networks(backbone):
    siamese = build_siamese(planned(backbone, "mahalanobis", embedding_dim=32, width=0.25), (80, 64), 0)
    table = layer_table(siamese, (80, 64))
    held = sum(value.numel() for value in siamese.state_dict().values() if value.is_floating_point())
    assert table["parameters"].sum() == held
    assert table["name"].is_unique
    assert (table["mmacs"] >= 0).all()


def test_a_cohort_is_held_by_the_comparator_and_met_by_both_faces():
    params = planned("residual", "cosine", embedding_dim=32, width=0.25)
    _, siamese = with_cohort(params, build_siamese(params, (80, 64), 0), torch.randn(50, 32), nearest=20)
    last = layer_table(siamese, (80, 64)).iloc[-1]
    assert (last["kind"], last["parameters"]) == ("Csls", 50 * 32)
    assert last["mmacs"] == pytest.approx(2 * 50 * 32 / 1e6)


class Scaled(nn.Module):
    """Holds a number of its own around a layer that is passed twice."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(1))
        self.inner = nn.Linear(4, 4, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * self.inner(self.inner(x))


def test_shared_and_nested_layers_are_counted_once_in_numbers_and_each_time_in_cost():
    siamese = Siamese(nn.Sequential(nn.Flatten(), Scaled(), nn.Linear(4, 2, bias=False)), Cosine(), 2)
    table = layer_table(siamese, (2, 2)).set_index("name")
    assert table.loc["backbone.1.inner", ["parameters", "mmacs"]].tolist() == [16, 32 / 1e6]
    assert table.loc["backbone.1", ["parameters", "mmacs"]].tolist() == [1, 0]
    assert table.loc["backbone.2", "mmacs"] == 8 / 1e6
