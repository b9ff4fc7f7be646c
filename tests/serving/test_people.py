from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import GalleryError, ModelError
from likeness.serving.face_reading import Reading
from likeness.serving.gallery_file import load_gallery
from likeness.serving.people import People
from likeness.serving.verifier import Verifier
from tests.serving.models import make_model
from tests.serving.real import lfw_test_people

ROOT = Path(__file__).parents[2]


@pytest.fixture
def people(tmp_path: Path, verifier: Verifier, photos: Path) -> People:
    people = People(tmp_path / "people.safetensors", verifier)
    people.enrol({"Ada": [verifier.face(photos / "ada.jpg")]}, keep=True)
    return people


def test_one_photograph_is_enough_to_be_known_at_once(people: People, photos: Path) -> None:
    (found,) = people.identify([people.verifier.face(photos / "ada.png")])
    assert found.name == "Ada"
    assert found.candidates[0].score > 0.99
    assert found.limit.people == 1


def test_somebody_not_enrolled_is_unknown_but_the_most_alike_are_named(people: People, photos: Path) -> None:
    (found,) = people.identify([people.verifier.face(photos / "ben.jpg")], threshold=0.999)
    assert found.name is None
    assert [candidate.name for candidate in found.candidates] == ["Ada"]


def test_the_threshold_grows_with_the_gallery(people: People, photos: Path) -> None:
    face = people.verifier.face(photos / "ada.png")
    before = people.identify([face])[0].limit
    people.enrol({f"Other {number}": [people.verifier.face(photos / "ben.jpg")] for number in range(9)})
    after = people.identify([face])[0].limit
    assert (before.people, after.people) == (1, 10)
    assert after.threshold > before.threshold
    assert after.fpir == before.fpir == 0.01
    assert after.fmr == pytest.approx(1 - 0.99**0.1)


def test_another_program_may_enrol_and_remove_meanwhile(people: People, photos: Path) -> None:
    face = people.verifier.face(photos / "ben.jpg")
    people.identify([face])
    another = People(people.path, people.verifier)
    another.enrol({"Ben": [face]})
    assert people.identify([face])[0].name == "Ben"
    another.remove(["Ben"])
    assert people.identify([face])[0].candidates[0].name == "Ada"
    assert [person.name for person in people.everyone()] == ["Ada"]


def test_nobody_enrolled_is_said(tmp_path: Path, verifier: Verifier, photos: Path) -> None:
    nobody = People(tmp_path / "none.safetensors", verifier)
    assert nobody.everyone() == []
    with pytest.raises(GalleryError, match="nobody is enrolled"):
        nobody.identify([verifier.face(photos / "ada.jpg")])


def test_another_models_gallery_is_refused_until_it_is_embedded_again(
    people: People, other_model_folder: Path, photos: Path
) -> None:
    other = People(people.path, Verifier.load(other_model_folder))
    face = other.verifier.face(photos / "ada.png")
    for refused in (lambda: other.identify([face]), lambda: other.enrol({"Ben": [face]})):
        with pytest.raises(GalleryError, match="re-embed"):
            refused()
    assert other.reembed() == 1
    assert load_gallery(people.path).model == other.verifier.digest
    assert other.identify([face])[0].name == "Ada"
    with pytest.raises(GalleryError, match="made by the model"):
        people.identify([face])


def test_a_bad_name_stops_before_any_work(people: People, photos: Path) -> None:
    before = people.path.read_bytes()
    with pytest.raises(GalleryError, match="printable"):
        people.enrol({"Ben": [people.verifier.face(photos / "ben.jpg")], "a\nb": []})
    assert people.path.read_bytes() == before


def test_a_person_without_a_photograph_is_refused(people: People) -> None:
    with pytest.raises(GalleryError, match="Ben: expected one or more"):
        people.enrol({"Ben": []})


def test_several_at_once_are_as_each_alone(people: People, photos: Path) -> None:
    faces = [people.verifier.face(photos / name) for name in ("ada.png", "ben.jpg", "ada.jpg")]
    together = people.identify(faces)
    for face, found in zip(faces, together, strict=True):
        (alone,) = people.identify([face])
        assert np.isclose(found.candidates[0].score, alone.candidates[0].score, atol=1e-6)


def test_a_rate_that_is_none_is_refused(people: People, photos: Path) -> None:
    with pytest.raises(ModelError, match="between 0 and 1"):
        people.identify([people.verifier.face(photos / "ada.jpg")], fpir=2)


@pytest.mark.fault("B14")
def test_another_persons_photograph_is_not_averaged_in(people: People, photos: Path) -> None:
    ada, ben = (people.verifier.face(photos / name) for name in ("ada.png", "ben.jpg"))
    before = load_gallery(people.path)
    result = people.enrol({"Ada": [ada, ben]})
    assert result.people == []
    (doubt,) = result.doubts
    assert (doubt.name, doubt.photographs) == ("Ada", (1,))
    assert doubt.probability < 0.2
    assert doubt.sentence(["a.png", "b.jpg"]).startswith("b.jpg: not like Ada's other photographs")
    assert load_gallery(people.path).embeddings.tobytes() == before.embeddings.tobytes()
    assert people.identify([ada])[0].name == "Ada"


