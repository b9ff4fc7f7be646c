"""Embedding many stored faces, and scoring pairs of embeddings, with arrays in and arrays out."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from likeness.errors import ModelError
from likeness.models.comparators.comparator import Comparator
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.progress import progress


def embed_pixels(
    siamese: Siamese,
    preprocess: Preprocess,
    pixels: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.int64] | None = None,
    *,
    batch_size: int = 256,
    device: torch.device | str = "cpu",
    mirror: bool = False,
) -> npt.NDArray[np.float32]:
    """Embeds stored faces in evaluation mode; the network keeps the mode that it was in.

    Args:
        siamese: the network; it is moved to `device` and stays there.
        preprocess: of the network.
        pixels: uint8 [N, H, W] or [N, H, W, 3], possibly a memory map.
        rows: which of them, int [M]; None for all.
        batch_size: images at a time.
        device: where to compute.
        mirror: average each embedding with that of the mirrored face.

    Returns:
        float32 [M, D], row i the embedding of `pixels[rows[i]]`.

    Raises:
        ModelError: the stored faces are not of the size that the network was made for.
    """
    if tuple(pixels.shape[1:]) != tuple(preprocess.size):
        expected, found = ("×".join(map(str, size)) for size in (preprocess.size, pixels.shape[1:]))
        raise ModelError(
            f"the network was made for faces of {expected} pixels, found {found}; ingest them at that size"
        )
    wanted = np.arange(len(pixels)) if rows is None else np.asarray(rows, dtype=np.int64)
    embeddings = np.empty((len(wanted), siamese.embedding_dim), dtype=np.float32)
    siamese.to(device)
    with evaluating(siamese), torch.inference_mode():
        for start in progress(range(0, len(wanted), batch_size), "embedding", unit="batch"):
            batch = torch.from_numpy(np.ascontiguousarray(pixels[wanted[start : start + batch_size]]))
            images = preprocess.tensor(batch.to(device))
            embeddings[start : start + len(batch)] = (
                embed_images(siamese, images, mirror=mirror).float().cpu().numpy()
            )
    return embeddings


def embed_images(siamese: Siamese, images: Tensor, *, mirror: bool = False) -> Tensor:
    """Embeddings [B, D] of preprocessed images [B, C, H, W], averaged with those of the mirrored ones if asked.

    The average is put back on the unit sphere where the network's embeddings lie there.
    """
    if not mirror:
        return siamese.embed(images)
    return mirror_average(siamese, siamese.embed(torch.cat([images, images.flip(-1)])))


def mirror_average(siamese: Siamese, both: Tensor) -> Tensor:
    """Embeddings [B, D] from those of images and of the mirrored ones after them, [2B, D]."""
    # -1, since `len` or `chunk` would fix the batch of an exported graph.
    average = both.reshape(2, -1, both.shape[-1]).mean(dim=0)
    return nn.functional.normalize(average, dim=-1) if siamese.unit else average


def score_pairs(
    siamese: Siamese, first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Scores float64 [P] of pairs of embeddings [P, D], higher = more alike; computed in double precision."""
    return score_prepared(siamese, prepare(siamese, first), prepare(siamese, second))


def prepare(siamese: Siamese, embeddings: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """What the comparator computes once for each of the embeddings [M, D]: [M, D'], in double precision.

    The embeddings themselves, not copied, where it computes nothing from one alone.
    """
    if type(siamese.comparator).prepared is Comparator.prepared:
        return embeddings
    with torch.inference_mode():
        return _comparator(siamese).prepared(torch.from_numpy(np.asarray(embeddings, np.float64))).numpy()


def score_prepared(
    siamese: Siamese, first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Scores float64 [P] of pairs of embeddings from `prepare`, [P, D'] and [P, D']."""
    pairs = (torch.from_numpy(np.asarray(side, dtype=np.float64)) for side in (first, second))
    with torch.inference_mode():
        return _comparator(siamese).compare(*pairs).numpy()


def _comparator(siamese: Siamese) -> Comparator:
    """A copy of the comparator in double precision."""
    return copy.deepcopy(siamese.comparator).cpu().double().eval()


@contextmanager
def evaluating(siamese: Siamese) -> Iterator[None]:
    """Evaluation mode inside the block; after it every layer is in the mode that it was in."""
    before = [(module, module.training) for module in siamese.modules()]
    siamese.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
