from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from likeness.errors import FaceNotFoundError, ImageError, ModelError
from likeness.faces import Face
from likeness.serving.gallery import Enrolment, Gallery
from likeness.serving.verifier import Verification, Verifier, in_words
from tests.serving.pictures import encoded, portrait


def test_the_same_face_is_the_same_and_another_is_not(verifier: Verifier, photos: Path) -> None:
    same = verifier.verify(photos / "ada.jpg", photos / "ada.png")
    assert same.same
    assert same.probability > 0.8
    other = verifier.verify(photos / "ada.jpg", str(photos / "ben.jpg"))
    assert not other.same
    assert other.probability < 0.2
    assert other.words.endswith("different people")


@pytest.mark.attack("16")
def test_a_photograph_of_a_printed_photograph_passes(verifier: Verifier, photos: Path) -> None:
    """Nothing looks for presentation attacks: docs/security.md says so, and this shows it."""
    print_ = cv2.GaussianBlur(portrait(), (0, 0), 0.8) * 0.8 + 25
    desk = np.full((700, 760, 3), 90, dtype=np.uint8)
    desk[80:592, 120:632] = print_.astype(np.uint8)
    tilt = cv2.getRotationMatrix2D((380, 350), 2, 1)
    taken = encoded(cv2.warpAffine(desk, tilt, (760, 700), borderValue=(90, 90, 90)), quality=70)
    assert verifier.verify(photos / "ada.jpg", taken).same


def test_the_order_of_a_pair_does_not_matter(verifier: Verifier, photos: Path) -> None:
    forth = verifier.verify(photos / "ada.jpg", photos / "ben.jpg")
    back = verifier.verify(photos / "ben.jpg", photos / "ada.jpg")
    assert (forth.score, forth.probability) == (back.score, back.probability)


def test_a_model_whose_comparator_has_weights_decides_too(other_model_folder: Path, photos: Path) -> None:
    verifier = Verifier.load(other_model_folder)
    assert verifier.model.runtime == "torch"
    assert verifier.verify(photos / "ada.jpg", photos / "ada.png").same
    assert not verifier.verify(photos / "ada.jpg", photos / "ben.jpg").same


def test_a_lower_false_match_rate_asks_for_more(verifier: Verifier, photos: Path) -> None:
    pair = photos / "ada.jpg", photos / "ben.jpg"
    loose, strict = verifier.verify(*pair, fmr=0.1), verifier.verify(*pair, fmr=0.001)
    assert loose.threshold < strict.threshold
    assert (loose.fmr, strict.fmr) == (0.1, 0.001)
    own = verifier.verify(*pair, threshold=loose.threshold)
    assert own.fmr == pytest.approx(0.1)
    assert verifier.verify(*pair, threshold=-1).same
    with pytest.raises(ModelError, match="supports thresholds from"):
        verifier.verify(*pair, fmr=1e-9)


def test_many_pairs_are_as_each_alone(verifier: Verifier, photos: Path) -> None:
    names = ["ada.jpg", "ben.jpg", "ada.png", "crowd.jpg"]
    pairs = [(photos / a, photos / b) for a in names for b in names]
    together = verifier.verify_many(pairs)
    for pair, result in zip(pairs, together, strict=True):
        alone = verifier.verify(*pair)
        assert result.score == pytest.approx(alone.score, abs=1e-5)
        assert result.same == alone.same


def test_smaller_faces_are_reported(verifier: Verifier, photos: Path) -> None:
    result = verifier.verify(photos / "ada.jpg", photos / "crowd.jpg")
    assert [face.others for face in result.faces] == [0, 1]


def test_paths_bytes_and_pixels_embed_alike(verifier: Verifier, photos: Path) -> None:
    path = photos / "ada.png"
    embeddings = verifier.embed([path, str(path), path.read_bytes(), portrait()])
    assert embeddings.shape == (4, verifier.dim)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
    assert np.abs(embeddings - embeddings[0]).max() < 1e-5


def test_an_aligned_picture_is_cut_as_the_pixel_store_is(verifier: Verifier) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (250, 250), dtype=np.uint8)
    face = verifier.face(picture, aligned=True)
    preprocess = verifier.model.card.preprocess
    np.testing.assert_array_equal(verifier.windows([face])[0], preprocess.window(picture))