@pytest.mark.fault("B14")
def test_photographs_of_a_new_person_that_disagree_are_refused_and_others_are_enrolled(
    people: People, photos: Path
) -> None:
    ada, ben = (people.verifier.face(photos / name) for name in ("ada.png", "ben.jpg"))
    result = people.enrol({"Eve": [ada, ben], "Ben": [ben]})
    assert [person.name for person in result.people] == ["Ben"]
    assert [doubt.photographs for doubt in result.doubts] == [(0, 1)]
    assert [person.name for person in people.everyone()] == ["Ada", "Ben"]


@pytest.mark.fault("B14")
def test_force_enrols_them_all_the_same(people: People, photos: Path) -> None:
    result = people.enrol({"Ada": [people.verifier.face(photos / "ben.jpg")]}, force=True)
    assert result.doubts == []
    assert [(person.name, person.photos) for person in result.people] == [("Ada", 2)]


@pytest.mark.lfw
@pytest.mark.skipif("LIKENESS_LFW" not in os.environ, reason="LIKENESS_LFW names no folder with real faces")
@pytest.mark.fault("B14")
def test_real_people_stay_recognised(tmp_path: Path) -> None:
    """Of 60 test people with four photographs: who is refused, and that another's photograph is."""
    faces = lfw_test_people(Path(os.environ["LIKENESS_LFW"]), 60, 4)
    verifier = Verifier.load(ROOT / "pretrained" / "arcface-lfw")
    people = People(tmp_path / "people.safetensors", verifier)
    first = people.enrol({name: found[:2] for name, found in faces.items()})
    assert len(first.people) >= 50  # the same person twice is rarely refused
    for person in first.people:
        people.enrol({person.name: faces[person.name][2:3]}, force=True)
    names = [person.name for person in first.people]
    wrong = {name: [faces[names[place - 1]][0]] for place, name in enumerate(names)}
    second = people.enrol(wrong)
    assert len(second.doubts) >= 0.65 * len(names)  # 41 of 58: the network is right on 90 % of pairs


IN_COLOUR = Reading("arcface-112", colour=True)


def test_a_model_of_aligned_colours_verifies_enrols_and_keeps_photographs(tmp_path: Path, photos: Path) -> None:
    make_model(tmp_path / "model", onnx=True, reading=IN_COLOUR)
    verifier = Verifier.load(tmp_path / "model")
    assert verifier.verify(photos / "ada.jpg", photos / "ada.png").same
    people = People(tmp_path / "people.safetensors", verifier)
    people.enrol({"Ada": [verifier.face(photos / "ada.jpg")]}, keep=True)
    people.enrol({"Ben": [verifier.face(photos / "ben.jpg")]}, keep=True)
    gallery = load_gallery(people.path)
    assert gallery.frames.shape == (2, 250, 250, 3)
    assert gallery.framing == "arcface-112"
    assert people.identify([verifier.face(photos / "ada.png")])[0].name == "Ada"


def test_photographs_kept_in_the_former_framing_serve_a_model_that_frames_by_landmarks(
    tmp_path: Path, photos: Path
) -> None:
    """Both put a face where LFW has it; the gallery goes on saying how its photographs are framed."""
    path, verifiers = tmp_path / "people.safetensors", []
    for seed, reading in enumerate((Reading("lfw-frame"), Reading())):
        make_model(tmp_path / str(seed), seed=seed, onnx=True, reading=reading)
        verifiers.append(Verifier.load(tmp_path / str(seed)))
    former, later = verifiers
    People(path, former).enrol({"Ada": [former.face(photos / "ada.jpg")]}, keep=True)
    assert load_gallery(path).framing == "lfw-frame"
    assert People(path, later).reembed() == 1
    gallery = load_gallery(path)
    assert (gallery.framing, gallery.model) == ("lfw-frame", later.digest)


def test_kept_photographs_serve_a_later_model_that_wants_them_so(tmp_path: Path, photos: Path) -> None:
    """Colours can be left out; what was not kept, or is framed otherwise, cannot be made up for."""
    path = tmp_path / "people.safetensors"
    models = {
        "colour": Reading(colour=True),
        "grey": Reading(),
        "aligned": Reading("arcface-112"),
    }
    verifiers = {}
    for seed, (name, reading) in enumerate(models.items()):
        make_model(tmp_path / name, seed=seed, onnx=True, reading=reading)
        verifiers[name] = Verifier.load(tmp_path / name)
    colour = verifiers["colour"]
    People(path, colour).enrol({"Ada": [colour.face(photos / "ada.jpg")]}, keep=True)
    later = People(path, verifiers["grey"])
    assert later.reembed() == 1
    assert load_gallery(path).frames.shape == (1, 250, 250)
    assert later.identify([later.verifier.face(photos / "ada.png")])[0].name == "Ada"
    later.enrol({"Ben": [later.verifier.face(photos / "ben.jpg")]}, keep=True)
    with pytest.raises(GalleryError, match=r"framed as lfw-landmarks, in grey; .* wants lfw-landmarks, in colour"):
        People(path, colour).reembed()
    with pytest.raises(GalleryError, match="the model wants arcface-112, in grey: enrol the people again"):
        People(path, verifiers["aligned"]).reembed()
