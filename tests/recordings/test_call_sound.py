"""What of a call's sound can be given away."""

from __future__ import annotations

import pytest

from zccvoice.analytics.record import Side
from zccvoice.errors import SoundGoneError
from zccvoice.recordings.call_sound import MIX, sides_of
from zccvoice.store.sound import CallSound, StoredLeg


@pytest.mark.parametrize("side", [None, "agent", MIX])
def test_sound_before_the_call_is_no_empty_file(side: str | None) -> None:
    early = CallSound(0, (StoredLeg("S", "left", Side.AGENT, -79_000_000),))
    with pytest.raises(SoundGoneError, match="call E: by its clock all sound ends before the call begins"):
        sides_of("E", early, side)
