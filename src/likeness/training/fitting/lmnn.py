"""Large margin nearest neighbours: a pseudo-metric M = LᵀL, by gradient descent on L.

Weinberger and Saul 2009, "Distance metric learning for large margin nearest neighbor classification", eq. 11-13:

    (1 − μ)·Σ ‖L(xᵢ − xⱼ)‖²  +  μ·Σ max(0, m + ‖L(xᵢ − xⱼ)‖² − ‖L(xᵢ − xₗ)‖²)

over photographs i, their target neighbours j (the nearest of the same person, before learning) and impostors l
(of other people). The paper takes its steps on M and projects it back onto the semidefinite matrices after
each; L needs no projection, as LᵀL is one of them whatever L is. Both sums are divided by the number of
targets, so that the learning rate does not depend on the number of photographs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from likeness.errors import DataError
from likeness.training.fitting.params import FitParams

_STEPS = 10  # on the impostors of one search
_IMPOSTORS = 10  # nearest ones of each photograph; farther ones rarely lie within the margin
_BLOCK = 1024  # photographs compared with all others at a time


def lmnn(
    points: npt.NDArray[np.floating],
    labels: npt.NDArray[np.int64],
    params: FitParams,
    between: Callable[[int], None] = lambda round: None,
) -> npt.NDArray[np.float64]:
    """Learns L, starting from the identity, that is from the Euclidean distance.

    Args:
        points: [N, D].
        labels: int64 [N], the person of each.
        params: of the kind lmnn.
        between: called before each round with its number, counted from 0; may raise.

    Returns:
        L, float64 [D, D].

    Raises:
        DataError: nobody has two photographs, or there is only one person.
    """
    if len(np.unique(labels)) in (len(labels), 1):
        raise DataError("lmnn needs two people, one of them with two photographs")
    x, people = torch.from_numpy(np.asarray(points, dtype=np.float64)), torch.from_numpy(labels)
    targets = target_neighbours(x, people, params.get("neighbours"))
    factor = torch.eye(x.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([factor], lr=params.get("learning_rate"))
    for number in range(params.get("rounds")):
        between(number)
        with torch.no_grad():
            triplets = impostor_triplets(x @ factor.T, people, targets)
        for _ in range(_STEPS):
            optimiser.zero_grad()
            loss = lmnn_loss(x @ factor.T, targets, triplets, params.get("push"), params.get("margin"))
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return factor.detach().numpy()


def lmnn_loss(y: Tensor, targets: Tensor, triplets: Tensor, push: float, margin: float) -> Tensor:
    """The objective of mapped points.

    Args:
        y: L·x, [N, D].
        targets: int64 [T, 2], photograph and target neighbour.
        triplets: int64 [R, 2], row of `targets` and impostor.
        push: μ.
        margin: m.
    """
    pulled = (y[targets[:, 0]] - y[targets[:, 1]]).square().sum(dim=1)
    which, impostor = triplets.unbind(dim=1)
    # A photograph meets the same impostor beside each of its targets: their distance is taken once.
    met, place = torch.unique(targets[which, 0] * len(y) + impostor, return_inverse=True)
    away = (y[met // len(y)] - y[met % len(y)]).square().sum(dim=1)
    pushed = (margin + pulled[which] - away[place]).clamp(min=0)
    return ((1 - push) * pulled.sum() + push * pushed.sum()) / len(targets)


def target_neighbours(x: Tensor, people: Tensor, count: int) -> Tensor:
    """Each photograph with its nearest `count` of the same person, or as many as there are: int64 [T, 2]."""
    found = []
    for person in torch.unique(people):
        (own,) = torch.nonzero(people == person, as_tuple=True)
        near = torch.cdist(x[own], x[own]).fill_diagonal_(torch.inf)
        order = near.argsort(dim=1, stable=True)[:, : min(count, len(own) - 1)]
        found.append(torch.stack([own.unsqueeze(1).expand_as(order), own[order]], dim=2).reshape(-1, 2))
    return torch.cat(found)


def impostor_triplets(y: Tensor, people: Tensor, targets: Tensor) -> Tensor:
    """Every target with the nearest photographs of other people: int64 [R, 2]; see `lmnn_loss`."""
    anchors, owner = torch.unique(targets[:, 0], return_inverse=True)
    most = int(torch.unique(people, return_counts=True)[1].max())
    count = min(_IMPOSTORS, len(people) - most)
    nearest = []
    for block in anchors.split(_BLOCK):
        distance = torch.cdist(y[block].float(), y.float())
        distance[people[block].unsqueeze(1) == people] = torch.inf
        nearest.append(distance.topk(count, largest=False).indices)
    impostors = torch.cat(nearest)[owner]
    rows = torch.arange(len(targets)).unsqueeze(1).expand_as(impostors)
    return torch.stack([rows, impostors], dim=2).reshape(-1, 2)
