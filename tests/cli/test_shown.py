from __future__ import annotations

import pytest

from zccvoice.cli.shown import shown


@pytest.mark.parametrize("name", ["Anruf ñ – 呼叫　1.wav", "", "[red]x[/]", r"c:\new.wav"])
def test_what_can_be_shown_stays_as_it_is(name: str) -> None:
    assert shown(name) == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("new\nline", r"new\nline"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("no character\udcff", r"no character\udcff"),
        ("a\u2028b\u202ec", r"a\u2028b\u202ec"),
    ],
)
def test_what_cannot_be_shown_is_told(name: str, told: str) -> None:
    assert shown(name) == told
    told.encode("utf-8")
