"""Charts are the same at every drawing, can stand in one page together, and show what they were given."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from likeness.reporting.document import Figure
from likeness.reporting.figures import style
from likeness.reporting.figures.faces import images_per_person, photograph_quality
from likeness.reporting.figures.training import accuracy_curves, loss_curves, step_loss, swept
from likeness.reporting.figures.verification import (
    cmc,
    reliability,
    roc,
    score_histogram,
    slices,
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
    far = np.linspace(0, 1, 600)
    ours = pd.DataFrame({"system": "network", "far": far, "tar": np.sqrt(far)})
    return pd.concat([ours, ours.assign(system="untrained", tar=far)])


def figures() -> list[Figure]:
    bins = pd.DataFrame({"mean_probability": [0.1, 0.9], "share_same": [0.2, 0.8], "pairs": [100, 100]})
    parts = pd.DataFrame({"label": ["dark", "light"], "value": [0.6, 0.7], "low": [0.5, 0.6], "high": [0.7, 0.8]})
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
        roc(curves(), ["network", "untrained"]),
        score_histogram(SCORES, SAME, 0.7),
        threshold_choice(SCORES, SAME, 0.7),
        reliability(bins),
        slices(parts, 0.65),
        cmc(ranks, ["network"]),
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
    assert "40% of the people have one image only" in images_per_person([1, 1, 2, 7, 530]).caption


def test_a_false_accept_rate_of_zero_has_its_place_on_the_logarithmic_axis() -> None:
    frame = pd.DataFrame({"system": "network", "far": [0.0, 0.01, 1.0], "tar": [0.3, 0.6, 1.0]})
    assert "NaN" not in roc(frame, ["network"]).svg


@pytest.mark.fault("B1")
def test_the_axis_of_people_is_read_as_counts() -> None:
    svg = images_per_person([1] * 4069 + [2] * 800 + [530]).svg
    texts = {node.text for node in ElementTree.fromstring(svg).iter() if node.text}
    assert {"0", "10", "100", "1,000"} <= texts
    assert not any("k" in text for text in texts if text[0].isdigit())


@pytest.mark.fault("B3")
def test_bins_of_equal_mass_are_drawn_and_described_as_such() -> None:
    bins = pd.DataFrame({"mean_probability": [0.1, 0.9], "share_same": [0.2, 0.8], "pairs": [50, 51]})
    found = reliability(bins)
    assert "Larger" not in found.caption
    assert "as many pairs as any other" in found.caption
