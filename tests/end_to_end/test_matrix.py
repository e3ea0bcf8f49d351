"""Product × codec × division of media × fault, each pair of values once; `scripts/try_matrix.py` has them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from zccvoice.rehearsal.matrix import CODECS, FAULTS, OFFERS, PRODUCTS, Cell, covering, everything, play

WHOLE = {
    "none",
    "start buffer",
    "refused signaling",
    "refused media",
    "slow",
    "silence",
    "packets doubled",
    "packets swapped",
}


@pytest.mark.parametrize(
    "cell", covering(), ids=lambda cell: f"{cell.fault}-{cell.product}-{cell.codec}-{cell.offer}"
)
def test_every_sample_is_decoded_or_in_a_gap(cell: Cell, tmp_path: Path) -> None:
    account = play(cell, tmp_path)
    assert account.problems == []
    if cell.fault in WHOLE:
        assert account.decoded == account.sent > 0
        assert account.texts_received == account.texts_sent > 0


def test_every_two_values_meet() -> None:
    cells = covering()
    assert {(cell.fault, cell.product) for cell in cells} == {(f, p) for f in FAULTS for p in PRODUCTS}
    assert {(cell.fault, cell.codec) for cell in cells} == {(f, c) for f in FAULTS for c in CODECS}
    assert {(cell.fault, cell.offer) for cell in cells} == {(f, o) for f in FAULTS for o in OFFERS}
    assert len(cells) < len(everything()) / 5
