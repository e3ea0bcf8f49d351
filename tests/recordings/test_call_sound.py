"""What of a call's sound can be given away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.recordings.conftest import BEGIN, Place, call_of
from zccvoice.analytics.record import Side
from zccvoice.errors import SoundGoneError
from zccvoice.recordings.call_sound import MIX, sides_of
from zccvoice.store import writes
from zccvoice.store.database import transaction
from zccvoice.store.facts import ParticipantSeen, StreamClosed, StreamOpened
from zccvoice.store.sound import CallSound, StoredLeg, call_sound


@pytest.mark.parametrize("side", [None, "agent", MIX])
def test_sound_before_the_call_is_no_empty_file(side: str | None) -> None:
    early = CallSound(0, (StoredLeg("S", "left", Side.AGENT, -79_000_000),))
    with pytest.raises(SoundGoneError, match="call E: by its clock all sound ends before the call begins"):
        sides_of("E", early, side)


@pytest.mark.parametrize("side", [None, "agent", MIX])
def test_half_a_call_is_not_given_away_for_the_whole(place: Place, talk_file: Path, side: str | None) -> None:
    place.store(call_of(talk_file))
    opened = StreamOpened("E", "S2", "zcc", BEGIN + timedelta(seconds=6), None)
    with transaction(place.engine) as connection:
        writes.apply(connection, [opened, ParticipantSeen("E", "S2", "left")])
        sound = call_sound(connection, "E")
    assert sound is not None
    with pytest.raises(SoundGoneError, match="call E: it has not ended"):
        sides_of("E", sound, side)
    with transaction(place.engine) as connection:
        writes.apply(connection, [StreamClosed("E", "S2", BEGIN + timedelta(seconds=9), "call_ended", "")])
        sound = call_sound(connection, "E")
    assert sound is not None
    assert sides_of("E", sound, side)
