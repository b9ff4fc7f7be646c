"""Stage 4, train: a plan of steps, the weights that it ends with, and a card that alone suffices to use them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from likeness.artifacts.json_file import plain
from likeness.artifacts.run_note import RUN_NOTE
from likeness.data.faceset import FaceSet
from likeness.data.splits import Split
from likeness.experiments.composition import compose_params
from likeness.models.network import ModelParams
from likeness.models.weights import save_model
from likeness.operations import read_operations
from likeness.params import read_params, sections_of
from likeness.tracking.runs import DatasetNote, RunTitle, TrackedRun, TrackingParams
from likeness.tracking.titles import differences
from likeness.training.checkpoint import read_run_note, remove_checkpoints, save_run_note
from likeness.training.distributed import is_main_process
from likeness.training.outputs import TrainingSetup, build_card, write_training_reports
from likeness.training.params import RecipeParams, TrainParams
from likeness.training.plan import TrainingTask, run_plan
from pipelines._stage import UsedOption, confirm_parameters, run


def main(
    params: Annotated[Path, typer.Option(help="The params.yaml.")],
    faces: Annotated[Path, typer.Option(help="Folder of the ingest stage.")],
    splits: Annotated[Path, typer.Option(help="Folder of the split stage.")],
    model: Annotated[Path, typer.Option(help="Folder for weights and card.")],
    reports: Annotated[Path, typer.Option(help="Folder for curves and summary.")],
    checkpoint: Annotated[Path, typer.Option(help="Folder that an interrupted training goes on from.")],
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    used: UsedOption = None,
) -> None:
    """Trains what the parameters describe; interrupted and started again, goes on where it was."""
    network, recipe, training = read_params(params, ModelParams, RecipeParams, TrainParams)
    tracking = read_operations(params, TrackingParams)
    face_set = FaceSet.open(faces)
    split = Split.open(splits, face_set.manifest["person"])
    setup = TrainingSetup(network, recipe, training, face_set.source, split.card)
    task = TrainingTask(split.training_data, split.holdout, face_set.pixels, network, setup.preprocess, training)
    learn = partial(run_plan, task, checkpoint=checkpoint, device=device)
    if not is_main_process():
        learn()
        return
    owner = hashlib.sha256(json.dumps([setup.parameters, setup.source.fingerprint]).encode()).hexdigest()
    with TrackedRun.start(
        tracking,
        title=_title(setup, params),
        values=setup.parameters,
        dataset=_dataset(setup),
        resume_run_id=read_run_note(checkpoint, owner),
    ) as tracked:
        save_run_note(checkpoint, owner, tracked.run_id)
        outcome = learn(on_epoch=lambda record: tracked.epoch(dataclasses.asdict(record)))
        card = save_model(model, outcome.network.siamese, build_card(setup, outcome))
        summary = write_training_reports(reports, setup, outcome)
        tracked.steps((step.step, step.loss) for step in outcome.steps)
        note = dataclasses.replace(tracked.finish(model, plain(summary)), weights_sha256=card.weights_sha256)
        RUN_NOTE.write(reports / RUN_NOTE.name, note)
    confirm_parameters(
        params, used, network, recipe, training
    )  # before: put back, they find this training finished
    remove_checkpoints(checkpoint)


def _title(setup: TrainingSetup, params: Path) -> RunTitle:
    """What is asked of the training, beside the recipe that it varies."""
    recipe = setup.recipe
    return RunTitle(
        recipe.name or "unnamed",
        setup.source.source,
        str(setup.split["protocol"]),
        recipe.description,
        _changes(setup, params),
        setup.outside_data,
    )


def _changes(setup: TrainingSetup, params: Path) -> dict[str, tuple[object, object]]:
    """Parameters of network and training that differ from the recipe's; none where no conf/ above holds it."""
    name = setup.recipe.name
    roots = [root for root in params.resolve().parents if (root / "conf" / "recipe" / f"{name}.yaml").is_file()]
    if not roots:
        return {}
    try:
        values = compose_params(roots[0], [f"recipe={name}"])
        document = {key: values[key] for key in ("model", "recipe", "train")}
        sections = sections_of(document, f"conf/recipe/{name}.yaml", ModelParams, RecipeParams, TrainParams)
    except Exception as error:  # a title is no condition of a training
        logging.warning("tracking: the recipe %s cannot be composed: %s", name, error)
        return {}
    wanted = {section.SECTION: dataclasses.asdict(section) for section in sections}
    return differences(wanted, {key: setup.parameters[key] for key in wanted})


def _dataset(setup: TrainingSetup) -> DatasetNote:
    source, sides = setup.source, setup.split["splits"]
    counts = {"images": source.images, "people": source.people}
    pairs = {f"{name}_pairs": int(side["pairs"]) for name, side in sides.items()}
    return DatasetNote(source.source, source.fingerprint, source.place, {**counts, **pairs})


if __name__ == "__main__":
    run(main)
