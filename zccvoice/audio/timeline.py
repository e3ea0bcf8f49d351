"""CORE: puts the packets of one track on the sample axis: order, duplicates, gaps (a jitter buffer).

Zoom's timestamps rule, never the time of arrival: after connecting, up to a minute of audio comes at once.
RTMS is a reliable transport, so a hole in the timestamps is something that Zoom did not have: loss before
Zoom, or a leg that was muted or held and sent nothing: `holes` tells which. Where payloads came and were refused
a hole is loss, also before the first packet and after the last one.

Packets wait for a missing neighbour until something newer than `window_ms` has come; then the hole becomes a
`Gap`. Timestamps may jitter: a packet that begins within half a packet of the expected position continues the
track without a seam, so that rounding in the timestamps never costs or adds a sample. A sender whose samples are
slower or faster than its timestamps is held to the timestamps, by a packet more or less when it has come to that.
Timestamps that are whole seconds tell less, and `seconds` what to make of them.

A clock may jump. One that is set back is known by packets that are all too late and not for a gap (`arrivals`);
the axis goes on, as it does when the clock is set forward by more than a day. What Zoom repeats after an
interruption is too late as well, but has its timestamps and its sound from before: that much is remembered of
every packet. A single timestamp far ahead is believed when the next one confirms it: one near it, or further
ahead.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from itertools import chain
from struct import Struct

from zccvoice.audio.arrivals import LONGEST_BURST_MS, Late, Waiting
from zccvoice.audio.codecs import counter_for, is_silence_notice, unwrapped
from zccvoice.audio.frame import SAMPLES_PER_MS, AudioFormat, Encoding, Gap, Packet
from zccvoice.audio.holes import Holes
from zccvoice.audio.newest import FAR_AHEAD_MS, LONGEST_HOLE_MS, is_confirmed
from zccvoice.audio.seconds import SECOND_MS, WholeSeconds
from zccvoice.audio.turning import Turning, last_fine_ms
from zccvoice.errors import DecodeError

WINDOW_MS = 200
"""How long a hole is kept open for packets that come late."""
QUIET_AFTER_MS = 2_000
"""A longer hole is a leg that sent nothing, not loss."""
REMEMBERED_MS = LONGEST_BURST_MS
"""So much sound is known when it comes again."""
_USUAL_MS, _LEAST_MARKS = 20, 256
_MARK = Struct("<q8s")  # a packet's timestamp and how its sound begins: 16 bytes
_mark_into = _MARK.pack_into
_new = tuple.__new__  # `Packet(...)` takes twice as long, and would be a third of what a packet costs here


class Timeline:
    """The jitter buffer of one track."""

    def __init__(
        self, audio_format: AudioFormat, *, window_ms: int = WINDOW_MS, quiet_after_ms: int = QUIET_AFTER_MS
    ) -> None:
        self._format = audio_format
        self._is_rtp = audio_format.is_rtp
        self._sample_count = counter_for(audio_format)
        self._usual_bytes, self._usual_count = -1, 0
        self._holes = Holes(window_ms, quiet_after_ms)
        self._refusals = self._holes.refusals
        self._waiting: list[Waiting] = []
        self._far: Waiting | None = None
        self._late = Late()
        self._seconds = WholeSeconds(audio_format, window_ms)
        self._turning = Turning(window_ms * SAMPLES_PER_MS)
        self._is_in_order = False  # the track has begun, and nothing waits or is doubted
        self._newest_ms = -1
        # Of the packets placed last, a ring.
        count = max(_LEAST_MARKS, REMEMBERED_MS // (audio_format.packet_ms or _USUAL_MS))
        self._marks_size = count * _MARK.size
        self._marks = bytearray(b"\xff" * self._marks_size)
        self._last_payload = b""
        self._next = 0
        self._zero_ms = 0
        self._lost = 0.0
        self.pauses = self._holes.pauses
        """When Zoom captured nothing: a hole in one is quiet."""
        self.first_timestamp_ms: int | None = None
        """Zoom's timestamp of position 0; None until the first packet was placed."""
        self.packets = 0
        """Packets placed on the axis."""
        self.lost_packets = 0
        """Packets' worth of audio in holes that count as loss."""
        self.duplicate_packets = 0
        """Packets that had been there before."""
        self.reordered_packets = 0
        """Packets that came after a newer one, in time or too late."""
        self.late_packets = 0
        """Packets left out because the track was past them: they came too late, or drift made one too many."""
        self.stray_packets = 0
        """Packets left out for a timestamp far ahead of all before and after them."""

    @property
    def position(self) -> int:
        """The sample after the last one that was placed."""
        return self._next

    def push(
        self, timestamp_ms: int, payload: bytes, source: tuple[int, int] | None = None
    ) -> list[Packet | Gap]:
        """Take in one packet; returns what is now complete, in order and without overlap.

        Args:
            timestamp_ms: Zoom's.
            payload: still encoded, as it came.
            source: handed on with the packet, see `Packet.source`.

        Raises:
            DecodeError: the payload cannot be audio of this format; its time becomes a gap, ``undecodable``.
        """
        try:
            if self._is_rtp:
                payload = unwrapped(self._format, payload)
            count = self._usual_count if len(payload) == self._usual_bytes else self._counted(payload)
        except DecodeError:
            if payload:  # else nothing was said with it, as when nothing comes
                self._refusals.forget(self._end_ms)
                self._refusals.add(timestamp_ms, SECOND_MS if self._seconds.is_told else self._refused_ms)
            raise
        if self._is_in_order:
            hole = (timestamp_ms - self._zero_ms) * SAMPLES_PER_MS - self._next
            if -count < hole and hole * 2 < count and timestamp_ms > self._newest_ms:  # nearly every packet
                self._newest_ms = timestamp_ms
                return [self._place(timestamp_ms, payload, count, source)]
        placed = self._doubt(Waiting(timestamp_ms, payload, count, source))
        is_in_doubt = self._waiting or self._late or self._turning or self._far or self._seconds.is_told
        self._is_in_order = self.first_timestamp_ms is not None and not is_in_doubt
        return placed

    def expect_loss(self, from_ms: int, until_ms: int, cause: str) -> None:
        """We did not listen in this time of Zoom's clock: a hole there is loss, however long it is.

        Unless the leg had been quiet for long when it began and was so when it ended; what of a hole lies before
        or after it is judged as ever.
        """
        self._holes.expect_loss(from_ms, until_ms, cause)

    def miss(self, from_ms: int, until_ms: int, cause: str) -> None:
        """This is known to be lost; a track that nothing has come of begins with it."""
        if self.first_timestamp_ms is None and not self._waiting:
            self.first_timestamp_ms = self._zero_ms = from_ms
        self.expect_loss(from_ms, until_ms, cause)

    def flush(self) -> list[Packet | Gap]:
        """The track is over: place everything that still waits."""
        placed = self._take_held() + self._release(self._newest_ms + 1)
        if self._seconds.is_begin_open:  # the last ones told that the clock was set back
            placed += self._release(self._newest_ms + 1)
        if (far := self._far) is not None:  # nothing came after it that would contradict it
            self._far = None
            if far.timestamp_ms - self._newest_ms > LONGEST_HOLE_MS:
                self.stray_packets += 1
            else:
                self._waiting.append(far)
                placed += self._release(far.timestamp_ms + 1)
        placed += self._refused_end()
        return placed

    def _counted(self, payload: bytes) -> int:
        count = self._sample_count(payload)
        if self._format.encoding is not Encoding.OPUS:  # of all others the size tells: the next one is known
            self._usual_bytes, self._usual_count = len(payload), count
        return count

    @property
    def _end_ms(self) -> int:
        """Where the track ends by now, by the sender's clock."""
        return self._zero_ms + self._next // SAMPLES_PER_MS

    @property
    def _refused_ms(self) -> int:
        """How long a refused payload is taken to be."""
        return self._format.packet_ms or self._usual_count // SAMPLES_PER_MS or _USUAL_MS

    def _begin(self, first_ms: int) -> None:
        """Position 0 is the first packet, or what was refused before it."""
        if self.first_timestamp_ms is not None:  # the clock was set
            self._continue_at(first_ms)
            return
        begin_ms, _ = self._refusals.around(first_ms, self._refused_ms)
        self.first_timestamp_ms = self._zero_ms = min(first_ms, begin_ms)

    def _refused_end(self) -> list[Gap]:
        """What was refused after the last packet, or instead of all of them."""
        if self.first_timestamp_ms is None:
            if not (refused := list(self._refusals)):
                return []
            self._begin(refused[0].from_ms)
        _, end_ms = self._refusals.around(self._end_ms, self._refused_ms)
        if self._seconds.is_told:  # of the last second they were some, no more is known
            end_ms -= SECOND_MS - self._refused_ms
        hole, packet_samples = self._position_of(end_ms) - self._next, self._refused_ms * SAMPLES_PER_MS
        return self._gaps(hole, packet_samples) if hole * 2 >= packet_samples else []

    def _doubt(self, packet: Waiting) -> list[Packet | Gap]:
        """Take in a packet, unless it may tell that the timestamps are whole seconds from now on."""
        if packet.timestamp_ms % SECOND_MS:
            placed = self._take_held() + self._take(packet)
            if self._seconds.is_told and self.packets and packet.timestamp_ms == self._newest_ms:
                placed += self._release(packet.timestamp_ms)  # they came before
                self._seconds.end()
            return placed
        told_ms = chain(self._known_ms(), (one.timestamp_ms for one in self._waiting))
        if self._seconds.is_told or not self._turning.concerns(packet, self._newest_ms, told_ms):
            return self._take(packet)
        if not self._turning.hold(packet, self._newest_ms):
            return self._take_held() if self._turning.is_full else []
        placed = self._release(last_fine_ms(self._waiting) + 1)  # they came before
        self._newest_ms -= self._newest_ms % SECOND_MS
        self._seconds.begin()
        return placed + self._take_held()

    def _take_held(self) -> list[Packet | Gap]:
        return [piece for packet in self._turning.let_go() for piece in self._take(packet)]

    def _take(self, packet: Waiting) -> list[Packet | Gap]:
        if self._is_known(packet):
            self.duplicate_packets += 1
            self._seconds.note_alike(packet, self._waiting)
            return []
        if not self._late:
            self.duplicate_packets += self._seconds.judge(packet, self._waiting, self._known_ms)
        self._doubt_the_first(packet)
        placed: list[Packet | Gap] = []
        if self._is_far_ahead(packet.timestamp_ms):
            far = self._far
            if far is None or not is_confirmed(self._newest_ms, far.timestamp_ms, packet.timestamp_ms):
                self.stray_packets += far is not None
                self._far = packet
                return []
            placed = self._believe(far)
            if self._is_far_ahead(packet.timestamp_ms):
                self._far = packet
                return placed + self._release(self._newest_ms + 1)
        elif self._far is not None and packet.timestamp_ms > self._newest_ms:
            self._far = None  # the track goes on where it was
            self.stray_packets += 1
        if self._seconds.is_older(packet, self._newest_ms):
            self.reordered_packets += 1
        self._newest_ms = max(self._newest_ms, packet.timestamp_ms)
        insort(self._waiting, packet)
        return placed + self._release(self._closing_ms)

    def _is_known(self, packet: Waiting) -> bool:
        """Whether this sound came at this time before: the time alone may be that of a clock that was set back."""
        if self._far is not None and self._far.is_again(packet):
            return True
        at = self._position_of(packet.timestamp_ms)
        if self._seconds.applies_to(packet):
            is_over = self._next > at + SECOND_MS * SAMPLES_PER_MS
            return self._seconds.is_known(packet, self._newest_ms, is_over=is_over)
        if packet.timestamp_ms > self._newest_ms:
            return False
        if at < self._next:  # else it cannot have been placed
            return _MARK.pack(packet.timestamp_ms, packet.payload) in self._marks
        return any(one.is_again(packet) for one in self._waiting)

    def _known_ms(self) -> Iterator[int]:
        """The timestamps of the packets placed last, the last one first."""
        remembered = min(self.packets, self._marks_size // _MARK.size)
        for at in range(self.packets - 1, self.packets - 1 - remembered, -1):
            yield _MARK.unpack_from(self._marks, at * _MARK.size % self._marks_size)[0]

    @property
    def _closing_ms(self) -> int:
        """What begins before is not waited for any longer."""
        return self._seconds.closing_ms(self._newest_ms, self._waiting, is_begun=self.packets > 0)

    def _is_far_ahead(self, timestamp_ms: int) -> bool:
        return 0 <= self._newest_ms < timestamp_ms - FAR_AHEAD_MS

    def _doubt_the_first(self, packet: Waiting) -> None:
        """The very first packet may be the one with the wrong timestamp."""
        if self.first_timestamp_ms is None and len(self._waiting) == 1:
            (first,) = self._waiting
            if first.timestamp_ms > packet.timestamp_ms + FAR_AHEAD_MS:
                self.stray_packets += self._far is not None
                self._waiting, self._far = [], first
                self._newest_ms = packet.timestamp_ms

    def _believe(self, far: Waiting) -> list[Packet | Gap]:
        """What was far ahead is where the track goes on."""
        placed = self._release(self._newest_ms + 1)
        hole_ms = far.timestamp_ms - self._newest_ms
        if hole_ms > LONGEST_HOLE_MS:
            self._continue_at(far.timestamp_ms)
            self._seconds.is_begin_open = self._seconds.applies_to(far)
        self._newest_ms = far.timestamp_ms
        self._far = None
        self._waiting.append(far)
        return placed

    def _release(self, closing_ms: int) -> list[Packet | Gap]:
        """Place waiting packets: those that continue the track, and all that begin before `closing_ms`."""
        placed: list[Packet | Gap] = []
        while self._waiting:
            packet = self._waiting[0]
            is_due = packet.timestamp_ms < closing_ms
            if self.first_timestamp_ms is None or self._seconds.is_begin_open:
                if not is_due:
                    break
                self._begin(self._seconds.first_ms(self._waiting))
            hole = self._hole_before(packet, is_due)
            packet = self._waiting[0]  # that one may have been a repetition
            if hole * 2 >= packet.sample_count:
                if not is_due:
                    break
                placed.extend(self._gaps(hole, packet.sample_count))
            self._waiting.pop(0)
            if hole <= -packet.sample_count:  # all of it lies before what was placed: too late
                placed += self._leave_out(packet)
                if self._seconds.is_begin_open:
                    closing_ms = self._closing_ms
                continue
            if self._late:
                self._late.end()
            placed.append(
                self._place(packet.timestamp_ms, packet.payload, packet.sample_count, packet.source)
            )
        return placed

    def _hole_before(self, packet: Waiting, is_due: bool) -> int:
        """How long the hole before the first packet that waits is, in samples; negative for an overlap."""
        behind = self._position_of(packet.timestamp_ms) - self._next
        if not self._seconds.applies_to(packet):
            return behind
        if is_due:
            room = SECOND_MS * SAMPLES_PER_MS + min(behind, 0)
            self.duplicate_packets += self._seconds.take_repeats(self._waiting, room)
        return self._seconds.hole(self._waiting, behind, self._last_payload, is_due=is_due)

    def _place(self, timestamp_ms: int, payload: bytes, count: int, source: tuple[int, int] | None) -> Packet:
        at = self.packets
        packet = _new(Packet, (self._next, count, payload, source))
        self._next += count
        _mark_into(self._marks, at * 16 % self._marks_size, timestamp_ms, payload)
        self.packets = at + 1
        self._last_payload = payload
        return packet

    def _leave_out(self, packet: Waiting) -> list[Packet | Gap]:
        """A packet that is too late, unless it tells that the clock was set back."""
        self.late_packets += 1
        at = self._position_of(packet.timestamp_ms)
        middle = at + packet.sample_count // 2
        when = range(middle, middle + 1)
        if self._seconds.applies_to(packet):
            when = range(at, at + SECOND_MS * SAMPLES_PER_MS)
        return self._set_back() if self._late.tells_of_set_back(packet, when) else []

    def _set_back(self) -> list[Packet | Gap]:
        """The sender's clock was set back: nothing but late packets comes, and they are the call.

        The axis goes on with the first of them, after what still waited for a neighbour by the clock before.
        """
        late = self._late.end()
        self.late_packets -= len(late)
        placed = self._release(self._newest_ms + 1)
        self._continue_at(late[0].timestamp_ms)
        self._seconds.is_begin_open = self._seconds.applies_to(late[0])
        self._waiting = sorted(late)
        self._newest_ms = self._waiting[-1].timestamp_ms
        return placed

    def _continue_at(self, timestamp_ms: int) -> None:
        """Position 0 lies elsewhere by the sender's clock from now on: the track goes on with this time."""
        self._zero_ms = timestamp_ms - self._next // SAMPLES_PER_MS
        self._seconds.is_begin_open = False
        self._refusals.forget()
        self._late.forget_gaps()

    def _gaps(self, length: int, packet_samples: int) -> list[Gap]:
        """A hole of this many samples before a packet of that size, as one gap or several."""
        begin = self._zero_ms * SAMPLES_PER_MS + self._next
        is_silence = is_silence_notice(self._format, self._last_payload)
        parts = self._holes.parts(begin, length, is_silence=is_silence)
        return [self._gap(part, packet_samples, cause) for part, cause in parts]

    def _position_of(self, timestamp_ms: int) -> int:
        return (timestamp_ms - self._zero_ms) * SAMPLES_PER_MS

    def _gap(self, length: int, packet_samples: int, cause: str | None) -> Gap:
        if cause is not None:
            self._lost += length / packet_samples
            self.lost_packets = max(1, round(self._lost))
        gap = Gap(self._next, length, cause)
        self._next += length
        self._late.note_gap(gap.position, self._next)
        return gap
