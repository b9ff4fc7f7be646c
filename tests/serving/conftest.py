from __future__ import annotations

from pathlib import Path

import pytest

from likeness.serving.verifier import Verifier
from tests.serving.models import exported_model, make_model
from tests.serving.pictures import encoded, other_portrait, portrait, two_people


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cosine model with its exported tower."""
    return exported_model(tmp_path_factory)


@pytest.fixture(scope="session")
def other_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model, whose comparator has weights, without an exported tower."""
    folder = tmp_path_factory.mktemp("other-model")
    make_model(folder, "weighted-l1", seed=1)
    return folder


@pytest.fixture(scope="session")
def verifier(model_folder: Path) -> Verifier:
    return Verifier.load(model_folder)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ada.jpg and ada.png (the portrait), ben.jpg (the other one), crowd.jpg, and files that are no faces."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "ada.jpg").write_bytes(encoded(portrait(), quality=95))
    (folder / "ada.png").write_bytes(encoded(portrait(), "PNG"))
    (folder / "ben.jpg").write_bytes(encoded(other_portrait(), quality=95))
    (folder / "crowd.jpg").write_bytes(encoded(two_people(), quality=95))
    (folder / "blank.png").write_bytes(encoded(portrait() * 0, "PNG"))
    (folder / "text.jpg").write_bytes(b"this is no image")
    return folder
