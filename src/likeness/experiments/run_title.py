"""What the tracked run of a training is called, and which data it names."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

from likeness.experiments.composition import compose_params
from likeness.models.architecture import ModelParams
from likeness.models.towers.tower_card import tower_summary
from likeness.params import sections_of
from likeness.tracking.runs import DatasetNote, RunTitle
from likeness.tracking.titles import differences
from likeness.training.outputs import TrainingSetup
from likeness.training.params import RecipeParams, TrainParams


def run_title(setup: TrainingSetup, params: Path) -> RunTitle:
    """What is asked of a training, beside the recipe that it varies.

    Args:
        setup: of the training.
        params: the params.yaml; the nearest conf/ above it that holds the recipe is compared with.
    """
    recipe, share = setup.recipe, setup.split.people_share
    fewer: dict[str, tuple[object, object]] = {} if share == 1 else {"split.people_share": (1.0, share)}
    return RunTitle(
        recipe.name or "unnamed",
        setup.source.source,
        setup.split.protocol,
        recipe.description,
        fewer | _changes(setup, params),
        setup.outside_data,
        tower_summary(network.backbone for network in setup.networks),
    )


def dataset_note(setup: TrainingSetup) -> DatasetNote:
    """The data set and its counts."""
    source, sides = setup.source, setup.split.splits
    counts = {"images": source.images, "people": source.people}
    pairs = {f"{name}_pairs": side.pairs for name, side in sides.items()}
    return DatasetNote(source.source, source.fingerprint, source.place, {**counts, **pairs})


def _changes(setup: TrainingSetup, params: Path) -> dict[str, tuple[object, object]]:
    """Parameters of network and training that differ from the recipe's; none where no conf/ above holds it."""
    name = setup.recipe.name
    roots = [root for root in params.resolve().parents if (root / "conf" / "recipe" / f"{name}.yaml").is_file()]
    if not roots:
        return {}
    try:
        values = compose_params(roots[0], [f"recipe={name}"])
        document = {key: values[key] for key in ("model", "recipe", "train")}
        origin = f"conf/recipe/{name}.yaml"
        network, *others = sections_of(document, origin, ModelParams, RecipeParams, TrainParams)
    except Exception as error:  # a title is no condition of a training
        logging.warning("tracking: the recipe %s cannot be composed: %s", name, error)
        return {}
    wanted = {section.SECTION: dataclasses.asdict(section) for section in (network.resolved(), *others)}
    return differences(wanted, {key: setup.parameters[key] for key in wanted})
