from __future__ import annotations

import numpy as np
import pytest

from likeness.errors import GalleryError
from likeness.faces import FRAME
from likeness.serving.gallery import Enrolment, Gallery, clean_name

DIM = 8
MODEL = "a" * 64


def embeddings(count: int, seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def frames(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, FRAME, FRAME), dtype=np.uint8)


@pytest.fixture
def gallery() -> Gallery:
    return Gallery.empty(MODEL, DIM).with_people(
        [
            Enrolment("Ada", embeddings(2, 1), frames(2, 1)),
            Enrolment("Ben", embeddings(1, 2)),
            Enrolment("Ada", embeddings(1, 3), frames(1, 3)),
            Enrolment("Cleo", embeddings(1, 4), frames(1, 4)),
        ]
    )


def test_people_are_listed_with_their_photographs(gallery: Gallery) -> None:
    listed = [(person.name, person.photos, person.kept) for person in gallery.people()]
    assert listed == [("Ada", 3, 3), ("Ben", 1, 0), ("Cleo", 1, 1)]


def test_several_photographs_are_averaged(gallery: Gallery) -> None:
    ada = np.concatenate([embeddings(2, 1), embeddings(1, 3)]).astype(np.float64)
    mean = ada.mean(axis=0)
    np.testing.assert_allclose(gallery.templates(unit=False)[0], mean, rtol=1e-5)
    np.testing.assert_allclose(gallery.templates(unit=True)[0], mean / np.linalg.norm(mean), rtol=1e-5)
    np.testing.assert_allclose(gallery.templates(unit=True)[1], embeddings(1, 2)[0], rtol=1e-5)


def test_a_person_enrolled_from_one_photograph_is_that_embedding() -> None:
    gallery = Gallery.empty(MODEL, DIM).with_people([Enrolment("Ada", embeddings(1))])
    np.testing.assert_array_equal(gallery.templates(unit=True), embeddings(1))


def test_removal_leaves_nothing_of_a_person_and_all_of_the_others(gallery: Gallery) -> None:
    left = gallery.without(["Ada"])
    assert [(person.name, person.photos, person.kept) for person in left.people()] == [
        ("Ben", 1, 0),
        ("Cleo", 1, 1),
    ]
    np.testing.assert_array_equal(left.embeddings, np.concatenate([embeddings(1, 2), embeddings(1, 4)]))
    np.testing.assert_array_equal(left.frames, frames(1, 4))
    assert left.frame_rows.tolist() == [1]
    assert len(gallery) == 3  # the former state is as it was


def test_removing_an_unknown_name_removes_nobody(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match="not in the gallery: Dora"):
        gallery.without(["Ada", "Dora"])


def test_another_model_is_refused(gallery: Gallery) -> None:
    gallery.check_model(MODEL)
    with pytest.raises(GalleryError, match="made by the model aaaaaaaaaaaa, and bbbbbbbbbbbb is in use"):
        gallery.check_model("b" * 64)


def test_kept_photographs_are_embedded_again_by_another_model(gallery: Gallery) -> None:
    def embed(kept: np.ndarray) -> np.ndarray:
        return np.repeat(kept.mean(axis=(1, 2), dtype=np.float32)[:, None], 4, axis=1)

    again = gallery.without(["Ben"]).reembedded("b" * 64, embed)
    expected = embed(np.concatenate([frames(2, 1), frames(1, 3), frames(1, 4)]))
    assert again.model == "b" * 64
    np.testing.assert_array_equal(again.embeddings, expected)
    assert [(person.name, person.photos, person.kept) for person in again.people()] == [
        ("Ada", 3, 3),
        ("Cleo", 1, 1),
    ]


def test_photographs_that_were_not_kept_cannot_be_embedded_again(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match="not kept of: Ben;"):
        gallery.reembedded("b" * 64, lambda kept: embeddings(len(kept)))


@pytest.mark.parametrize("bad", [np.zeros((0, DIM)), np.zeros((1, DIM + 1)), np.full((1, DIM), np.nan)])
def test_embeddings_that_do_not_fit_are_refused(gallery: Gallery, bad: np.ndarray) -> None:
    with pytest.raises(GalleryError, match="finite embeddings of length 8"):
        gallery.with_people([Enrolment("Eve", bad.astype(np.float32))])


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "\x00", "x" * 101, "\u202eevil"])
def test_names_that_cannot_be_shown_are_refused(name: str) -> None:
    with pytest.raises(GalleryError, match="1 to 100 printable characters"):
        clean_name(name)


def test_one_name_however_it_is_typed() -> None:
    assert clean_name("  Zoe\u0308 ") == clean_name("Zo\u00eb") == "Zo\u00eb"
    assert clean_name("../../etc/passwd") == "../../etc/passwd"  # a name is never a path
