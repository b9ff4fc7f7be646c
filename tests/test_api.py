"""The public interface: what `likeness` exports, and every example of docs/api.md."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import likeness
from drawnfaces.portrait import draw_photographs
from likeness.errors import DataError
from likeness.models.card import FORMAT

PAGE = Path(__file__).parents[1] / "docs" / "api.md"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn photographs that the page's examples name."""
    folder = tmp_path_factory.mktemp("photos")
    for person, name in enumerate(("ada", "ben")):
        for number, content in enumerate(draw_photographs(7, [(person, 2)]), 1):
            (folder / f"{name}-{number}.jpg").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def verifier() -> likeness.Verifier:
    return likeness.Verifier.load("packaged")


def test_the_examples_of_the_page_run_in_order(photos: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 6
    program = "".join(examples)
    done = subprocess.run([sys.executable, "-c", program], cwd=photos, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "packaged (arcface on lfw-deepfunneled" in done.stdout
    assert "['Ada'] []" in done.stdout
    assert "Ben 1.0" in done.stdout
    assert "(2, 256) float32" in done.stdout


def test_every_public_name_is_there_and_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    functions = {"Verifier", "detect", "embed", "evaluate", "open_gallery", "ImageError", "LikenessError"}
    for name in likeness.__all__:
        assert getattr(likeness, name) is not None
        assert name in dir(likeness)
    assert functions <= set(likeness.__all__)
    assert all(name in page for name in functions)
    with pytest.raises(AttributeError, match="nothing"):
        likeness.nothing  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import likeness, sys; print([m for m in ('numpy', 'cv2', 'onnxruntime', 'typer') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_page_states_the_forms_that_are_written() -> None:
    from likeness.serving.gallery_file import _FORMAT

    page = PAGE.read_text(encoding="utf-8")
    assert f"`format: {FORMAT}`" in page
    assert f"`{_FORMAT}`" in page


def test_a_card_of_the_first_version_is_read() -> None:
    """The shipped card was written before `align` and `precision` were added."""
    card = likeness.Verifier.load(PAGE.parents[1] / "pretrained" / "arcface-lfw").model.card
    assert (card.format, card.align, card.precision) == (1, "none", "single")


def test_rates_count_compared_pairs_alone(photos: Path, verifier: likeness.Verifier) -> None:
    ada, ben, absent = (str(photos / name) for name in ("ada-1.jpg", "ben-1.jpg", "absent.jpg"))
    pairs = [(ada, ada), (ada, ben), (absent, ben), (ben, ben)]
    measured = likeness.evaluate(pairs, [True, False, False, False], verifier=verifier, threshold=0.9999)
    assert list(measured.errors) == [2]
    assert np.isnan(measured.scores[2])
    assert measured.scores[0] == pytest.approx(1)
    assert (measured.fnmr, measured.fmr) == (0, 0.5)
    assert measured.accuracy == pytest.approx(2 / 3)


def test_one_kind_of_pairs_has_no_curve(photos: Path, verifier: likeness.Verifier) -> None:
    ada = (photos / "ada-1.jpg").read_bytes()
    measured = likeness.evaluate([(ada, ada)], [True], verifier=verifier)
    assert (measured.fmr, measured.auc, measured.eer, measured.fnmr) == (None, None, None, 0)


def test_pairs_that_say_nothing_are_refused(photos: Path, verifier: likeness.Verifier) -> None:
    with pytest.raises(DataError, match="as many truths as pairs, found 1 and 0"):
        likeness.evaluate([], [True], verifier=verifier)
    with pytest.raises(DataError, match=r"none of 1 pairs could be compared: .*absent\.jpg"):
        likeness.evaluate([("absent.jpg", "absent.jpg")], [True], verifier=verifier)
    with pytest.raises(DataError, match="none of 0 pairs"):
        likeness.evaluate([], [], verifier=verifier)


def test_faces_are_found_in_pixels_and_files(photos: Path) -> None:
    (face,) = likeness.detect(photos / "ada-1.jpg")
    assert 50 < face.box.side < 200
    assert likeness.detect(np.full((200, 200), 128, dtype=np.uint8)) == []
