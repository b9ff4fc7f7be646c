"""The codebook of Fisher vectors: PCA and a mixture of Gaussians, of the training pictures and without labels."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from likeness.models.backbones.fisher import AXES, LOCAL, Codebook, FisherVectors
from likeness.models.backbones.sift import LENGTH
from likeness.progress import progress

_log = logging.getLogger(__name__)

_FACES, _POINTS = 1500, 120_000
_AT_ONCE = 50
_ROUNDS = 15  # of expectation and maximisation
_FLOOR = 1e-3  # of a variance, in standardised numbers


def learn_codebook(
    tower: FisherVectors,
    images_of: Callable[[npt.NDArray[np.int64]], Tensor],
    rows: npt.NDArray[np.int64],
    seed: int,
) -> Codebook:
    """Learns from local descriptors of training faces, drawn at random.

    Args:
        tower: whose descriptors they are.
        images_of: what the tower is fed, [B, 1, H, W], for rows [B] of the pixel store.
        rows: int64 [N], the training faces.
        seed: of the draw and of the k-means that the mixture starts from.
    """
    from sklearn.exceptions import ConvergenceWarning  # takes a second, and only this kind of tower needs it
    from sklearn.mixture import GaussianMixture

    random = np.random.default_rng(seed)
    faces = np.sort(random.permutation(rows)[:_FACES])
    each = -(-_POINTS // len(faces))
    drawn = []
    with torch.inference_mode():
        for part in progress(np.array_split(faces, -(-len(faces) // _AT_ONCE)), "local descriptors", unit="batch"):
            found = tower.local(images_of(part))
            some = torch.from_numpy(random.permutation(found.shape[1])[:each])
            drawn.append(found[:, some.to(found.device)].flatten(0, 1).cpu().double().numpy())
    points = np.concatenate(drawn)
    centre, axes = _standard_axes(points)
    points = ((points - centre) @ axes).astype(np.float32)
    _log.info("fitting %d Gaussians to %d local descriptors", tower.gaussians, len(points))
    mixture = GaussianMixture(
        tower.gaussians, covariance_type="diag", max_iter=_ROUNDS, reg_covar=_FLOOR, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a codebook need not be the likeliest
        mixture.fit(points)
    values = (centre, axes, mixture.weights_, mixture.means_, mixture.covariances_)
    return Codebook(*(torch.from_numpy(np.asarray(value)).float() for value in values))


def _standard_axes(points: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean [130] and map [130, 66]: the descriptors' principal axes, then the places, each with deviation 1."""
    centre = points.mean(axis=0)
    covariance = np.cov(points, rowvar=False)
    axes = np.zeros((LENGTH + 2, LOCAL))
    axes[:LENGTH, :AXES] = np.linalg.eigh(covariance[:LENGTH, :LENGTH])[1][:, ::-1][:, :AXES]
    axes[LENGTH:, AXES:] = np.eye(2)
    return centre, axes / np.sqrt(np.einsum("ij,ik,kj->j", axes, covariance, axes))
