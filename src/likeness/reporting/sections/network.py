"""Chapter: the network, layer by layer, with the reason for each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from likeness.artifacts.json_file import plain
from likeness.models.architecture import ModelParams
from likeness.models.towers.tower_card import towers_of
from likeness.reporting.artefacts import Artefacts, Json, records
from likeness.reporting.document import Block, Column, Facts, Figure, Note, Prose, Section, Table
from likeness.reporting.figures.network import siamese_diagram
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
        "Several towers, each trained on its own; their cosines are averaged, so that what one of them gets wrong "
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
    "differences: it learns by which units people differ, and gives a probability.",
    "euclidean": "Two faces are as unlike as their embeddings are far apart; the comparator learns nothing, so "
    "all of the metric is in the tower.",
    "cosine": "The angle between two embeddings: their length, which grows with contrast and "
    "sharpness, cannot decide.",
    "csls": "The angle between two embeddings, less how near each of them is to a cohort of other people: some "
    "faces are near to everybody, and would be taken for others (CSLS, Conneau et al. 2018).",
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
    "Flatten": "lines the map up: on an aligned face the place itself carries information",
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
    "Csls": "compares directions, and allows for faces that resemble everybody",
}
_FOLLOWERS = {
    "BatchNorm2d": "batch norm",
    "BatchNorm1d": "batch norm",
    "ReLU": "ReLU",
    "ReLU6": "ReLU6",
    "PReLU": "PReLU",
    "Sigmoid": "sigmoid",
    "MaxFeatureMap": "max feature map",
    "Dropout": "dropout",
}
_MOST_MAPS = 7


def network_section(artefacts: Artefacts) -> Section:
    """What the tower and the comparator are made of."""
    model = artefacts.card.model
    blocks: list[Block] = [
        Prose(
            "One tower embeds every face; the two photographs of a pair pass through the same weights, so that "
            "swapping them changes nothing and a known face needs no second pass."
        ),
        Prose(_BACKBONES.get(model.backbone.name, f"Backbone {quoted(model.backbone.name)}.")),
        *(_outside_tower(tower) for tower in towers_of(model.backbone)),
        Prose(_COMPARATORS.get(model.comparator.name, f"Comparator {quoted(model.comparator.name)}.")),
    ]
    if artefacts.layers is None:
        return Section("network", "The model", [*blocks, Note(_MISSING, "missing")])
    layers = records(artefacts.layers)
    diagram = _diagram(layers, model, artefacts.card.preprocess.size)
    return Section("network", "The model", [*blocks, diagram, *_tables(layers, model)])


def _outside_tower(tower: Mapping[str, Any]) -> Facts:
    """What the card of a tower that was trained elsewhere says."""
    height, width = tower["size"]
    order = f", {tower['colour_order'].upper()}" if tower["channels"] == 3 else ", grey"
    crop = "" if tower.get("crop") is None else f", its middle {tower['crop'][0]}×{tower['crop'][1]} pixels"
    scaling = (", ".join(f"{value:g}" for value in tower[key]) for key in ("mean", "scale"))
    facts = [
        ("Fed", f"{height}×{width} pixels, {tower['layout']}{order}; (pixel − {next(scaling)}) · {next(scaling)}"),
        ("Alignment", f"{tower['align']}{crop}"),
        ("Embedding", f"{tower['embedding_dim']} values, compared by {tower['distance']}"),
        ("Licence", quoted(tower["licence"])),
        ("Training data", f"{quoted(tower['training_data'])} ({tower['outside_data']} outside data)"),
        ("Source", f"{quoted(tower['source'])}; sha256 {tower['sha256'][:12]}"),
    ]
    return Facts(facts, f"The outside tower {quoted(tower['name'])}, by its card.")


_MISSING = "The layer table is missing: the evaluation has written no `layers.csv`."


def _diagram(layers: Sequence[Json], model: ModelParams, size: tuple[int, ...]) -> Figure:
    """The last map of each resolution, then the embedding."""
    tower = [layer for layer in layers if not str(layer["name"]).startswith("comparator")]
    shapes = [str(layer["output_shape"]) for layer in tower]
    by_resolution = {shape.partition("×")[2]: shape for shape in shapes if shape.count("×") == 2}
    maps = list(by_resolution.values())[-_MOST_MAPS:]
    parameters = count(sum(int(layer["parameters"]) for layer in tower))
    return siamese_diagram(size, maps, str(model.output_dim), model.comparator.name, parameters)


def _tables(layers: Sequence[Json], model: ModelParams) -> list[Block]:
    parameters = sum(int(layer["parameters"]) for layer in layers)
    mmacs = sum(float(layer["mmacs"] or 0) for layer in layers)
    heaviest = max(layers, key=lambda layer: int(layer["parameters"]))
    text = Prose(
        f"**{count(parameters)}** parameters in all (running statistics of batch norm included), "
        f"**{number(mmacs, 4)}** million multiply-accumulates (MMACs) for one embedding and one comparison. "
        f"{quoted(_short(heaviest))} holds {percent(int(heaviest['parameters']) / max(parameters, 1), 0)} of them."
    )
    columns = [
        *(
            Column(name)
            for name in ("layer", "kind", "kernel", "stride", "padding", "followed by", "output C×H×W")
        ),
        Column("parameters", True),
        Column("MMACs", True),
    ]
    rows, strong = _rows(_merged(layers, _dropout(model)))
    caption = "Layers in the order in which a face passes them; a block in bold has the sums of its layers."
    reasons = {str(layer["kind"]): _reason(layer, model) for layer in layers}
    known = [(kind, reason) for kind, reason in reasons.items() if reason]
    return [text, Table(columns, rows, caption, strong), Facts(known, "What each kind of layer is for.")]


def _merged(layers: Sequence[Json], dropout: str) -> list[Json]:
    """Layers, each with the normalisation, activation and dropout that follow it."""
    merged: list[Json] = []
    for layer in layers:
        word = _FOLLOWERS.get(str(layer["kind"]))
        if word and merged and _block(merged[-1]) == _block(layer):
            last = merged[-1]
            last["then"].append(f"{word} {dropout}" if word == "dropout" and dropout else word)
            last["output_shape"] = layer["output_shape"]
            last["parameters"] = int(last["parameters"]) + int(layer["parameters"])
            last["mmacs"] = float(last["mmacs"] or 0) + float(layer["mmacs"] or 0)
        else:
            merged.append({**layer, "then": []})
    return merged


def _rows(layers: Sequence[Json]) -> tuple[list[list[str]], frozenset[int]]:
    """A row a layer, before those of a block a row with its sums; and which rows are blocks."""
    rows: list[list[str]] = []
    strong = set()
    for block, members in itertools.groupby(layers, key=_block):
        inside = list(members)
        if block and len(inside) > 1:
            strong.add(len(rows))
            sums = [sum(float(layer[key] or 0) for layer in inside) for key in ("parameters", "mmacs")]
            shape = str(inside[-1]["output_shape"])
            rows.append([block, "block", "", "", "", "", shape, count(sums[0]), number(sums[1], 3)])
        rows += [_row(layer) for layer in inside]
    return rows, frozenset(strong)


def _row(layer: Json) -> list[str]:
    mmacs = float(layer["mmacs"] or 0)
    return [
        quoted(_short(layer)),
        str(layer["kind"]),
        *(str(layer[key] or "") for key in ("kernel", "stride", "padding")),
        ", ".join(layer["then"]),
        str(layer["output_shape"]),
        count(layer["parameters"]) if layer["parameters"] else "",
        number(mmacs, 3) if mmacs else "",
    ]


def _short(layer: Json) -> str:
    return str(layer["name"]).removeprefix("backbone.")


def _block(layer: Json) -> str:
    return _short(layer).rpartition(".")[0]


def _dropout(model: ModelParams) -> str:
    """The share of units that are dropped in training; nothing where the backbone has none."""
    share = plain(model.backbone).get("dropout")
    return number(share) if share else ""


def _reason(layer: Json, model: ModelParams) -> str:
    name, kind = str(layer["name"]), str(layer["kind"])
    if name.startswith("comparator") and kind == "Linear":
        weighted = model.comparator.name == "weighted-l1"
        return "weighs the differences of the units" if weighted else "the learnt metric"
    return _REASONS.get(kind, "")
