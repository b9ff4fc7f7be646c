"""Charts are the same at every drawing, can be in one page together, and show what they were given."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from likeness.reporting.document import Figure
from likeness.reporting.figures import style
from likeness.reporting.figures.embeddings import embedding_figure
from likeness.reporting.figures.faces import images_per_person, photograph_quality
from likeness.reporting.figures.network import siamese_diagram
from likeness.reporting.figures.quality import error_rates, score_spread
from likeness.reporting.figures.recipes import accuracy_by_cost, best_at
from likeness.reporting.figures.training import accuracy_curves, loss_curves, step_loss, swept, utilisation
from likeness.reporting.figures.verification import (
    cmc,
    det,
    deviate,
    reliability,
    roc,
    score_histogram,
    threshold_choice,
)
from tests.artifacts.samples import sweep_table
from tests.data.tiny import tiny_manifest

RNG = np.random.default_rng(0)
SAME = np.arange(200) % 2 == 0
SCORES = RNG.normal(SAME * 1.5, 1)


def history() -> pd.DataFrame:
    epochs = np.arange(1, 6)
    return pd.DataFrame(
        {
            "epoch": epochs,
            "train_loss": 1 / epochs,
            "train_accuracy": [None] * 5,
            "holdout_loss": 1.1 / epochs,
            "holdout_accuracy": 0.5 + 0.05 * epochs,
            "holdout_auc": 0.5 + 0.06 * epochs,
        }
    )


def curves() -> pd.DataFrame:
    fmr = np.linspace(0, 1, 600)
    ours = pd.DataFrame({"system": "network", "fmr": fmr, "tmr": np.sqrt(fmr)})
    return pd.concat([ours, ours.assign(system="untrained", tmr=fmr)])


def trade_off() -> pd.DataFrame:
    fmr = np.linspace(0.005, 0.9, 40)
    ours = pd.DataFrame({"system": "network", "fmr": fmr, "fnmr": 1 - np.sqrt(fmr)})
    limits = {"fnmr_low": (ours["fnmr"] - 0.05).clip(0), "fnmr_high": (ours["fnmr"] + 0.05).clip(upper=1)}
    return pd.concat([ours.assign(**limits), ours.assign(**limits, system="untrained")])


def figures() -> list[Figure]:
    bins = pd.DataFrame({"mean_probability": [0.1, 0.9], "share_same": [0.2, 0.8], "pairs": [100, 100]})
    rates = {f"{name}{limit}": [0.2, 0.4] for name in ("fnmr", "fmr") for limit in ("", "_low", "_high")}
    parts = pd.DataFrame({"label": ["dark", "light"]} | rates)
    spread = pd.DataFrame([{"label": "dark", "kind": "same person", "low": 0.1, "middle": 0.5, "high": 0.9}])
    ranks = pd.DataFrame({"system": "network", "rank": [1, 5, 10], "share": [0.4, 0.6, 0.8]})
    sweep = sweep_table("train.learning_rate", [1e-5, 1e-4, 1e-3])
    steps = pd.DataFrame({"step": np.arange(1, 901), "loss": np.linspace(1, 0, 900)})
    return [
        images_per_person([1, 1, 2, 530]),
        photograph_quality(tiny_manifest({"A": 2, "B": 3})),
        loss_curves(history(), 3),
        accuracy_curves(history(), None),
        step_loss(steps),
        swept(sweep, "train.learning_rate"),
        roc(curves()),
        det(trade_off(), (0.3, 0.1)),
        score_histogram(SCORES, SAME, 0.7),
        threshold_choice(SCORES, SAME, 0.7),
        reliability(bins),
        error_rates(parts, (0.3, 0.2)),
        score_spread(spread, 0.7),
        cmc(ranks),
        siamese_diagram((80, 64), ["32×40×32", "64×20×16"], "128", "cosine", "10"),
    ]


def test_equal_data_give_equal_drawings() -> None:
    assert figures() == figures()


def test_ids_are_unique_over_the_page_and_every_reference_has_its_target() -> None:
    svgs = [figure.svg for figure in figures()]
    ids = [name for svg in svgs for name in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))
    for svg in svgs:
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(re.findall(r'\bid="([^"]+)"', svg))


@pytest.mark.parametrize("figure", figures(), ids=lambda figure: figure.name)
def test_a_drawing_is_small_fits_a_phone_and_has_no_colour_unknown_to_the_dark_page(figure: Figure) -> None:
    root = ElementTree.fromstring(figure.svg)
    assert float(root.attrib["width"]) <= 372
    assert len(figure.svg) < 120_000
    known = {value for name, value in vars(style).items() if name.isupper() and str(value).startswith("#")}
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-fA-F]+)"', figure.svg))
    assert used <= known
    assert not re.search(r'(?:fill|stroke)="(?:black|#000)"', figure.svg)


def test_every_colour_has_its_dark_counterpart() -> None:
    for name, value in vars(style).items():
        if name.isupper() and str(value).startswith("#"):
            assert f'svg [fill="{value}"]' in style.dark_rules()


def test_the_histogram_of_people_counts_everybody_once() -> None:
    texts = [
        node.text for node in ElementTree.fromstring(images_per_person([1, 1, 2, 7, 530]).svg).iter() if node.text
    ]
    assert texts.count("2") >= 1
    assert "51+" in texts
    assert "40\u202f% of the people have one image only" in images_per_person([1, 1, 2, 7, 530]).caption


def test_a_false_match_rate_of_zero_has_its_place_on_the_logarithmic_axis() -> None:
    frame = pd.DataFrame({"system": "network", "fmr": [0.0, 0.01, 1.0], "tmr": [0.3, 0.6, 1.0]})
    assert "NaN" not in roc(frame).svg


@pytest.mark.fault("B1")
def test_the_axis_of_people_is_read_as_counts() -> None:
    svg = images_per_person([1] * 4069 + [2] * 800 + [530]).svg
    texts = {node.text for node in ElementTree.fromstring(svg).iter() if node.text}
    assert {"0", "10", "100", "1\u202f000"} <= texts
    assert not any("k" in text for text in texts if text[0].isdigit())


@pytest.mark.fault("B3")
def test_bins_of_equal_mass_are_drawn_and_described_as_such() -> None:
    bins = pd.DataFrame({"mean_probability": [0.1, 0.9], "share_same": [0.2, 0.8], "pairs": [50, 51]})
    found = reliability(bins)
    assert "Larger" not in found.caption
    assert "as many pairs as any other" in found.caption


def texts_of(figure: Figure) -> list[str]:
    return [node.text for node in ElementTree.fromstring(figure.svg).iter() if node.text]


def test_both_axes_of_a_det_curve_are_normal_deviates() -> None:
    assert deviate(0.5) == pytest.approx(0)
    assert deviate(0.01) == pytest.approx(-2.3263, abs=1e-3)
    assert deviate(0.0) == deviate(0.001)
    texts = texts_of(det(trade_off(), (0.3, 0.1)))
    assert texts.count("0.1\u202f%") == texts.count("50\u202f%") == 2


def test_numbers_in_charts_are_written_as_in_the_text() -> None:
    texts = texts_of(cmc(pd.DataFrame({"system": "network", "rank": [1, 5], "share": [0.4, 0.6]})))
    assert "100\u202f%" in texts
    assert "100%" not in texts


def test_every_point_of_the_reliability_diagram_has_an_interval() -> None:
    bins = pd.DataFrame({"mean_probability": [0.1, 0.9], "share_same": [0.0, 0.8], "pairs": [50, 51]})
    drawn = reliability(bins)
    assert "Wilson" in drawn.caption
    assert drawn.svg.count('aria-roledescription="rule mark"') == 2


def test_the_map_colours_the_people_with_the_most_pictures_and_names_every_point() -> None:
    people = {"Ann_Lee": 4, "Bo_<b>": 3, "Cy_Low": 1}
    names = [f"{person}_{number:04d}" for person, count in people.items() for number in range(1, count + 1)]
    places = {
        "image": names,
        "x": RNG.normal(size=8),
        "y": RNG.normal(size=8),
        "x_variance": 0.3,
        "y_variance": 0.1,
    }
    drawn = embedding_figure(pd.DataFrame(places))
    root = ElementTree.fromstring(drawn.svg)
    titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert sorted(titles) == sorted(
        [*(f"Ann Lee {n}" for n in range(1, 5)), *(f"Bo <b> {n}" for n in (1, 2, 3)), "Cy Low 1"]
    )
    assert [style.PEOPLE[place] in drawn.svg for place in range(3)] == [True, True, False]
    assert "40\u202f%" in drawn.caption


def test_recipes_that_none_beats_at_their_cost_are_named() -> None:
    table = pd.DataFrame(
        {
            "recipe": ["dear", "good", "bad", "cheap"],
            "accuracy": [0.93, 0.91, 0.80, 0.84],
            "low": 0.79,
            "high": 0.95,
            "parameters": [9_000_000, 1_000_000, 2_000_000, 500_000],
            "mmacs": [600.0, 100.0, 100.0, 10.0],
        }
    )
    assert best_at(table, "parameters").tolist() == [True, True, False, True]
    drawn = accuracy_by_cost(table, "mmacs").svg
    assert all(f">{name}<" in drawn for name in ("dear", "good", "cheap"))
    assert ">bad<" not in drawn


def test_cores_are_drawn_where_they_are_known() -> None:
    known = history().assign(images_per_second=600.0, cores=1.5)
    assert "cores in use" in utilisation(known, 2).svg
    assert "the 2 cores" in utilisation(known, 2).caption
    assert "cores" not in utilisation(known.assign(cores=np.nan), 2).svg
