"""The embeddings of the test pictures in two dimensions: their two leading principal components."""

from __future__ import annotations

import numpy as np
import pandas as pd

from likeness.artifacts.evaluation_tables import EMBEDDINGS
from likeness.artifacts.manifest import image_names
from likeness.evaluation.systems import Rows, System

_MOST = 800  # pictures on the map


def embedding_map(system: System, manifest: pd.DataFrame, rows: Rows, *, directions: bool) -> pd.DataFrame:
    """See `EMBEDDINGS`; the pictures of the people with the most of them, where there are too many.

    Args:
        system: with an embedding of each of these pictures.
        manifest: of the store.
        rows: int64 [n] of the store.
        directions: whether the system compares directions alone, so that lengths are left out here too.
    """
    people = manifest["person"].iloc[rows]
    shown = rows[np.argsort(-people.map(people.value_counts()).to_numpy(), kind="stable")[:_MOST]]
    vectors = system.vectors[np.searchsorted(system.rows, shown)].astype(np.float64)
    if directions:
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    places, shares = _leading(vectors - vectors.mean(axis=0))
    columns = {
        "image": image_names(manifest.iloc[shown]).to_numpy(),
        "x": places[:, 0],
        "y": places[:, 1],
        "x_variance": shares[0],
        "y_variance": shares[1],
    }
    return pd.DataFrame(columns, columns=list(EMBEDDINGS.columns))


def _leading(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first two principal components [n, 2], and the share of the variance along each [2]; needs n > 1."""
    values, vectors = np.linalg.eigh(centred @ centred.T)  # n is bounded, the length of an embedding is not
    values, vectors = values[:-3:-1].clip(min=0), vectors[:, :-3:-1]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), [0, 1]])  # a component has no sign of its own
    total = max(float(np.sum(centred**2)), 1e-30)
    return vectors * signs * np.sqrt(values), values / total
