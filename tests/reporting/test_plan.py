"""What the chapter of the training says of a plan of several steps, from a card's own facts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from likeness.artifacts.source_card import SourceCard
from likeness.artifacts.split import SplitCard
from likeness.reporting.document import Block, Prose, Table
from likeness.reporting.sections.plan import plan_blocks
from likeness.training.fitting.params import FitParams
from likeness.training.outputs import TrainingSetup, build_card
from likeness.training.params import RecipeParams
from likeness.training.plan import TrainingTask, run_plan
from tests.training.test_plan import ENSEMBLE, MODEL, TRAIN, deepface, task

SOURCE = SourceCard("folder", synthetic=True, alignment="synthetic", place="tiny", crop=None, size=(32, 32))


def said(wanted: TrainingTask, folder: Path) -> list[Block]:
    setup = TrainingSetup(
        wanted.model, RecipeParams("plan"), wanted.params, SOURCE, SplitCard(protocol="restricted")
    )
    return plan_blocks(build_card(setup, run_plan(wanted, checkpoint=folder, device="cpu")).trained)


def test_a_plain_training_has_nothing_to_add(tmp_path: Path) -> None:
    assert said(task(MODEL, dataclasses.replace(TRAIN, epochs=1)), tmp_path) == []


def test_steps_and_the_proof_of_what_was_frozen(tmp_path: Path) -> None:
    steps, proof = said(deepface(), tmp_path)
    assert isinstance(steps, Table)
    assert isinstance(proof, Prose)
    assert [row[0] for row in steps.rows] == ["`pretrain`", "`train`"]
    assert "**bit-identical** before and after" in proof.text


def test_what_a_map_has_changed(tmp_path: Path) -> None:
    (fit,) = said(task(MODEL, dataclasses.replace(TRAIN, fit=FitParams("wccn"))), tmp_path)
    assert isinstance(fit, Prose)
    assert "**wccn**" in fit.text


def test_members_and_the_gain_over_the_best(tmp_path: Path) -> None:
    _, members, gain = said(ENSEMBLE, tmp_path)
    assert isinstance(members, Table)
    assert isinstance(gain, Prose)
    assert [row[0] for row in members.rows] == ["`member-1`", "`member-2`", "all together"]
    assert "seed 2, share 0.8, window" in members.rows[1][1]
    assert "exceeds its best member, `member-" in gain.text
