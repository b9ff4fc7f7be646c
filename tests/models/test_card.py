"""The card of a model, as earlier releases wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from likeness.errors import ModelError
from likeness.models.card import CARD, read_card, write_card
from likeness.models.decision import FmrPoint

FORMER = Path(__file__).parent / "former" / "card.json"
"""Of the packaged model, with the names that rates had before 0.2."""
PACKAGED = Path(__file__).parents[2] / "src" / "likeness" / "pretrained" / "arcface-lfw-colour" / CARD


def test_a_card_with_the_former_names_of_rates_is_read_and_written_in_those_of_now(tmp_path: Path) -> None:
    assert '"far_table"' in FORMER.read_text()
    card = read_card(FORMER)
    assert card == read_card(PACKAGED)
    assert card.decision.fmr_table[0] == FmrPoint(0.1, 0.23073575091121307, 3220)
    write_card(tmp_path / CARD, card)
    assert (tmp_path / CARD).read_text() == PACKAGED.read_text()


def test_a_card_with_both_names_is_refused(tmp_path: Path) -> None:
    text = FORMER.read_text().replace('"decision": {', '"decision": {"fmr_table": [],')
    (tmp_path / CARD).write_text(text)
    with pytest.raises(ModelError, match=r"decision\.far_table: unknown key, did you mean fmr_table"):
        read_card(tmp_path / CARD)
