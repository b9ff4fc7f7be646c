"""A batch is distinguished from its data set by more than chance, and each photograph is validated."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likeness.data.faceset import FaceSet
from likeness.data.incoming import Arrival
from likeness.data.ingest import ingest
from likeness.data.source_location import Located
from likeness.data.sources import DataParams
from likeness.validation.batch import judge
from likeness.validation.drift import DriftParams, drift_of, stability_index
from likeness.validation.params import ValidationParams
from tests.data.pictures import lfw_files, write_folder

BOUNDS = ValidationParams(sharpness=(0, 60_000))
DATA = DataParams("folder", None, None, (32, 24))


def manifest(rng: np.random.Generator, images: int, brightness: float = 0.5, width: int = 250) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person": rng.integers(0, max(images // 3, 1), images).astype(str),
            "width": width,
            "height": 250,
            "brightness": rng.normal(brightness, 0.1, images),
            "sharpness": rng.lognormal(6, 0.5, images),
            "other_faces": 0,
            "problem": "",
        }
    )


def test_the_index_of_two_bins_by_hand() -> None:
    reference = np.repeat([1.0, 2.0], [500, 500])
    batch = np.repeat([1.0, 2.0], [800, 200])
    index, _ = stability_index(batch, reference)
    assert index == pytest.approx((0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5), abs=0.01)


def test_chance_alone_rarely_reaches_what_chance_may_reach() -> None:
    """At once in a thousand, more than 6 of 600 have a probability below 1e-4 (Poisson, mean 0.6)."""
    rng = np.random.default_rng(1)
    above = 0
    for _ in range(600):
        index, by_chance = stability_index(rng.normal(size=60), rng.normal(size=2000))
        above += index > by_chance
    assert above <= 6


def test_a_batch_of_the_same_kind_passes_even_if_it_is_small() -> None:
    rng = np.random.default_rng(0)
    reference = manifest(rng, 3000)
    for images in (5, 20, 300):
        assert not any(one.drifted for one in drift_of(manifest(rng, images), reference, DriftParams()))


@pytest.mark.parametrize(("changed", "measure"), [({"brightness": 0.75}, "brightness"), ({"width": 640}, "size")])
def test_a_batch_of_another_kind_is_reported(changed: dict[str, float], measure: str) -> None:
    rng = np.random.default_rng(0)
    found = drift_of(manifest(rng, 60, **changed), manifest(rng, 3000), DriftParams())
    assert [one.measure for one in found if one.drifted] == [measure]


def test_what_is_not_limited_is_only_reported() -> None:
    rng = np.random.default_rng(0)
    batch = manifest(rng, 300)
    batch["person"] = "one"
    by_measure = {one.measure: one for one in drift_of(batch, manifest(rng, 3000), DriftParams())}
    assert by_measure["images_per_person"].batch == 300
    assert not by_measure["images_per_person"].drifted


def test_nothing_to_compare_is_no_drift() -> None:
    assert stability_index([], [1.0, 2.0]) == (0.0, 0.0)


def jpeg(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def face(seed: int) -> bytes:
    """Smooth random shades: no two are alike, and small changes keep the perceptual hash."""
    coarse = np.random.default_rng(seed).integers(40, 216, (6, 6)).astype(np.uint8)
    return jpeg(np.asarray(Image.fromarray(coarse).resize((64, 80), Image.Resampling.BICUBIC)))


def arrivals(folder: Path, files: dict[str, bytes]) -> dict[str, Arrival]:
    found = {}
    for at, (name, content) in enumerate(files.items()):
        staged = folder / str(at)
        staged.parent.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(content)
        found[name] = Arrival(name, name.split("/")[0], staged, hashlib.sha256(content).hexdigest())
    return found


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    root = tmp_path_factory.mktemp("set")
    files = {f"P{seed:02d}/{seed}.jpg": face(seed) for seed in range(10)}
    ingest(Located(write_folder(root / "base", files), "base", "none", {}), DATA, root / "faces")
    return FaceSet.open(root / "faces")


def test_bad_photographs_are_refused_with_the_expectation_that_they_break(tmp_path: Path, faces: FaceSet) -> None:
    batch = arrivals(
        tmp_path,
        {
            "New/good.jpg": face(100),
            "New/broken.jpg": face(101)[:300],
            "New/blank.jpg": jpeg(np.full((80, 64), 128)),
            "New/dark.jpg": jpeg(np.full((80, 64), 5) + np.arange(64) // 8),
            "New/stolen.jpg": face(3),
            "P04/again.jpg": face(4),
        },
    )
    judged = judge(list(batch.values()), faces, DATA, BOUNDS)
    reasons = {arrival.name: reason for arrival, reason in judged.refused.items()}
    assert set(reasons) == {"New/broken.jpg", "New/blank.jpg", "New/dark.jpg", "New/stolen.jpg"}
    assert "is a broken JPEG" in reasons["New/broken.jpg"]
    assert "single gray level" in reasons["New/blank.jpg"]
    assert "brightness" in reasons["New/dark.jpg"]
    assert "under two names" in reasons["New/stolen.jpg"]
    assert "P03" in reasons["New/stolen.jpg"]
    assert judged.known == {batch["P04/again.jpg"].sha256}
    assert len(judged.manifest) == 1


def test_lfw_takes_pictures_of_its_own_size_alone(tmp_path: Path) -> None:
    batch = arrivals(tmp_path, {"New/small.jpg": face(100)})
    judged = judge(list(batch.values()), None, DataParams("lfw-a", None, None, (32, 24)), BOUNDS)
    assert "has a width of 250 pixels" in judged.refused[batch["New/small.jpg"]]


def test_a_first_batch_is_judged_without_a_data_set(tmp_path: Path) -> None:
    files = lfw_files({"Ann": 2})
    batch = arrivals(tmp_path, {f"Ann/{at}.jpg": content for at, content in enumerate(files.values())})
    judged = judge(list(batch.values()), None, DATA, BOUNDS)
    assert not judged.known
    assert len(judged.manifest) + len(judged.refused) == 2
