"""Builds the network that the `model` section of params.yaml describes."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from likeness.errors import ModelError
from likeness.models.architecture import BACKBONES, COMPARATORS, ModelParams
from likeness.models.backbones.backbone import Backbone
from likeness.models.backbones.ensemble import Ensemble
from likeness.models.preprocess import image_shape
from likeness.models.siamese import Siamese
from likeness.models.tensors import load_tensors, read_tensors

_BACKBONE = "backbone."


def build_siamese(params: ModelParams, input_size: tuple[int, ...], seed: int) -> Siamese:
    """Builds the network with its initial weights: random, from `init_from`, or an external file's.

    Args:
        params: what it is made of.
        input_size: shape of a stored picture: height and width in pixels, and 3 where it is RGB.
        seed: of the random weights; the global random state is left as it was.

    Raises:
        ModelError: the pictures are too small for the backbone, or a file does not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        siamese = assemble(params, input_size)
    read_files(siamese, params)
    return siamese


def assemble(params: ModelParams, input_size: tuple[int, ...]) -> Siamese:
    """Builds the network without reading any file, its weights still to be loaded.

    Its convolutions are laid out channels-last, which both CPUs and GPUs compute faster.
    """
    backbone = BACKBONES.part(params.backbone.name)
    channels, *whole = image_shape(input_size)
    tower = backbone.build(params.backbone, _seen(params, (whole[0], whole[1])), params.embedding_dim, channels)
    return _around(tower, params)


def ensemble_of(
    members: Sequence[tuple[ModelParams, Siamese]], shares: Sequence[float] = ()
) -> tuple[ModelParams, Siamese]:
    """Joins trained networks that are fed the same pictures into one; the members are copied.

    Args:
        members: two or more, each compared by cosine.
        shares: weight of each member's cosine; none: equal.

    Raises:
        ModelError: a member is not compared by cosine, or the shares are not one a member.
    """
    planned = tuple(params for params, _ in members)
    try:
        joined = ModelParams(
            backbone=BACKBONES.params("ensemble", members=planned, shares=tuple(shares)),
            comparator=COMPARATORS.params("cosine"),
            embedding_dim=sum(params.output_dim for params in planned),
        )
    except ValueError as error:
        raise ModelError(str(error)) from error
    return joined, _around(Ensemble([copy.deepcopy(siamese) for _, siamese in members], shares), joined)


def compared_by(params: ModelParams, siamese: Siamese, comparator: str) -> tuple[ModelParams, Siamese]:
    """The same backbone, shared and not copied, under a comparator without weights.

    Args:
        params: of a network without projection, which would belong to another comparator.
        siamese: the network.
        comparator: name of the other one.
    """
    planned = dataclasses.replace(params, comparator=COMPARATORS.params(comparator), projection_dim=0)
    return planned, _around(siamese.backbone, planned).train(siamese.training)


def with_projection(
    params: ModelParams, siamese: Siamese, weight: Tensor, bias: Tensor | None = None
) -> tuple[ModelParams, Siamese]:
    """Puts a linear map (LDA, WCCN, the factor L of a metric M = LᵀL) behind a copy of a network's backbone.

    Args:
        params: of a network without projection.
        siamese: the network; its comparator must have no weights, as those belong to the old embedding.
        weight: [D', D], applied as weight · embedding + bias.
        bias: [D']; None for zero.

    Raises:
        ModelError: the network cannot take a projection, or the map does not fit its embedding.
    """
    if params.projection_dim or COMPARATORS.part(params.comparator.name).trained_by:
        raise ModelError(
            "a projection goes behind a network that has none yet and is compared by cosine or euclidean distance"
        )
    if weight.ndim != 2 or weight.shape[1] != params.embedding_dim:
        raise ModelError(f"expected a map of [any, {params.embedding_dim}] numbers, found {list(weight.shape)}")
    projected = dataclasses.replace(params, projection_dim=len(weight))
    result = _around(copy.deepcopy(siamese.backbone), projected)
    assert result.projection is not None
    with torch.no_grad():
        result.projection.weight.copy_(weight)
        result.projection.bias.copy_(torch.zeros(len(weight)) if bias is None else bias)
    return projected, result.train(siamese.training)


def with_cohort(
    params: ModelParams, siamese: Siamese, cohort: Tensor, nearest: int
) -> tuple[ModelParams, Siamese]:
    """The same backbone and projection, shared and not copied, under a cosine scaled by a cohort (`Csls`).

    Args:
        params: of a network that is compared by cosine.
        siamese: the network.
        cohort: its embeddings [N, D] of N different people.
        nearest: of them that count for a face; all where there are fewer.

    Raises:
        ModelError: the network is compared otherwise, or the cohort is empty or of other embeddings.
    """
    if params.comparator.name != "cosine":
        raise ModelError(f"a cohort scales cosines, and the network is compared by {params.comparator.name}")
    if cohort.ndim != 2 or not len(cohort) or cohort.shape[1] != params.output_dim:
        raise ModelError(f"expected a cohort of [N, {params.output_dim}] numbers, found {list(cohort.shape)}")
    scaled = COMPARATORS.params("csls", people=len(cohort), nearest=min(nearest, len(cohort)))
    planned = dataclasses.replace(params, comparator=scaled)
    result = _around(siamese.backbone, planned)
    result.projection = siamese.projection
    result.comparator.get_buffer("cohort").copy_(nn.functional.normalize(cohort, dim=-1))
    return planned, result.train(siamese.training)


def _around(backbone: Backbone, params: ModelParams) -> Siamese:
    projection = nn.Linear(params.embedding_dim, params.projection_dim) if params.projection_dim else None
    siamese = Siamese(
        backbone,
        COMPARATORS.part(params.comparator.name).build(params.comparator, params.output_dim),
        params.output_dim,
        normalise=params.normalise,
        projection=projection,
        unit=params.unit,
        window=params.window,
        frozen=params.frozen,
    )
    siamese.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return siamese


def read_files(siamese: Siamese, params: ModelParams) -> None:
    """Fills in what `init_from` and the backbone's parameters name.

    Raises:
        ModelError: a file is missing or does not fit.
    """
    siamese.backbone.read_files(params.backbone)
    if params.init_from is not None:
        _initialise_from(siamese.backbone, Path(params.init_from))


def _initialise_from(backbone: nn.Module, path: Path) -> None:
    """Loads a backbone from a whole network's weights (the `backbone.` part) or from a bare backbone's."""
    tensors = read_tensors(path)
    part = {name.removeprefix(_BACKBONE): value for name, value in tensors.items() if name.startswith(_BACKBONE)}
    load_tensors(backbone, part or tensors, path)


def _seen(params: ModelParams, input_size: tuple[int, int]) -> tuple[int, int]:
    """Height and width that the backbone sees."""
    if params.window is None:
        return input_size
    top, left, height, width = params.window
    if min(params.window) < 0 or top + height > input_size[0] or left + width > input_size[1]:
        raise ModelError(
            f"model.window {list(params.window)} (top, left, height, width) does not lie inside the stored "
            f"pictures of {input_size[0]}×{input_size[1]} pixels; change it or the stored size"
        )
    return height, width
