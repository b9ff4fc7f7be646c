"""dlib's network, rebuilt as ONNX: beside the same network by torch, and beside dlib itself where it is there."""

from __future__ import annotations

import importlib.util
import os
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from drawnfaces.portrait import draw_photograph
from likeness.errors import ModelError
from likeness.images import decode
from likeness.models.towers.dlib_resnet import dlib_onnx
from likeness.models.towers.presets import PRESETS
from likeness.onnx_session import open_session
from tests.models.towers.dlib_file import RandomNetwork, number, text


@pytest.fixture(scope="module")
def network() -> RandomNetwork:
    return RandomNetwork()


def test_the_onnx_file_computes_what_the_file_of_dlib_describes(network: RandomNetwork) -> None:
    session = open_session(dlib_onnx(network.content()), 1)
    faces = torch.rand(2, 3, 150, 150, generator=torch.Generator().manual_seed(0)) - 0.5
    expected = network(faces).numpy()
    found = session.run(None, {"pixels": faces.numpy()})[0]
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_equal_weights_give_an_equal_file(network: RandomNetwork) -> None:
    assert dlib_onnx(network.content()) == dlib_onnx(network.content())


def test_a_file_of_something_else_is_refused(network: RandomNetwork) -> None:
    content = network.content()
    with pytest.raises(ModelError, match=r"expected dlib's face .*, 29 convolutions.*found 0, 0 and 0"):
        dlib_onnx(b"not dlib's")
    with pytest.raises(ModelError, match="found 29, 29 and 0"):
        dlib_onnx(content[: content.index(b"fc_2") - 1])
    with pytest.raises(ModelError, match="dlib's fc_2 announces 32768 values, more than the file holds"):
        dlib_onnx(content[:-1000])
    with pytest.raises(ModelError, match="ends within a layer"):
        dlib_onnx(text("con_4"))
    with pytest.raises(ModelError, match="expected a tensor of version 2 in dlib's con_4, found version 3"):
        dlib_onnx(text("con_4") + number(3))
    swapped = RandomNetwork()
    swapped.layers[1], swapped.layers[-1] = swapped.layers[-1], swapped.layers[1]
    with pytest.raises(ModelError, match="this is another network than dlib's"):
        dlib_onnx(swapped.content())


@pytest.mark.slow
def test_it_computes_what_dlib_itself_does_on_a_hundred_faces() -> None:
    dlib = pytest.importorskip("dlib", reason="needs dlib: pip install dlib-bin")
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or found.origin is None:
        pytest.skip("needs dlib's weights: pip install face-recognition-models")
    path = Path(found.origin).parent / "models" / "dlib_face_recognition_resnet_model_v1.dat"
    faces = hundred_faces()
    card: Any = PRESETS["dlib"]
    fed = (faces.transpose(0, 3, 1, 2) - np.reshape(card.mean, (1, 3, 1, 1))) * card.scale[0]
    given = open_session(dlib_onnx(path.read_bytes()), 1).run(None, {"pixels": fed.astype(np.float32)})[0]
    tower = dlib.face_recognition_model_v1(str(path))
    expected = np.array([tower.compute_face_descriptor(face) for face in faces])
    assert np.abs(given - expected).max() < 1e-3


def hundred_faces() -> npt.NDArray[np.uint8]:
    """The middle of photographs of LFW where they are there, else drawn faces; uint8 [100, 150, 150, 3]."""
    lfw = os.environ.get("LIKENESS_LFW")
    if lfw is None:
        drawn = (decode(draw_photograph(0, person, 1), "drawn", colour=True).pixels for person in range(100))
        return np.stack([photograph[50:200, 50:200] for photograph in drawn])
    faces: list[npt.NDArray[np.uint8]] = []
    with tarfile.open(Path(lfw) / "lfw-deepfunneled.tgz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(".jpg") else None
            if content is not None:
                faces.append(decode(content.read(), member.name, colour=True).pixels[50:200, 50:200])
            if len(faces) == 100:
                break
    return np.stack(faces)
