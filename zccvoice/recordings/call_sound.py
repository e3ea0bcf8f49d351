"""A call's sound out of its journals: who is heard in which channel, and whether it is all there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from zccvoice.analytics.record import Side
from zccvoice.audio.frame import SAMPLES_PER_MS
from zccvoice.errors import SoundGoneError
from zccvoice.journal.shelf import Shelf, journal_name
from zccvoice.recordings.playback import Sound, leg_sound, side_by_side
from zccvoice.recordings.sound_file import Channels
from zccvoice.store.sound import CallSound, StoredLeg

MIX = "mix"
"""For a side: everybody in one channel."""
_CENTRE = (Side.AGENT, Side.OTHER)
"""Who is heard on the left: agents, and whoever else of the contact centre was on the call."""


def sides_of(engagement_id: str, sound: CallSound, side: str | None) -> list[list[StoredLeg]]:
    """What is heard in each channel of the file.

    Args:
        engagement_id: the call.
        sound: its tracks.
        side: ``agent``, ``customer`` or ``mix``; None is agent left, customer right.

    Raises:
        SoundGoneError: there are no tracks, or not all of them yet; they end before the call begins; or it is not
            known whose they are.
    """
    legs = sound.legs
    if legs and sound.is_running:
        raise SoundGoneError(
            f"call {engagement_id}: it has not ended, and half of it would pass for the whole"
        )
    if not legs:
        raise SoundGoneError(f"call {engagement_id}: no sound of it ever came, or its call has not ended")
    if max(leg.end_ms for leg in legs) <= 0:
        raise SoundGoneError(
            f"call {engagement_id}: by its clock all sound ends before the call begins; restate it with zccvoice "
            "replay or transcribe --again"
        )
    if side == MIX:
        return [list(legs)]
    unknown = sorted({leg.channel_id for leg in legs if leg.side is None})
    if unknown:
        raise SoundGoneError(
            f"call {engagement_id}: nobody told whose channels {', '.join(unknown)} are; --side mix writes "
            "them all as one"
        )
    both = {
        "agent": [leg for leg in legs if leg.side in _CENTRE],
        "customer": [leg for leg in legs if leg.side is Side.CUSTOMER],
    }
    if side is None:
        return list(both.values())
    if not both[side]:
        raise SoundGoneError(f"call {engagement_id}: nothing was heard of the {side}")
    return [both[side]]


def require_sound(shelf: Shelf, engagement_id: str, legs: Sequence[StoredLeg]) -> None:
    """Check that the journals of these tracks are there, whole and with their keys.

    Raises:
        SoundGoneError: one is not, or is still being written.
    """
    for stream_id in dict.fromkeys(leg.stream_id for leg in legs):
        name = journal_name(stream_id)
        what = f"call {engagement_id}: the sound of stream {stream_id}"
        if not shelf.exists(name):
            raise SoundGoneError(f"{what} is gone: deleted by retention, to make room, or by request")
        if not shelf.has_key(name):
            raise SoundGoneError(f"{what} is gone: its key was shredded")
        if shelf.is_being_written(name):
            raise SoundGoneError(f"{what} is not complete: it is being received or transcribed")


def length_of(sound: CallSound) -> int:
    """Samples at 16 kHz from the zero of the call's clock to the last thing heard."""
    return max(leg.end_ms for leg in sound.legs) * SAMPLES_PER_MS


def channels_of(shelf: Shelf, sound: CallSound, sides: Sequence[Sequence[StoredLeg]]) -> Iterator[Channels]:
    """The sound, on the call's clock, a channel for each of `sides`; silent where nothing arrived.

    Raises (while it is iterated):
        JournalError: a journal cannot be read.
        KeyMissingError: its key was shredded.
    """
    heard = [[_sound_of(shelf, leg, sound.clock_zero_ms) for leg in side] for side in sides]
    return side_by_side(heard, length_of(sound))


def _sound_of(shelf: Shelf, leg: StoredLeg, zero_ms: int) -> Sound:
    return leg_sound(partial(shelf.reader, journal_name(leg.stream_id)), leg.channel_id, zero_ms)
