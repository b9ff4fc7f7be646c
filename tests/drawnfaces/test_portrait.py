from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import roc_auc_score

from drawnfaces.capture import Capture, Expression, Light, Pose, draw_capture
from drawnfaces.head import Head, build_head, nodes
from drawnfaces.identity import Identity
from drawnfaces.people import draw_identity
from drawnfaces.portrait import draw_photograph, render
from drawnfaces.rays import cast
from drawnfaces.shade import illuminate
from drawnfaces.stage import Stage, build_stage

STRAIGHT = Pose(yaw=0.0, pitch=0.0, roll=0.0, scale=1.0, shift_x=0.0, shift_y=0.0)
CALM = Expression(smile=0.0, jaw=0.0, lids=1.0, brows=0.0, gaze_x=0.0, gaze_y=0.0)
FLASH = Light(azimuth=0.0, elevation=0.0, lamp=1.0, sky=0.2, shine=0.0)


@pytest.fixture(scope="module")
def identity() -> Identity:
    return draw_identity(0, 0)


@pytest.fixture(scope="module")
def bald(identity: Identity) -> Head:
    return build_head(identity, CALM, np.zeros_like(nodes()[0]))


def stage(light: Light = FLASH, **turn: float) -> Stage:
    return build_stage(dataclasses.replace(STRAIGHT, **turn), light)


def plane() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """x and y of a small picture plane with the middle of the head exactly in its middle, of pixel (65, 65)."""
    axis = np.linspace(-1.3, 1.3, 131, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def test_a_photograph_is_a_gray_jpeg_of_250_pixels_and_always_the_same() -> None:
    jpeg = draw_photograph(1, 2, 3)
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (250, 250)
    assert picture.std() > 15
    assert draw_photograph(1, 2, 3) == jpeg
    others = [draw_photograph(*words) for words in ((1, 2, 4), (1, 3, 3), (2, 2, 3))]
    assert jpeg not in others


def test_a_head_seen_from_the_front_is_symmetric_and_looks_at_us(bald: Head) -> None:
    sight = cast(bald, stage().rotation, *plane())
    assert ((sight.cover > 0.5) != (sight.cover[:, ::-1] > 0.5)).mean() < 0.005
    assert sight.cover[65, 65] == 1.0
    assert sight.cover[65, 0] == 0.0
    np.testing.assert_allclose([sight.u[65, 65], sight.v[65, 65]], 0.0, atol=0.02)
    assert sight.u[65, 85] > 0.2
    assert sight.v[85, 65] > 0.2


@pytest.mark.parametrize("angle", [0.2, 0.5])
def test_turning_right_is_the_mirror_image_of_turning_left(bald: Head, angle: float) -> None:
    right = cast(bald, stage(yaw=angle).rotation, *plane())
    left = cast(bald, stage(yaw=-angle).rotation, *plane())
    inside = (right.cover == 1.0) & (left.cover[:, ::-1] == 1.0)
    assert inside.mean() > 0.2
    apart = np.abs(right.u + left.u[:, ::-1])[inside]
    assert np.quantile(apart, 0.98) < 0.02


@pytest.mark.parametrize(("turn", "axis"), [("yaw", 1), ("pitch", 0)])
def test_a_face_turns_where_its_angles_say(bald: Head, turn: str, axis: int) -> None:
    """The middle of the face, u = v = 0, moves right with yaw and down with pitch."""
    sight = cast(bald, stage(**{turn: 0.4}).rotation, *plane())
    away = np.where(sight.cover == 1.0, np.hypot(sight.u, sight.v), np.inf)
    middle = np.unravel_index(np.argmin(away), away.shape)
    assert middle[axis] > 75
    assert abs(middle[1 - axis] - 65) <= 2


def test_the_lit_side_is_the_side_of_the_lamp(bald: Head) -> None:
    lit = stage(dataclasses.replace(FLASH, azimuth=1.0))
    x, y = plane()
    sight = cast(bald, lit.rotation, x, y)
    light, _ = illuminate(bald, lit, sight.u, sight.v)
    face = sight.cover == 1.0
    assert light[face & (x > 0.2)].mean() > 1.5 * light[face & (x < -0.2)].mean()


def bare(capture: Capture) -> Capture:
    """The same photograph without noise or blur, and with nothing in front."""
    camera = dataclasses.replace(capture.camera, noise=0.0, blur=0.3, motion=0.0)
    return dataclasses.replace(capture, camera=camera, occluder=None)


def test_expression_changes_the_face_and_nothing_else(identity: Identity) -> None:
    calm = dataclasses.replace(bare(draw_capture(0, 0, 1)), pose=STRAIGHT, expression=CALM, light=FLASH)
    laughing = dataclasses.replace(calm, expression=dataclasses.replace(CALM, smile=1.0, jaw=0.6))
    changed = np.abs(render(identity, calm).astype(int) - render(identity, laughing)) > 25
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 100
    assert rows.min() > 95
    assert rows.max() < 220
    assert columns.min() > 60
    assert columns.max() < 190


@pytest.fixture(scope="module")
def twice() -> npt.NDArray[np.float64]:
    """Two photographs of each of 70 people, [2, 70, 50, 50]."""
    pictures = [
        render(draw_identity(9, person), draw_capture(9, person, number))
        for number in (1, 2)
        for person in range(70)
    ]
    small = [cv2.resize(picture, (50, 50), interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.array(small, dtype=np.float64).reshape(2, 70, 50, 50)


def verification_auc(features: npt.NDArray[np.float64]) -> float:
    """AUC of the cosine between [2, people, features], all pairs across the two photographs."""
    centred = features - features.mean(axis=-1, keepdims=True)
    first, second = centred / np.linalg.norm(centred, axis=-1, keepdims=True)
    same = np.eye(features.shape[1], dtype=bool)
    return float(roc_auc_score(same.ravel(), (first @ second.T).ravel()))


def test_backgrounds_say_nothing_about_people(twice: npt.NDArray[np.float64]) -> None:
    edge = np.concatenate([twice[:, :, :, :6], twice[:, :, :, -6:]], axis=-1)[:, :, :28]
    assert 0.4 < verification_auc(edge.reshape(2, 70, -1)) < 0.57


def test_pixels_alone_hardly_separate_people(twice: npt.NDArray[np.float64]) -> None:
    window = twice[:, :, 10:40, 10:40]
    assert verification_auc(window.reshape(2, 70, -1)) < 0.63
