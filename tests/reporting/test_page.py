"""The page of a real (small) run: what it must hold, what it says when something is missing, bad files."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from likeness.artifacts.evaluation_tables import LAYERS
from likeness.artifacts.json_file import plain
from likeness.artifacts.recipe_table import RECIPES
from likeness.artifacts.sweep_table import SWEEP
from likeness.errors import DataError
from likeness.files import read_json, write_json
from likeness.models.towers.presets import PRESETS
from likeness.reporting.artefacts import Artefacts, Places
from likeness.reporting.document import Block, Facts, Note, Page, Table
from likeness.reporting.page import build_page, write_report
from likeness.reporting.render import to_markdown, to_page
from tests.artifacts.samples import sweep_table
from tests.reporting.conftest import PARAMS


def page_of(places: Places) -> Page:
    return build_page(Artefacts(places), PARAMS)


def blocks_of(page: Page, key: str) -> list[Block]:
    return list(next(section.blocks for section in page.sections if section.key == key))


def text_of(page: Page) -> str:
    return to_markdown(page, "figures")


def missing_in(page: Page) -> dict[str, str]:
    """What each chapter says it lacks."""
    notes = {
        section.key: block.text
        for section in page.sections
        for block in section.blocks
        if isinstance(block, Note) and block.tone == "missing"
    }
    return {key: text for key, text in notes.items() if key not in ("sweep", "recipes")}


def test_the_page_holds_what_a_report_must_hold(run: Places, page: Page) -> None:
    assert missing_in(page) == {}
    results = ["results", "threshold", "recognition", "decisions"]
    rest = ["network", "faces", "nightly-runs", "setup", "provenance"]
    assert [section.key for section in page.sections] == [*results, "training", "sweep", "recipes", *rest]
    drawn = {figure.name for figure in page.figures()}
    assert {
        "roc",
        "det",
        "score-spread",
        "scores",
        "reliability",
        "threshold",
        "slices",
        "cmc",
        "loss-curves",
        "accuracy-curves",
    } <= drawn
    assert {"step-loss", "images-per-person", "photograph-quality", "utilisation", "embeddings"} <= drawn
    text = text_of(page)
    card = read_json(run.model / "card.json")
    for fact in (
        card["trained"]["formula"],
        card["weights_sha256"],
        card["fingerprint"],
        card["versions"]["torch"],
    ):
        assert fact in text
    assert "A residual tower for a test." in text
    assert "`c0ffee" in text
    assert "`a.py`" in text


def test_the_figures_are_those_of_the_evaluation(run: Places, page: Page) -> None:
    figure = read_json(run.evaluation / "metrics.json")["model"]["test"]["accuracy"]
    value, low, high = (f"{100 * figure[name]:.1f}" for name in ("value", "low", "high"))
    (table,) = [
        block
        for block in blocks_of(page, "results")
        if isinstance(block, Table) and block.columns[0].name == "on the test pairs"
    ]
    assert table.rows[0][:2] == ["accuracy", f"{value}\u202f% ({low} to {high}\u202f%)"]


def test_every_accuracy_has_its_protocol_and_outside_data_beside_it(page: Page) -> None:
    (table,) = [
        block
        for block in blocks_of(page, "results")
        if isinstance(block, Table) and block.columns[-1].name == "where from"
    ]
    for row in table.rows:
        assert "restricted" in row[2] or "labelled outside data" in row[2]
        assert row[3].startswith(("measured here", "published, not measured here"))
    measured = [row for row in table.rows if row[3].startswith("measured here")]
    assert [row[0] for row in measured] == ["this model", "classical baseline", "untrained model"]


def test_all_parameters_are_printed_but_no_local_path(page: Page) -> None:
    text = text_of(page)
    assert "| `train.batch_size` | `16` |" in text
    assert "| `data.mirror` | `…/photos` |" in text
    assert "/home/somebody" not in text + to_page(page)


def test_the_parameters_of_the_models_parts_are_printed(page: Page) -> None:
    printed = text_of(page)
    for key in ("model.backbone.name", "model.backbone.width", "model.comparator.weight_std"):
        assert key in printed
    assert ".values." not in printed
    assert "dropout 0.1" in printed


def test_a_tower_from_elsewhere_is_shown_as_its_card_says(copied: Places) -> None:
    card = read_json(copied.model / "card.json")
    tower = replace(PRESETS["arcface"], sha256="ab" * 32, licence="mine <b>")
    model = card["model"] | {"backbone": {"name": "external", "tower": plain(tower)}}
    write_json(copied.model / "card.json", card | {"model": model, "outside_data": tower.category})
    text = text_of(page_of(copied))
    for said in (
        "112×112 pixels, NCHW, RGB",
        "mine <b>",
        "MS1MV3",
        "arcface-112, its middle 224×224",
        "abababababab",
    ):
        assert said in text
    assert "mine &lt;b&gt;" in to_page(page_of(copied))
    assert "labelled outside data (tower outside-arcface)" in text


def test_the_layers_add_up_with_their_kernel_and_reason(run: Places, page: Page) -> None:
    layers = LAYERS.read(run.evaluation / LAYERS.name)
    (table,) = [block for block in blocks_of(page, "network") if isinstance(block, Table)]
    assert not table.folded
    plain = [row for place, row in enumerate(table.rows) if place not in table.strong]
    parameters = sum(int(row[7].replace("\u202f", "") or 0) for row in plain)
    assert parameters == layers["parameters"].sum()
    convolutions = [row for row in plain if row[1] == "Conv2d"]
    assert len(convolutions) == (layers["kind"] == "Conv2d").sum()
    assert all(row[2] and row[3] and row[4] for row in convolutions)
    (reasons,) = [block for block in blocks_of(page, "network") if isinstance(block, Facts)]
    assert {kind for kind, _ in reasons.items} == set(layers["kind"])
    assert any("batch norm, PReLU" in row[5] for row in convolutions)


def test_the_network_is_drawn_from_its_layers(run: Places, page: Page) -> None:
    layers = LAYERS.read(run.evaluation / LAYERS.name)
    (drawn,) = [figure for figure in page.figures() if figure.name == "siamese"]
    assert drawn.svg.count(">1×40×32<") == 2
    last = [shape for shape in layers["output_shape"] if shape.count("×") == 2][-1]
    assert drawn.svg.count(f">{last}<") == 2
    assert ">weighted-l1<" in drawn.svg


def test_long_lists_are_cut_and_say_so(page: Page) -> None:
    (table,) = [
        block for block in blocks_of(page, "faces") if isinstance(block, Table) and "offend" in block.caption
    ]
    assert len(table.rows) == 2
    assert "3 offending rows, the first 2" in table.caption


def test_drawn_faces_are_announced_before_anything_else(copied: Places) -> None:
    source = read_json(copied.faces / "source.json")
    write_json(copied.faces / "source.json", source | {"synthetic": True})
    page = page_of(copied)
    assert "Such accuracy says nothing about people" in page.warning
    assert text_of(page).startswith("> **The faces on this page are drawn")
    assert "cannot be compared" in text_of(page)


def test_photographs_of_people_carry_no_warning(page: Page) -> None:
    assert page.warning == ""


def test_equal_inputs_give_equal_files(run: Places, tmp_path: Path) -> None:
    first, second = (write_report(run, PARAMS, tmp_path / name) for name in ("one", "two"))
    for one in sorted(path for path in (tmp_path / "one").rglob("*") if path.is_file()):
        assert one.read_bytes() == (tmp_path / "two" / one.relative_to(tmp_path / "one")).read_bytes()
    assert first.html.stat().st_size < 2_000_000
    for name in ("report.md", "figures/roc.svg", "figures/sheet.png"):
        assert (tmp_path / "two" / name).is_file()
    assert second.figures.is_dir()


def test_every_figure_that_the_markdown_names_lies_beside_it(run: Places, tmp_path: Path) -> None:
    written = write_report(run, PARAMS, tmp_path)
    named = [part.split(")")[0] for part in written.markdown.read_text().split("](figures/")[1:]]
    assert named
    assert sorted(named) == sorted(path.name for path in written.figures.iterdir())


def test_a_page_without_any_photograph(run: Places) -> None:
    page = build_page(Artefacts(run), replace(PARAMS, decisions=0, sample=0))
    assert page.pictures() == []
    assert "data:image" not in to_page(page)


def test_a_sweep_is_drawn_and_listed(copied: Places) -> None:
    sweep = copied.params.with_name("sweep.csv")
    tables = [sweep_table("train.learning_rate", [1e-5, 1e-3]), sweep_table("train.batch_size", [8, 32])]
    SWEEP.write(sweep, pd.concat(tables))
    page = page_of(replace(copied, sweep=sweep))
    assert {"sweep-train-learning_rate", "sweep-train-batch_size"} <= {figure.name for figure in page.figures()}
    assert "| 1e-05 | 60.0\u202f%" in text_of(page)


def test_what_is_missing_is_said_and_the_rest_stays(copied: Places) -> None:
    shutil.rmtree(copied.evaluation)
    shutil.rmtree(copied.train)
    copied.validation.unlink()
    page = page_of(copied)
    said = missing_in(page)
    assert set(said) == {"results", "recognition", "decisions", "training", "network", "faces", "setup"}
    for file in ("metrics.json", "decisions.json", "history.csv", "layers.csv", "validation.json", "summary.json"):
        assert any(file in text for text in said.values()), file
    assert "roc" not in {figure.name for figure in page.figures()}
    assert to_page(page)


@pytest.mark.parametrize(
    "name", ["roc.csv", "det.csv", "predictions.parquet", "calibration.csv", "slices.csv", "cmc.csv"]
)
def test_any_one_table_of_the_evaluation_may_be_missing(copied: Places, name: str) -> None:
    (copied.evaluation / name).unlink()
    assert to_page(page_of(copied))


def test_a_decision_whose_picture_is_gone_keeps_its_words(copied: Places) -> None:
    for path in (copied.evaluation / "decisions").glob("*.png"):
        path.unlink()
    page = page_of(copied)
    assert [picture.name for picture in page.pictures()] == ["sheet"]
    reported = json.loads((copied.evaluation / "decisions.json").read_text())["decisions"]
    assert reported[0]["cause"] in text_of(page)


def test_a_model_of_other_data_is_remarked(copied: Places) -> None:
    card = read_json(copied.model / "card.json")
    write_json(copied.model / "card.json", card | {"fingerprint": "f" * 64})
    assert "**other data**" in text_of(page_of(copied))


@pytest.mark.parametrize("name", ["source.json", "manifest.parquet"])
def test_a_report_without_faces_is_refused_in_a_sentence(copied: Places, name: str) -> None:
    (copied.faces / name).unlink()
    with pytest.raises(DataError, match=f"{name}: is missing.*`dvc repro"):
        page_of(copied)


@pytest.mark.parametrize(
    ("place", "content"),
    [("evaluation/metrics.json", b"{"), ("evaluation/predictions.parquet", b"no"), ("train/history.csv", b"")],
)
def test_half_a_file_is_reported_by_name(copied: Places, place: str, content: bytes) -> None:
    (copied.params.parent / place).write_bytes(content)
    with pytest.raises(DataError, match=f"{place}: .*cannot be read"):
        page_of(copied)


def test_a_failed_write_leaves_the_old_page(run: Places, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    (tmp_path / "figures").write_text("a file where a folder should be")
    with pytest.raises(Exception, match="figures"):
        write_report(run, PARAMS, tmp_path)
    assert (tmp_path / "report.html").read_text() == "old"


def test_the_page_carries_its_parameters_and_one_command(run: Places, tmp_path: Path) -> None:
    written = write_report(run, PARAMS, tmp_path)
    parameters = yaml.safe_load((written.figures / "params.yaml").read_text())
    used = yaml.safe_load(run.params.read_text())
    used["data"]["mirror"] = "photos"  # the folder's name; its place is no other machine's
    assert parameters == used | {"report": dataclasses.asdict(PARAMS)}
    found = re.search(
        r'download="params.yaml" href="data:text/plain;charset=utf-8;base64,([^"]+)"', written.html.read_text()
    )
    assert found
    assert base64.b64decode(found[1]).decode() == (written.figures / "params.yaml").read_text()
    text = written.markdown.read_text()
    assert "[params.yaml of this run](figures/params.yaml)" in text
    assert f"git -C again checkout -q {'c0ffee' * 6}" in text
    assert "set `data.mirror`" in text


def test_errors_and_right_decisions_are_set_beside_each_other(page: Page) -> None:
    tables = [block for block in blocks_of(page, "decisions") if isinstance(block, Table)]
    assert tables
    for table in tables:
        assert [column.name for column in table.columns] == [
            "what stands out",
            "errors",
            "right decisions",
            "ratio",
        ]
        assert all(re.fullmatch(r"\d+\u202f% \(\d+ of \d+\)", cell) for row in table.rows for cell in row[1:3])
    assert "no demographic analysis was made" in text_of(page)


def test_recipes_are_shown_with_their_cost(run: Places) -> None:
    shipped = Path(__file__).parents[2] / "reports" / "recipes.csv"
    page = page_of(replace(run, recipes=shipped))
    assert {"recipes-parameters", "recipes-mmacs"} <= {figure.name for figure in page.figures()}
    (table,) = [block for block in blocks_of(page, "recipes") if isinstance(block, Table)]
    assert len(table.rows) == len(RECIPES.read(shipped))
    assert "not by the run that this page is about" in text_of(page)
