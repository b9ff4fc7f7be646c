"""`likeness find-rate`: a learning rate to start from, for the recipe that params.yaml holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from likeness.commands.common import Exit, JsonOption, emit, finite

_SHOWN = 12  # rows of the table


def find_rate(
    params: Annotated[Path, typer.Option(help="The params.yaml.")] = Path("params.yaml"),
    faces: Annotated[Path, typer.Option(help="Folder of the ingest stage.")] = Path("data/faces"),
    splits: Annotated[Path, typer.Option(help="Folder of the split stage.")] = Path("data/splits"),
    steps: Annotated[int, typer.Option(min=20, help="Batches to train on, at most.")] = 100,
    low: Annotated[float, typer.Option(help="First rate.", callback=finite)] = 1e-6,
    high: Annotated[float, typer.Option(help="Last rate.", callback=finite)] = 1.0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Train a copy of the network while the learning rate rises; suggest the rate where the loss falls fastest.

    Needs the outputs of ingest and split (dvc repro split). Nothing is changed; put the rate into the recipe, or
    -S train.learning_rate=<rate>. Exit code: 0 a rate is suggested, 1 the loss fell at none, 2 an error.
    """
    from likeness.data.faceset import FaceSet
    from likeness.data.splits import Split
    from likeness.models.architecture import ModelParams
    from likeness.models.network import build_siamese
    from likeness.params import read_params
    from likeness.training.lr_finder import find_learning_rate
    from likeness.training.outputs import TrainingSetup
    from likeness.training.params import RecipeParams, TrainParams

    network, recipe, training = read_params(params, ModelParams, RecipeParams, TrainParams)
    face_set = FaceSet.open(faces)
    split = Split.open(splits, face_set.manifest["person"])
    setup = TrainingSetup(network, recipe, training, face_set.source, split.card)
    siamese = build_siamese(network, face_set.size, training.seed)
    found = find_learning_rate(
        *(split.training_data, face_set.pixels, siamese, setup.preprocess, training),
        seed=training.seed,
        device=device,
        low=low,
        high=high,
        steps=steps,
    )
    if as_json:
        emit({"suggestion": found.suggestion, "rates": found.rates.tolist(), "losses": found.losses.tolist()})
        return
    for place in range(0, len(found.rates), max(1, len(found.rates) // _SHOWN)):
        typer.echo(f"{found.rates[place]:10.2e}  loss {found.losses[place]:.4f}")
    if found.suggestion is None:
        typer.echo(
            "no learning rate is suggested: the loss fell at none of them; try more --steps or other limits"
        )
        raise typer.Exit(Exit.NO)
    typer.echo(f"suggested learning rate: {found.suggestion:.1e} (the recipe's: {training.learning_rate:.1e})")
