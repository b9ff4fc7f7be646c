"""What README and results say of figures names the conditions and the command that printed them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEXT = " ".join((Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8").split())


@pytest.mark.fault("B5")
def test_counts_of_repeated_photographs_name_crop_and_bounds() -> None:
    sentence = TEXT[TEXT.index("**Validation** of the same") :][:500]
    assert all(part in sentence for part in ("data.crop=[120,100]", "within 8 bits", "0.93"))


@pytest.mark.fault("A12")
def test_pages_that_the_readme_links_are_there_and_say_how_to_begin() -> None:
    root = Path(__file__).parents[2]
    text = (root / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"\]\((docs/[^)#]+)(?:#([^)]*))?\)", text))
    assert {"docs/operations.md", "docs/serving.md", "docs/results.md"} <= {page for page, _ in targets}
    assert "source .venv/bin/activate" in text
    for page, anchor in targets:
        content = (root / page).read_bytes()
        if anchor:
            titles = re.findall(r"^#+ (.*)$", content.decode(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.fault("B6")
def test_the_speed_of_ingest_is_a_ratio_with_its_command() -> None:
    sentence = TEXT[TEXT.index("**Speed** on two") :][:500]
    assert "python -m benchmarks.ingest" in sentence
    assert "times the clock" in sentence
    assert "times the processor time" in sentence


@pytest.mark.fault("B7")
def test_the_time_of_a_verdict_names_the_form_of_the_model() -> None:
    sentence = TEXT[TEXT.index("0.40 s") - 200 :][:400]
    assert "has its ONNX file" in sentence
    assert "without one 3.4 s" in sentence


def test_the_readme_is_short() -> None:
    lines = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert max(map(len, lines)) <= 400
    assert any(line.startswith("![") for line in lines[:10])
