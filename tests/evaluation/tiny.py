"""A small world of people to recognise: each has a texture of their own, seen under noise, shift and light."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from likeness.artifacts.source_card import SourceCard
from likeness.artifacts.split import SplitCard
from likeness.artifacts.training_summary import TrainingFacts
from likeness.data.faceset import FaceSet
from likeness.data.splits import Identities, Pairs, Split
from likeness.models.architecture import ModelParams
from likeness.models.card import Card
from likeness.models.decision import fit_decision
from likeness.models.embedding import embed_pixels, score_pairs
from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess
from likeness.models.weights import LoadedModel
from tests.data.tiny import tiny_manifest
from tests.models.parts import planned

SIZE = (40, 32)
PREPROCESS = Preprocess(SIZE, (120, 100), "image")
PARAMS = planned("residual", "cosine", embedding_dim=16, width=0.125)


def faces(folder: Path, people: int = 36, size: tuple[int, int] = SIZE, seed: int = 0) -> FaceSet:
    """A store of `people` people; every third has one photograph, the others four."""
    counts = {f"Person_{number:02d}": 1 if number % 3 == 2 else 4 for number in range(people)}
    manifest = tiny_manifest(counts)
    rng = np.random.default_rng(seed)
    textures = {name: rng.integers(0, 256, (12, 10)).repeat(5, 0).repeat(5, 1) for name in counts}
    pixels = np.stack([_photograph(textures[name], size, rng) for name in manifest["person"]])
    values = pixels / 255
    manifest["brightness"] = values.mean(axis=(1, 2)).astype("float32")
    manifest["contrast"] = values.std(axis=(1, 2)).astype("float32")
    manifest["sharpness"] = rng.uniform(10, 900, len(manifest)).astype("float32")
    source = SourceCard("folder", synthetic=True, alignment="synthetic", place="tiny", crop=(120, 100))
    return FaceSet.create(folder, pixels, manifest, source)


def _photograph(
    texture: npt.NDArray[np.int64], size: tuple[int, int], rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    top, left = rng.integers(0, 3, 2)
    seen = texture[top : top + size[0], left : left + size[1]]
    light = rng.uniform(0.5, 0.9)
    return np.clip(seen * light + 20 + rng.normal(0, 12, size), 0, 255).astype(np.uint8)


def split(store: FaceSet, unrestricted: bool) -> Split:
    """Thirds of the people as train, holdout and test; every pair of one person, as many random different ones."""
    person = store.manifest["person"].str[-2:].astype(int).to_numpy()
    people = int(person.max()) + 1
    part = person * 3 // people
    sides = [_pairs(person, np.flatnonzero(part == side), seed=side) for side in range(3)]
    known = np.flatnonzero(part == 0)
    identities = Identities(known, person[known]) if unrestricted else None
    return Split(*sides, identities, None, SplitCard(protocol="unrestricted" if unrestricted else "restricted"))


def _pairs(person: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], seed: int) -> Pairs:
    first, second = np.triu_indices(len(rows), k=1)
    same = person[rows[first]] == person[rows[second]]
    different = np.random.default_rng(seed).choice(np.flatnonzero(~same), int(same.sum()), replace=False)
    chosen = np.concatenate([np.flatnonzero(same), different])
    return Pairs(rows[first[chosen]], rows[second[chosen]], same[chosen])


def model(store: FaceSet, divided: Split, params: ModelParams = PARAMS, seed: int = 3) -> LoadedModel:
    """A network of random weights, with a decision fitted on the holdout."""
    siamese = build_siamese(params, SIZE, seed).eval()
    rows, holdout = divided.holdout.rows, divided.holdout
    vectors = embed_pixels(siamese, PREPROCESS, store.pixels, rows, mirror=True)
    first, second = (vectors[np.searchsorted(rows, side)] for side in (holdout.a, holdout.b))
    decision = fit_decision(score_pairs(siamese, first, second), holdout.same)
    card = Card(
        model=params,
        preprocess=PREPROCESS,
        mirror=True,
        decision=decision,
        protocol="restricted" if divided.identities is None else "unrestricted",
        outside_data="none",
        source="folder",
        synthetic=True,
        alignment="synthetic",
        fingerprint=store.source.fingerprint,
        recipe="tiny",
        seed=seed + 1,
        trained=TrainingFacts(),
        versions={},
    )
    return LoadedModel(siamese, card)
