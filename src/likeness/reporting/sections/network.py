"""Chapter: the network, layer by layer, with the reason for each."""

from __future__ import annotations

import pandas as pd

from likeness.artifacts.json_file import plain
from likeness.models.architecture import ModelParams
from likeness.reporting.artefacts import Artefacts, Json, records
from likeness.reporting.document import Block, Column, Note, Prose, Section, Table
from likeness.reporting.inline import quoted
from likeness.reporting.wording import count, number, percent

_BACKBONES = {
    "koch": (
        "The tower of Koch, Zemel and Salakhutdinov 2015 (“Siamese neural networks for one-shot image "
        "recognition”): few, large filters first, because strokes and facial features span many pixels at this "
        "size; no padding, so that no filter ever sees an invented border; one wide sigmoid layer, whose units "
        "are compared one by one."
    ),
    "light-cnn": (
        "The nine-layer light CNN of Wu, He, Sun and Tan 2015: max-feature-map activations let two filters "
        "compete for each place and keep the winner, which drops noise and halves the channels."
    ),
    "mobilenet-v2": (
        "MobileNetV2 (Sandler et al. 2018): inverted residuals with a linear bottleneck, so that a phone does "
        "little arithmetic and moves little memory."
    ),
    "ensemble": (
        "Several towers, each trained on its own; their cosines are averaged, so that what one of them misjudges "
        "the others can outvote."
    ),
    "patterns": (
        "Histograms of local binary patterns over a grid of cells at three sizes (Ojala et al. 2002): nothing in "
        "the tower is learnt."
    ),
    "fisher": (
        "Fisher vectors of dense SIFT descriptors (Simonyan et al. 2013): how thousands of small patches, each "
        "with its place, differ from what is usual on the training faces. No gradient descent."
    ),
    "external": "A tower that was trained elsewhere and is used as it is, an ONNX file among the weights.",
    "residual": (
        "A small residual network: every block adds a correction to what it was given, so that depth does not "
        "keep the gradient from the first filters."
    ),
}
_COMPARATORS = {
    "weighted-l1": "The two embeddings are compared unit by unit, |x − y|, and one logistic unit weighs the "
    "differences: it learns which units tell people apart, and gives a probability.",
    "euclidean": "Two faces are as unlike as their embeddings are far apart; the comparator learns nothing, so "
    "all of the metric is in the tower.",
    "cosine": "The angle between two embeddings: their length, which grows with contrast and "
    "sharpness, cannot decide.",
    "mahalanobis": "The distance ‖L(x − y)‖ with a learnt L: directions in which one person varies count less.",
}
_REASONS = {
    "Conv2d": "finds local patterns with the same filters at every place",
    "BatchNorm2d": "keeps the scale of each channel steady, so that a higher learning rate is stable",
    "BatchNorm1d": "keeps the scale of each number steady, so that none dominates the comparison",
    "ReLU": "passes what was found and drops the rest; does not saturate",
    "ReLU6": "as ReLU, bounded so that 8-bit arithmetic can hold it",
    "PReLU": "as ReLU, with a learnt slope for what is negative",
    "MaxPool2d": "keeps the strongest answer of four places: a shift of a pixel or two no longer matters",
    "AvgPool2d": "halves the map without skipping a place",
    "MaxFeatureMap": "two filters compete, the stronger answer stays",
    "Flatten": "lines the map up: on an aligned face the place itself tells something",
    "Linear": "combines all places into one vector for the face",
    "Sigmoid": "bounds each unit, so that no single difference outweighs the rest",
    "Dropout": "silences random units in training, so that none relies on another; idle in use",
    "DenseSift": "describes small patches by the directions of their edges, whatever the light",
    "FisherVectors": "sums up how the patches differ from a codebook of usual ones",
    "PatternHistograms": "counts which patterns of brighter and darker pixels occur in each cell",
    "Sequential": "a shortcut that passes its input on as it is",
    "Identity": "passes its input on as it is",
    "Cosine": "compares directions alone",
    "Euclidean": "compares places",
    "WeightedL1": "weighs the differences of the units",
    "Mahalanobis": "compares in a learnt metric",
}
_MANY = 30


def network_section(artefacts: Artefacts) -> Section:
    """What the tower and the comparator are made of."""
    model = artefacts.card.model
    blocks: list[Block] = [
        Prose(
            "One tower embeds every face; the two photographs of a pair pass through the same weights, so that "
            "swapping them changes nothing and a known face needs no second pass."
        ),
        Prose(_BACKBONES.get(model.backbone.name, f"Backbone {quoted(model.backbone.name)}.")),
        Prose(_COMPARATORS.get(model.comparator.name, f"Comparator {quoted(model.comparator.name)}.")),
    ]
    if artefacts.layers is None:
        return Section("network", "The model", [*blocks, Note(_MISSING, "missing")])
    return Section("network", "The model", [*blocks, *_tables(artefacts.layers, model)])


_MISSING = "The layer table is missing: the evaluation has written no `layers.csv`."


def _tables(layers: pd.DataFrame, model: ModelParams) -> list[Block]:
    parameters, mmacs = int(layers["parameters"].sum()), float(layers["mmacs"].sum())
    heaviest = layers.iloc[int(layers["parameters"].to_numpy().argmax())]
    share = heaviest["parameters"] / max(parameters, 1)
    told = Prose(
        f"**{count(parameters)}** parameters in all (running statistics of batch norm included), "
        f"**{number(mmacs, 4)}** million multiply-accumulates for one embedding and one comparison. "
        f"{quoted(str(heaviest['name']).removeprefix('backbone.'))} holds {percent(share, 0)} of the parameters."
    )
    columns = [Column("layer"), Column("kind"), Column("output"), Column("numbers", True), Column("MMACs", True)]
    rows = [[*_row(layer), _reason(layer, model)] for layer in records(layers)]
    caption = f"The {len(rows)} layers in the order in which a face passes them."
    return [told, Table([*columns, Column("why", room=24)], rows, caption, folded=len(rows) > _MANY)]


def _row(layer: Json) -> list[str]:
    mmacs = float(layer["mmacs"] or 0)
    return [
        quoted(str(layer["name"]).removeprefix("backbone.")),
        str(layer["kind"]),
        str(layer["output_shape"]),
        count(layer["parameters"]) if layer["parameters"] else "",
        f"{mmacs:.3g}" if mmacs else "",
    ]


def _reason(layer: Json, model: ModelParams) -> str:
    name, kind = str(layer["name"]), str(layer["kind"])
    if name.startswith("comparator") and kind == "Linear":
        weighted = model.comparator.name == "weighted-l1"
        return "weighs the differences of the units" if weighted else "the learnt metric"
    dropout = plain(model.backbone).get("dropout")
    if kind == "Dropout" and dropout is not None:
        return f"{_REASONS[kind]} (share {number(dropout)})"
    return _REASONS.get(kind, "")
