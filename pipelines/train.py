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

from likeness.params import read_params
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
    logging.info("loading PyTorch")
    from likeness.artifacts.json_file import plain
    from likeness.artifacts.run_note import RUN_NOTE
    from likeness.data.faceset import FaceSet
    from likeness.data.splits import Split
    from likeness.experiments.run_title import dataset_note, run_title
    from likeness.models.architecture import ModelParams
    from likeness.models.weights import save_model
    from likeness.operations import read_operations
    from likeness.tracking.runs import TrackedRun, TrackingParams
    from likeness.training.checkpoint import read_run_note, remove_checkpoints, save_run_note
    from likeness.training.distributed import is_main_process
    from likeness.training.outputs import TrainingSetup, build_card, write_training_reports
    from likeness.training.params import RecipeParams, TrainParams
    from likeness.training.plan import TrainingTask, run_plan

    network, recipe, training = read_params(params, ModelParams, RecipeParams, TrainParams)
    tracking = read_operations(params, TrackingParams)
    face_set = FaceSet.open(faces)
    split = Split.open(splits, face_set.manifest["person"])
    setup = TrainingSetup(network.resolved(), recipe, training, face_set.source, split.card)
    task = TrainingTask(
        split.training_data, split.holdout, face_set.pixels, setup.model, setup.preprocess, training
    )
    learn = partial(run_plan, task, checkpoint=checkpoint, device=device)
    if not is_main_process():
        learn()
        return
    owner = hashlib.sha256(json.dumps([setup.parameters, setup.source.fingerprint]).encode()).hexdigest()
    with TrackedRun.start(
        tracking,
        title=run_title(setup, params),
        values=setup.parameters,
        dataset=dataset_note(setup),
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


if __name__ == "__main__":
    run(main)
