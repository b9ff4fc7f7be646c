from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness import __version__
from likeness.artifacts.metrics import METRICS, McNemarResult, SystemComparison
from likeness.metrics.intervals import Estimate
from tests.artifacts.samples import sample_metrics
from tests.commands.running import Done, run_command
from tests.serving.models import make_model
from tests.serving.pictures import encoded, other_portrait, portrait, two_people

Run = Callable[..., Done]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    make_model(folder)
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path) -> Run:
    """Runs `likeness ARGUMENTS` in a folder of its own, with photographs of Ada and Ben."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIKENESS_MODEL", str(model))
    for name, picture in {"ada": portrait(), "ben": other_portrait()}.items():
        (tmp_path / "people" / name).mkdir(parents=True)
        Path("people", name, "one.jpg").write_bytes(encoded(picture, quality=95))
    Path("people/ada/two.png").write_bytes(encoded(portrait(), "PNG"))
    Path("text.jpg").write_text("this is no image")

    def run(*arguments: str) -> Done:
        return run_command(arguments, monkeypatch, capsys)

    return run


def test_the_same_person_is_exit_code_0(run: Run) -> None:
    done = run("verify", "people/ada/one.jpg", "people/ada/two.png")
    assert done.code == 0
    assert done.out.startswith("Same person: ")
    assert "false match rate 0.01" in done.out


def test_different_people_are_exit_code_1(run: Run) -> None:
    done = run("verify", "people/ada/one.jpg", "people/ben/one.jpg", "--json")
    assert done.code == 1
    (line,) = done.lines
    assert line["same"] is False
    assert set(line) == {
        "reference", "photo", "same", "probability", "score", "threshold", "fmr", "faces", "other_faces",
        "warnings", "model",
    }  # fmt: skip


def test_what_is_no_image_is_exit_code_2_and_a_sentence(run: Run) -> None:
    done = run("verify", "people/ada/one.jpg", "text.jpg")
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("text.jpg is no image")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("reference", ["absent.jpg", "text.jpg"])
def test_a_reference_that_cannot_be_used_is_one_sentence(run: Run, reference: str) -> None:
    done = run("verify", reference, "people/ada/one.jpg")
    assert done.code == 2
    assert done.err.startswith(reference)
    assert "Traceback" not in done.err


@pytest.mark.fault("D07")
def test_a_choice_among_several_faces_is_never_hidden(run: Run) -> None:
    said = "the largest of 2 faces was"
    Path("crowd.jpg").write_bytes(encoded(two_people(), quality=95))
    assert run("verify", "people/ada/one.jpg", "crowd.jpg").out.count(said) == 1
    assert run("verify", "people/ada/one.jpg", "crowd.jpg", "people/ada/two.png").out.count(said) == 1
    assert run("verify", "crowd.jpg", "people/ada/one.jpg", "people/ada/two.png").out.count(said) == 1
    assert said in run("enroll", "Crowd", "crowd.jpg").err
    assert run("identify", "crowd.jpg", "people/ada/one.jpg").out.count(said) == 1


def test_low_quality_and_a_turned_photograph_are_never_hidden(run: Run) -> None:
    small = Image.fromarray(portrait()).resize((150, 150)).rotate(90)
    small.save("small.png")
    done = run("verify", "people/ada/one.jpg", "small.png")
    assert re.search(r"small\.png: turned by 270° to be upright; too small: \d\d px", done.out)
    (line,) = run("verify", "people/ada/one.jpg", "small.png", "--json").lines
    assert line["warnings"][0] == []
    assert line["warnings"][1][0].startswith("too small: ")
    assert "small.png: too small: " in run("enroll", "Small", "small.png").err
    assert "too small: " in run("identify", "small.png").out
    (line,) = run("identify", "small.png", "--json").lines
    assert line["warnings"][0].startswith("too small: ")


def test_folders_and_patterns_are_compared_with_one_reference(run: Run) -> None:
    done = run("verify", "people/ada/two.png", "people", "people/*/one.*", "--json")
    assert done.code == 1
    assert [(line["photo"], line["same"]) for line in done.lines] == [
        ("people/ada/one.jpg", True),
        ("people/ada/two.png", True),
        ("people/ben/one.jpg", False),
        ("people/ada/one.jpg", True),
        ("people/ben/one.jpg", False),
    ]


def test_one_bad_file_among_many_spoils_no_other(run: Run) -> None:
    shutil.copy("text.jpg", "people/ada/zero.jpg")
    done = run("verify", "people/ada/two.png", "people/ada", "--json")
    assert done.code == 2
    assert ["error" in line for line in done.lines] == [False, False, True]


def test_an_empty_folder_is_reported(run: Run) -> None:
    Path("empty").mkdir()
    assert "no image is there" in run("verify", "people/ada/one.jpg", "empty").err
    assert "no image is there" in run("identify", "*.webp").err


def test_the_user_may_set_strictness(run: Run) -> None:
    pair = ("people/ada/one.jpg", "people/ben/one.jpg")
    assert run("verify", *pair, "--threshold", "-1").code == 0
    strict = run("verify", *pair, "--fmr", "0.001", "--json")
    assert strict.lines[0]["fmr"] == 0.001
    refused = run("verify", *pair, "--fmr", "1e-9")
    assert (refused.code, refused.out) == (2, "")
    assert "supports thresholds from 0.001 to 0.1" in refused.err


DEPRECATED = "--far"


def test_the_deprecated_name_of_a_rate_is_still_read(run: Run) -> None:
    pair = ("people/ada/one.jpg", "people/ben/one.jpg")
    assert run("verify", *pair, DEPRECATED, "0.001", "--json").lines[0]["fmr"] == 0.001
    run("enroll", "Ada", pair[0])
    assert run("identify", pair[1], DEPRECATED, "0.02", "--json").lines[0]["fpir"] == 0.02


def test_aligned_skips_the_search_for_a_face(run: Run) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (250, 250), dtype=np.uint8)
    Image.fromarray(noise).save("noise.png")
    assert run("verify", "noise.png", "noise.png").code == 2
    assert run("verify", "noise.png", "noise.png", "--aligned").code == 0


def test_explain_writes_a_picture(run: Run) -> None:
    done = run("verify", "people/ada/one.jpg", "people/ben/one.jpg", "--explain", "why.png")
    assert done.code == 1
    with Image.open("why.png") as picture:
        assert picture.size == (4 * 360, 360)
    assert run("verify", "people/ada/one.jpg", "people", "--explain", "why.png").code == 2


def test_enrol_identify_list_and_remove(run: Run) -> None:
    assert run("enroll", "Ada Lovelace", "people/ada/one.jpg").out == "enrolled Ada Lovelace from 1 photograph\n"
    known = run("identify", "people/ada/two.png")
    assert known.code == 0
    assert known.out.startswith("Ada Lovelace  (of 1 person")
    unknown = run("identify", "people/ben/one.jpg", "--json")
    assert unknown.code == 1
    assert unknown.lines[0]["name"] is None
    assert unknown.lines[0]["candidates"][0]["name"] == "Ada Lovelace"  # type: ignore[index]
    (listed,) = run("gallery", "list", "--json").lines
    assert (listed["name"], listed["photos"], listed["kept"]) == ("Ada Lovelace", 1, 0)
    assert run("gallery", "remove", "Nobody").code == 2
    assert run("gallery", "remove", "Ada Lovelace").code == 0
    assert run("gallery", "list").out == ""
    assert "nobody is enrolled" in run("identify", "people/ada/two.png").err


@pytest.mark.fault("B14")
def test_photographs_that_disagree_are_enrolled_only_by_force(run: Run) -> None:
    run("enroll", "Ada", "people/ada/one.jpg")
    refused = run("enroll", "Ada", "people/ada/two.png", "people/ben/one.jpg")
    assert (refused.code, refused.out) == (2, "")
    assert "people/ben/one.jpg: not like Ada's other photographs" in refused.err
    assert "--force" in refused.err
    forced = run("enroll", "--force", "Ada", "people/ben/one.jpg")
    assert (forced.code, forced.out) == (0, "enrolled Ada from 1 photograph\n")


def test_a_folder_for_each_person_is_enrolled_at_once(run: Run) -> None:
    done = run("enroll", "--folders", "people", "--keep-photos", "--json")
    assert done.code == 0
    lines = [{key: value for key, value in line.items() if key != "model"} for line in done.lines]
    assert lines == [{"name": "ada", "photos": 2, "kept": 2}, {"name": "ben", "photos": 1, "kept": 1}]
    done = run("identify", "people", "--json")
    assert [line["name"] for line in done.lines] == ["ada", "ada", "ben"]
    assert done.code == 0
    assert "expected folders" in run("enroll", "--folders", "people/ada").err


@pytest.mark.fault("D04", "D24")
def test_system_folders_are_not_enrolled_and_both_forms_of_a_name_are_one_person(run: Run) -> None:
    shutil.copytree("people/ben", "people/.Trash-1000")
    shutil.copytree("people/ben", "people/@eaDir")
    shutil.copytree("people/ben", "people/ada/@eaDir")
    for name in ("Zo\u00eb", "Zoe\u0308"):
        shutil.copytree("people/ada", f"people/{name}")
    done = run("enroll", "--folders", "people", "--json")
    assert {line["name"]: line["photos"] for line in done.lines} == {"ada": 2, "ben": 1, "Zo\u00eb": 4}


@pytest.mark.fault("D10")
def test_folders_are_followed_and_what_cannot_be_read_is_exit_code_2(run: Run) -> None:
    Path("people/ben").rename("elsewhere")
    Path("people/ben").symlink_to(Path("elsewhere").absolute())
    Path("people/loop").symlink_to(Path("people").absolute())
    done = run("verify", "people/ada/two.png", "people", "--json")
    assert [line["photo"] for line in done.lines] == [
        "people/ada/one.jpg",
        "people/ada/two.png",
        "people/ben/one.jpg",
    ]
    Path("people/ada/gone").symlink_to("nothing")
    Path("people/cem").mkdir()
    shutil.copy("text.jpg", "people/ben/three.heic")
    for command in (
        ("verify", "people/ada/two.png", "people"),
        ("enroll", "--folders", "people"),
        ("identify", "people"),
    ):
        done = run(*command)
        assert done.code == 2
        assert "people/ada/gone cannot be read" in done.err
        assert "people/ben/three.heic is no image" in done.err
    done = run("enroll", "--folders", "people")
    assert "people/cem is a folder" in done.err
    assert done.out == "enrolled ada from 2 photographs\nenrolled ben from 1 photograph\n"


def test_a_bad_photograph_is_reported_and_the_others_are_used(run: Run) -> None:
    done = run("enroll", "Ada", "people/ada/one.jpg", "text.jpg")
    assert done.code == 2
    assert "not used: text.jpg" in done.err
    assert done.out == "enrolled Ada from 1 photograph\n"
    assert run("enroll", "Eve", "text.jpg").out == ""
    assert len(run("gallery", "list").out.splitlines()) == 1


def test_names_are_checked(run: Run) -> None:
    assert "1 to 100 printable characters" in run("enroll", "x" * 101, "people/ada/one.jpg").err
    assert run("enroll", "only-a-name").code == 2


@pytest.mark.parametrize("suffix", ["json", "csv", "npz"])
def test_a_gallery_is_exported(run: Run, suffix: str) -> None:
    run("enroll", "Ada", "people/ada/one.jpg", "people/ada/two.png")
    assert run("gallery", "export", f"out.{suffix}").code == 0
    if suffix == "json":
        names = [photo["name"] for photo in json.loads(Path("out.json").read_text())["photos"]]
    elif suffix == "csv":
        names = [row[0] for row in csv.reader(Path("out.csv").read_text().splitlines()[1:])]
    else:
        names = np.load("out.npz")["names"].tolist()
    assert names == ["Ada", "Ada"]
    assert "ends in .json, .csv or .npz" in run("gallery", "export", "out.pickle").err


def test_another_models_gallery_is_refused_and_can_be_embedded_again(run: Run, tmp_path: Path) -> None:
    run("enroll", "Ada", "people/ada/one.jpg", "--keep-photos")
    make_model(tmp_path / "newer", "euclidean", seed=3)
    refused = run("identify", "people/ada/two.png", "--model", "newer")
    assert refused.code == 2
    assert "likeness gallery re-embed" in refused.err
    assert run("gallery", "re-embed", "--model", "newer").code == 0
    assert run("identify", "people/ada/two.png", "--model", "newer").code == 0


def test_no_model_is_one_sentence(run: Run) -> None:
    done = run("verify", "people/ada/one.jpg", "people/ben/one.jpg", "--model", "nowhere")
    assert done.code == 2
    assert done.err.startswith("nowhere: no model here")
    assert done.err.count("\n") == 1


def test_a_model_of_drawn_faces_says_so(run: Run, tmp_path: Path) -> None:
    make_model(tmp_path / "drawn", synthetic=True)
    done = run("verify", "people/ada/one.jpg", "people/ada/two.png", "--model", "drawn", "--json")
    assert done.code == 0
    assert len(done.lines) == 1
    assert "trained on drawn faces" in done.err


@pytest.mark.fault("D02")
def test_a_model_of_pictures_framed_beforehand_says_so(run: Run, tmp_path: Path) -> None:
    make_model(tmp_path / "own")
    card = json.loads(Path("own/card.json").read_text())
    for align, said in {"none": True, "lfw-frame": False}.items():
        Path("own/card.json").write_text(json.dumps(card | {"source": "folder", "align": align}))
        done = run("verify", "people/ada/one.jpg", "people/ada/two.png", "--model", "own")
        assert ("--aligned" in done.err) is said


def test_export_puts_the_tower_beside_its_weights(run: Run, model: Path) -> None:
    shutil.copytree(model, "exported")
    (done,) = run("export", "exported", "--json").lines
    assert done["onnx"] == "exported/tower.onnx"
    assert float(str(done["relative_difference"])) < 1e-4


@pytest.mark.attack("9")
def test_a_model_with_an_altered_file_does_not_verify(run: Run, model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    assert run("model", "verify", str(copy)).code == 0
    weights = copy / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    done = run("model", "verify", str(copy))
    assert done.code == 1
    assert re.search(r"^weights\.safetensors: (?!as in the card)", done.out, re.MULTILINE)


def test_usage_version_and_where(run: Run) -> None:
    assert run("--version").out.strip() == __version__
    assert run("verify", "--fmr", "many", "a", "b").code == 2
    assert run("where").out.startswith("report   none yet")
    for command in ("verify", "enroll", "identify", "gallery", "serve", "bench", "export", "promote", "doctor"):
        assert command in run("--help").out


def test_where_begins_with_accuracy_interval_baseline_and_verdict(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    gain = Estimate(0.16, 0.12, 0.2, 200)
    comparison = {"model_minus_baseline": SystemComparison(gain, gain, McNemarResult(40, 8, 0.001))}
    metrics = replace(sample_metrics(0.78, 0.62, half_width=0.03), comparison=comparison)
    METRICS.write(tmp_path / "reports" / "evaluation" / METRICS.name, metrics)
    assert run("where").out.splitlines()[:4] == [
        "accuracy 78.0% (95 % interval 75.0% to 81.0%)",
        "baseline 62.0% (classical, same pairs)",
        "verdict  better than the classical baseline: +16.0 points (+12.0 to +20.0)",
        "report   none yet; make run",
    ]


def test_a_defect_is_never_taken_for_a_verdict(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw ends with Python's own exit code 1, which means "different people" here."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("likeness.serving.verifier.Verifier.load", broken)
    assert run("verify", "people/ada/one.jpg", "people/ada/two.png").code == 2


def test_verify_starts_without_the_heavy_packages(run: Run) -> None:
    program = (
        "import sys; sys.argv = ['likeness', 'verify', 'absent.jpg', 'absent.jpg', '--model', 'nowhere']\n"
        "from likeness.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n"
        "    heavy = ('torch', 'mlflow', 'prefect', 'pandas', 'sklearn', 'scipy', 'faiss', 'fastapi')\n"
        "    print(end.code, [name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "2 []\n"
