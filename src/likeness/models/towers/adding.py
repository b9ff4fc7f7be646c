"""Takes in a tower from outside: a trial, then its file, its card and a recipe that uses it."""

from __future__ import annotations

import dataclasses
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from likeness.errors import ModelError
from likeness.files import file_sha256, replaced_folder, write_text
from likeness.models.backbones.external import ExternalParams, ExternalTower, TowerInput, read_input
from likeness.models.towers.presets import PRESETS
from likeness.models.towers.tower_card import ONNX, TOWER_CARD, TowerCard
from likeness.onnx_session import open_session

_FACES = 8
_TIMED = 3  # rounds, of which the quickest counts
_WRITTEN = "# Written by `likeness tower add`"


@dataclass(frozen=True)
class TowerCheck:
    """What a trial with random faces measured.

    Attributes:
        card: the card, completed by what the file says of itself.
        milliseconds: for one face, as fast as torch's threads allow.
        batch_difference: largest difference between a face alone and among others, relative to the largest value.
    """

    card: TowerCard
    milliseconds: float
    batch_difference: float


def try_tower(file: Path, described: TowerCard) -> TowerCheck:
    """Runs a tower's file as its card says.

    Args:
        file: ONNX.
        described: its card; layout, length of the embedding, file and digest are replaced by those that are found.

    Raises:
        ModelError: the file is no such network, does not fit the card, or gives no usable embeddings.
    """
    declared = read_input(open_session(file, 1), file)
    _require_fit(file, declared, described)
    faces = _random_faces(described)
    tower = _tower(described)
    tower.take(file)
    embeddings = _embed(tower, faces)
    _require_sense(file, embeddings)
    alone = np.concatenate([_embed(tower, faces[row : row + 1]) for row in range(len(faces))])
    difference = float(np.abs(alone - embeddings).max() / np.abs(embeddings).max())
    if difference > 1e-3:
        raise ModelError(
            f"{file}: gives a face other values alone than among others ({difference:.1e} of the largest)"
        )
    card = dataclasses.replace(
        described,
        file=ONNX,
        sha256=file_sha256(file),
        layout=_layout(declared),
        embedding_dim=embeddings.shape[1],
    )
    return TowerCheck(card, _milliseconds(tower, faces[:1]), difference)


def add_tower(trial: TowerCheck, file: Path, towers: Path, recipes: Path | None) -> tuple[Path, Path | None]:
    """Keeps a tried tower.

    Args:
        trial: of the file.
        file: ONNX; it is copied.
        towers: folder of all towers; one of the same name is replaced.
        recipes: folder of the recipes, conf/recipe of a project; None: no recipe is written.

    Returns:
        Paths of the card and of the recipe; None where there is none, or one that comes with the project.

    Raises:
        ModelError: the name is that of another recipe.
        OutputError: a folder cannot be written.
    """
    card = trial.card
    recipe = None if recipes is None else recipes / f"{card.name}.yaml"
    path = towers / card.name / TOWER_CARD.name
    held = recipe.read_text(encoding="utf-8") if recipe is not None and recipe.is_file() else ""
    shipped = bool(held) and _WRITTEN not in held
    if shipped and f"card: {path.as_posix()}\n" not in held:
        raise ModelError(f"{recipe}: another recipe has the name {card.name}; choose one with --name")
    with replaced_folder(path.parent) as fresh:
        shutil.copyfile(file, fresh / card.file)
        TOWER_CARD.write(fresh / TOWER_CARD.name, card)
    if recipe is None or shipped:
        return path, recipe
    write_text(recipe, recipe_of(card, path))
    return path, recipe


def recipe_of(card: TowerCard, path: Path) -> str:
    """The recipe of a tower, as conf/recipe holds it; `path` is that of its card."""
    crop = "null" if card.crop is None else f"[{card.crop[0]}, {card.crop[1]}]"
    return f"""\
# @package _global_
{_WRITTEN} from {path.as_posix()}: that tower, kept as it is, and faces as it was trained on.
# Threshold and calibration are fitted on the held-out pairs; a map behind it with -S 'train.fit={{kind: wccn}}'.
recipe:
  name: {card.name}
  description: "The outside tower {card.name}, kept as it is; threshold and calibration fitted on held-out pairs"
data:
  colour: {str(card.channels == 3).lower()}
  align: {card.align}
  crop: {crop}
  size: [{card.size[0]}, {card.size[1]}]
split:
  protocol: restricted
model:
  comparator: {{name: {card.distance}}}
  embedding_dim: {card.embedding_dim}
  backbone:
    name: external
    card: {path.as_posix()}
    sha256: {card.sha256}
train:
  epochs: 0
  batch_size: 64
  standardise: unit       # the tower scales pixels itself
  mirror_average: true
"""


def check_name(name: str) -> str:
    """A name for a tower's folder and recipe.

    Raises:
        ModelError: it is none.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise ModelError(f"expected a name of small letters, digits and hyphens, at most 40, found {name!r}")
    return name


def _require_fit(file: Path, declared: TowerInput, described: TowerCard) -> None:
    sides = tuple(
        given if isinstance(given, int) else wanted
        for given, wanted in zip(declared.size, described.size, strict=True)
    )
    if sides != described.size or declared.channels != described.channels:
        fits = [
            name
            for name, preset in PRESETS.items()
            if (preset.size, preset.channels) == (sides, declared.channels)
        ]
        hint = f"; the preset {' or '.join(fits)} has such faces" if fits else "; describe it in a card (--card)"
        raise ModelError(
            f"{file}: takes faces of {sides[0]}×{sides[1]} pixels in {_colours(declared.channels)}, the card says "
            f"{described.size[0]}×{described.size[1]} in {_colours(described.channels)}{hint}"
        )


def _colours(channels: int) -> str:
    return "colour" if channels == 3 else "grey"


def _layout(declared: TowerInput) -> Literal["NCHW", "NHWC", "uint8"]:
    if declared.raw:
        return "uint8"
    return "NHWC" if declared.channels_last else "NCHW"


def _tower(described: TowerCard) -> ExternalTower:
    params = ExternalParams("external", mean=described.mean, scale=described.scale, tower=described)
    return ExternalTower.build(params, described.size, described.embedding_dim, described.channels)


def _random_faces(described: TowerCard) -> npt.NDArray[np.float32]:
    shape = (_FACES, described.channels, *described.size)
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def _embed(tower: ExternalTower, faces: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(tower(torch.from_numpy(faces)).numpy(), np.float32)


def _require_sense(file: Path, embeddings: npt.NDArray[np.float32]) -> None:
    if not np.isfinite(embeddings).all():
        raise ModelError(f"{file}: gives values that are not finite; check mean and scale, or the file")
    if np.abs(embeddings - embeddings[0]).max() <= 1e-6 * np.abs(embeddings).max():
        raise ModelError(f"{file}: gives every face the same embedding; check mean and scale, or the file")


def _milliseconds(tower: ExternalTower, face: npt.NDArray[np.float32]) -> float:
    seconds = []
    for _ in range(_TIMED):
        begun = time.perf_counter()
        _embed(tower, face)
        seconds.append(time.perf_counter() - begun)
    return 1000 * min(seconds)
