"""CORE: a track whose timestamps are whole seconds, so that many packets bear the same one.

Such a timestamp tells in which second a packet begins, not where in it. The packets of a second follow one another
in order of arrival, and the next second's follow them; what a second lacks is a hole, when it is a packet or more.
Where in a second the track begins, or goes on after a hole, is known when the next second is told: its packets end
where that one begins. They wait for it, and so do those whose place is in doubt:

- After a packet that announces silence (Opus' DTX) there may be a hole within the second: all that it lacks.
- A packet like another one of its second may have come twice, or be silence, or a tone. It came twice if the
  second would hold more than a second otherwise, or if a repetition that began in an earlier second goes on to it.

So the clock cannot tell where in its second sound is that neither follows other sound nor is followed by the next
second; where in a second a loss was (it is told at the end); one packet too many or too few, where packets do not
divide a second or timestamps jitter; and what came twice in a second that is not full anyhow.

Timestamps are taken for whole seconds when several packets bear the same one, and nothing finer was there before;
where something was, `turning` tells when. Something finer ends it.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from zlib import crc32

from zccvoice.audio.arrivals import LONGEST_BURST_MS, Waiting
from zccvoice.audio.codecs import is_silence_notice
from zccvoice.audio.frame import SAMPLE_RATE_HZ, SAMPLES_PER_MS, AudioFormat

SECOND_MS = 1_000
_SECOND = SAMPLE_RATE_HZ
_REMEMBERED = LONGEST_BURST_MS // SECOND_MS + 1
_LEAST_MANY = 3
_MOST_IN_SECOND = 1_000
"""Of the shortest packets there are 400; a clock that stands still has more and more."""


class WholeSeconds:
    """Whether a track's timestamps are whole seconds, and what then follows from them."""

    def __init__(self, audio_format: AudioFormat, window_ms: int) -> None:
        """Begin.

        Args:
            audio_format: of the payloads.
            window_ms: so late may a packet come.
        """
        self._format = audio_format
        self._window_ms, self._window = window_ms, window_ms * SAMPLES_PER_MS
        self.is_told = False
        """Whether they are."""
        self.is_begin_open = False
        """Whether the clock was set: where in its second the track goes on is not known yet."""
        self._is_refuted = False
        self._heard: dict[int, list[int]] = {}  # of each second, in order of arrival
        self._alike: list[Waiting] = []  # taken for repetitions as long as it is open what the clock tells
        self._again = -1  # so much of the newest second has come again; -1: nothing comes again

    def judge(self, packet: Waiting, waiting: list[Waiting], known_ms: Callable[[], Iterable[int]]) -> int:
        """Learn from the timestamp of a packet that is new.

        Args:
            packet: the one.
            waiting: those without a place; what was taken for repetitions and is none is put back there.
            known_ms: the timestamps of those that were placed, as far as they are remembered, the last one first.

        Returns:
            By how many there are more repetitions than was thought.
        """
        if self._is_refuted:
            return 0
        if packet.timestamp_ms % SECOND_MS:
            is_sure = any(True for _ in known_ms()) or self._is_shared_by_many(waiting)
            return 0 if self.is_told and is_sure else self._refute(waiting)
        if self.is_told or not self._is_shared(packet, waiting, list(known_ms())):
            return 0
        self.is_told = True
        back, self._alike = [one for one in self._alike if _of_second(one, waiting)], []
        for one in back:
            insort(waiting, one)
        for one in (*waiting, packet):
            self._remember(one)
        return -len(back)

    def begin(self) -> None:
        """The timestamps were finer, and are whole seconds from now on."""
        self.is_told, self._is_refuted, self._alike = True, False, []

    def end(self) -> None:
        """The timestamps were whole seconds, and are finer from now on."""
        self.is_told, self._is_refuted = False, True

    def note_alike(self, packet: Waiting, waiting: Sequence[Waiting]) -> None:
        """A packet like one that waits is taken for a repetition, and may be silence all the same."""
        if not self._is_refuted and not self.is_told and _of_second(packet, waiting):
            length = _length(_of_second(packet, self._alike)) + 2 * packet.sample_count
            if packet.timestamp_ms % SECOND_MS == 0 and length <= _SECOND:
                self._alike.append(packet)

    def applies_to(self, packet: Waiting) -> bool:
        """Whether its timestamp tells no more than a second."""
        return self.is_told and packet.timestamp_ms % SECOND_MS == 0

    def is_older(self, packet: Waiting, newest_ms: int) -> bool:
        """Whether it begins before the newest timestamp, for all that its own tells."""
        return packet.timestamp_ms < newest_ms - newest_ms % (SECOND_MS if self.applies_to(packet) else 1)

    def closing_ms(self, newest_ms: int, waiting: Sequence[Waiting], *, is_begun: bool) -> int:
        """What begins before is not waited for any longer."""
        if self._is_refuted or newest_ms % SECOND_MS or (is_begun and not self.is_told):
            return newest_ms - self._window_ms
        newest = _length(one for one in waiting if one.timestamp_ms == newest_ms)
        if newest >= 2 * _SECOND:  # even if all of it came twice, no more is to come
            return newest_ms + 1
        is_plain = self.is_told or waiting[0].sample_count >= _SECOND  # else the next one may tell
        return newest_ms if is_plain and newest >= self._window else newest_ms - SECOND_MS

    def is_known(self, packet: Waiting, newest_ms: int, *, is_over: bool) -> bool:
        """Whether this sound came in this second before; if not it is remembered.

        Args:
            packet: the one.
            newest_ms: the newest timestamp.
            is_over: its second has no room any more.
        """
        heard, digest = self._heard.get(packet.timestamp_ms, []), crc32(packet.payload)
        if self.is_older(packet, newest_ms):
            is_single = heard.count(digest) == 1 and digest not in self._heard.get(newest_ms, [])
            if is_single or (is_over and digest in heard):
                self._again = max(0, self._again)  # so the newest second may come again next
                return True
        elif 0 <= self._again < len(heard) and heard[self._again] == digest:
            self._again += 1
            return True
        self._again = -1
        self._remember(packet)
        return False

    def first_ms(self, waiting: Sequence[Waiting]) -> int:
        """When the track begins with the first of these, all of whose second is there."""
        first = waiting[0]
        if not self.applies_to(first):
            return first.timestamp_ms
        return first.timestamp_ms + max(0, _spare(waiting)) // SAMPLES_PER_MS

    def take_repeats(self, waiting: list[Waiting], room: int) -> int:
        """Of the first second that waits, take out what must have come twice, for else it would hold too much.

        Of packets that are alike the fewest, for silence repeats itself; the last ones first.

        Args:
            waiting: as they are to be placed.
            room: for so many samples there is time.

        Returns:
            How many.
        """
        group = _of_second(waiting[0], waiting)
        surplus, least = _length(group) - room, waiting[0].sample_count
        if surplus < least:
            return 0
        heard = self._heard.get(waiting[0].timestamp_ms, [])
        before, count = len(heard) - len(group), Counter(heard)
        repeats = [at for at in range(max(0, before), len(heard)) if heard[at] in heard[:at]]
        taken: set[int] = set()
        for at in sorted(repeats, key=lambda at: (count[heard[at]], -at)):
            if surplus < least:
                break
            surplus -= group[at - before].sample_count
            taken.add(at)
        waiting[: len(group)] = [one for at, one in enumerate(group, before) if at not in taken]
        heard[:] = [one for at, one in enumerate(heard) if at not in taken]
        return len(taken)

    def hole(self, waiting: Sequence[Waiting], behind: int, last_payload: bytes, *, is_due: bool) -> int:
        """How long the hole before the first of these is.

        Args:
            waiting: in order.
            behind: how far the track is from the beginning of that second, in samples.
            last_payload: the one placed last.
            is_due: nothing more is waited for.

        Returns:
            In samples: 0 for none, negative when its second is over. What is not known yet counts as a hole.
        """
        first = waiting[0]
        group, least = _of_second(first, waiting), first.sample_count
        if behind + _SECOND + least <= 0:
            return -least
        if behind < least:
            is_quiet = is_silence_notice(self._format, last_payload)
            if not is_due:
                return least if is_quiet or self._is_repeat(group) else 0
            if not is_quiet or any(is_silence_notice(self._format, one.payload) for one in group[:-1]):
                return 0
        hole = behind + max(0, _spare(waiting))
        return hole if hole >= least else 0

    def _refute(self, waiting: list[Waiting]) -> int:
        """Something finer is told before the track has begun; returns how many that wait are repetitions."""
        self._is_refuted, self.is_told, self._alike = True, False, []
        before, seen = len(waiting), list[Waiting]()
        for one in waiting:
            if not any(one.is_again(other) for other in seen):
                seen.append(one)
        waiting[:] = seen
        return before - len(seen)

    def _is_shared(self, packet: Waiting, waiting: Sequence[Waiting], known_ms: Sequence[int]) -> bool:
        """Whether other sound has the same timestamp, or so much that is like it that it is silence."""
        is_other = bool(_of_second(packet, waiting)) or packet.timestamp_ms in known_ms[:1]
        told_ms = (*known_ms, *(one.timestamp_ms for one in waiting))
        is_silence = bool(self._alike) and _length(self._alike) >= self._window
        return (is_silence or is_other) and not any(one % SECOND_MS for one in told_ms)

    def _is_shared_by_many(self, waiting: Sequence[Waiting]) -> bool:
        """Whether the first timestamp is no mistake, even if finer ones follow before the track has begun."""
        return bool(waiting) and is_many(_of_second(waiting[0], waiting), self._window)

    def _remember(self, packet: Waiting) -> None:
        heard = self._heard.setdefault(packet.timestamp_ms, [])
        heard.append(crc32(packet.payload))
        del heard[:-_MOST_IN_SECOND]
        if len(self._heard) > _REMEMBERED:
            del self._heard[next(iter(self._heard))]

    def _is_repeat(self, group: Sequence[Waiting]) -> bool:
        """Whether the first of these, which are the last of their second, is like one before it."""
        heard = self._heard.get(group[0].timestamp_ms, [])
        return crc32(group[0].payload) in heard[: -len(group)]


def is_many(packets: Sequence[Waiting], window: int) -> bool:
    """Whether so many cannot begin at the same moment: three with different sound; or they are silence, or a tone.

    Args:
        packets: that might.
        window: if they last for less they may be the same one, come again, in samples.
    """
    is_long = len(packets) >= _LEAST_MANY and _length(packets) >= window
    return is_long or len({one.payload for one in packets}) >= _LEAST_MANY


def _of_second(packet: Waiting, waiting: Sequence[Waiting]) -> list[Waiting]:
    """Those of its timestamp."""
    return [one for one in waiting if one.timestamp_ms == packet.timestamp_ms]


def _spare(waiting: Sequence[Waiting]) -> int:
    """How much room the first second that waits leaves until the next one begins, or something finer is told.

    In samples; 0 where nothing tells.
    """
    first, group = waiting[0], _of_second(waiting[0], waiting)
    if len(group) == len(waiting):
        return 0
    until = (waiting[len(group)].timestamp_ms - first.timestamp_ms) * SAMPLES_PER_MS
    return until - _length(group) if until < _SECOND + first.sample_count else 0


def _length(packets: Iterable[Waiting]) -> int:
    return sum(one.sample_count for one in packets)