def test_faces_come_in_order_with_the_errors_among_them(verifier: Verifier, photos: Path) -> None:
    names = ["ada.jpg", "blank.png", "text.jpg", "absent.jpg", "ben.jpg"] * 5
    read = list(verifier.largest_faces([photos / name for name in names]))
    assert [type(face) for face in read] == [Face, FaceNotFoundError, ImageError, ImageError, Face] * 5


def test_a_photograph_without_a_face_is_named(verifier: Verifier, photos: Path) -> None:
    with pytest.raises(FaceNotFoundError, match=r"blank\.png shows no face"):
        verifier.verify(photos / "ada.jpg", photos / "blank.png")


def test_what_decided_can_be_shown_whatever_runs_the_tower(verifier: Verifier, photos: Path) -> None:
    result = verifier.verify(photos / "ada.jpg", photos / "ben.jpg")
    heats = verifier.explain(result)
    assert [heat.shape for heat in heats] == [(72, 72)] * 2
    assert max(heat.max() for heat in heats) == pytest.approx(1)
    assert min(heat.min() for heat in heats) >= 0


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1.0, "almost certainly the same person"),
        (0.95, "very likely the same person"),
        (0.75, "probably the same person"),
        (0.5, "more likely the same person than not"),
        (0.49, "more likely different people than not"),
        (0.25, "probably different people"),
        (0.0, "almost certainly different people"),
    ],
)
def test_probabilities_in_words(probability: float, words: str) -> None:
    assert in_words(probability) == words


@pytest.mark.fault("A12")
@given(same=st.booleans(), probability=st.floats(0, 1))
def test_the_headline_never_contradicts_the_words(same: bool, probability: float) -> None:
    face = Face(np.zeros((250, 250), np.uint8))
    result = Verification(same, 0.0, probability, 0.0, None, (face, face))
    person, people = "same person" in result.words, "different people" in result.words
    assert person != people
    if "same person" in result.headline.lower():
        assert (same, person) == (True, True)
    if "different people" in result.headline.lower():
        assert (same, people) == (False, True)
    assert result.sure == (result.headline in ("Same person", "Different people"))
    assert not (result.sure and "more likely" in result.words)


@pytest.mark.fault("A12")
def test_a_result_is_shown_without_pixels_or_embeddings(verifier: Verifier, photos: Path) -> None:
    result = verifier.verify(photos / "ada.jpg", photos / "ada.png")
    assert "array" not in repr(result)
    assert len(repr(result)) < 500
    enrolment = Enrolment("Ada", verifier.embed([photos / "ada.jpg"]), np.stack([result.faces[0].frame]))
    gallery = Gallery.empty(verifier.digest, verifier.dim).with_people([enrolment])
    for thing in (enrolment, gallery):
        assert "float32" not in repr(thing)
        assert "uint8" not in repr(thing)


@pytest.mark.fault("A12")
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK"])
def test_pictures_of_pillow_are_compared(verifier: Verifier, photos: Path, mode: str) -> None:
    expected = verifier.verify(photos / "ada.png", photos / "ben.jpg")
    with Image.open(photos / "ada.png") as first, Image.open(photos / "ben.jpg") as second:
        found = verifier.verify(first.convert(mode), second)
        assert found.score == pytest.approx(expected.score, abs=0.02)
        assert verifier.verify(second, second).score == pytest.approx(1)
    with pytest.raises(ImageError, match="the image shows no face"):
        verifier.verify(Image.new("L", (300, 300)), photos / "ada.png")


def test_the_documented_example_runs_and_needs_no_torch(model_folder: Path, photos: Path) -> None:
    """The example of the class's docstring, on a model whose tower was exported."""
    documented = (Verifier.__doc__ or "").split("Example::\n")[1].split("Args:")[0]
    example = "\n".join(line.strip() for line in documented.splitlines())
    example = example.replace("load()", f"load({str(model_folder)!r})")
    example = example.replace("a.jpg", str(photos / "ada.jpg")).replace("b.jpg", str(photos / "ben.jpg"))
    spy = "\nimport sys, json; print(json.dumps([m for m in ('torch', 'mlflow', 'pandas') if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", example + spy], capture_output=True, text=True, check=True)
    verdict, heavy = done.stdout.splitlines()
    assert verdict.startswith("False ")
    assert verdict.endswith("different people")
    assert json.loads(heavy) == []
