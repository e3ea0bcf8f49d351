"""CORE: one participant, from packets to utterances.

packets → `Timeline` → `Decoder` → ``int16[n]`` → detector → `Endpointer` → `Confirmation` → `Utterance`

Packets are gathered for half a second, while nobody speaks for a whole one: much of what follows costs the same
for one frame as for thirty.

Keeps only the sound that may still be needed: the open utterance and a little before it. What comes at 8 kHz is
kept and listened to at that rate; only utterances are resampled. A short loss has its place inside the track's
axis, so that positions stay true; across a longer one, and while a leg is quiet, nothing is computed and the open
utterance is closed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from zccvoice.audio.clipping import Clipping, clipping_for
from zccvoice.audio.decoder import LONGEST_BRIDGED_SAMPLES, Decoder
from zccvoice.audio.frame import SAMPLE_RATE_HZ, SAMPLES_PER_MS, AudioFormat, Gap, Packet, Samples
from zccvoice.audio.quality import (
    SpeechLevel,
    TrackQuality,
    clipped_ratio,
    level_dbfs,
)
from zccvoice.audio.recent import RecentSound
from zccvoice.audio.resampler import resampled
from zccvoice.audio.sides import Levels
from zccvoice.audio.timeline import Timeline
from zccvoice.audio.trail import Trail
from zccvoice.config import VadConfig
from zccvoice.speech.confirmation import Confirmation, Doubt, Stretch
from zccvoice.speech.detectors import detector_for
from zccvoice.speech.endpointer import ONSET_WINDOW_FRAMES, SpeechSpan, endpointer_for
from zccvoice.speech.loudness import Loudness
from zccvoice.speech.utterance import Utterance
from zccvoice.speech.vad import (
    FRAME_MS,
    FRAME_SAMPLES,
    Decisions,
    SpeechDetector,
)

_GATHERED_SAMPLES = 480 * SAMPLES_PER_MS
"""No more than silence has to last before an utterance is over: who waits for that hardly notices."""
_GATHERED_QUIET_SAMPLES = 2 * _GATHERED_SAMPLES
"""While nobody speaks: the shortest utterance with its silence is hardly shorter."""
_LEAST_SURPLUS = SAMPLE_RATE_HZ
"""Dropping what is no longer needed takes time: it has to be worth it."""


@dataclass(frozen=True, slots=True)
class TrackGap:
    """Audio that should have arrived and did not, on Zoom's clock."""

    start_timestamp_ms: int
    end_timestamp_ms: int
    cause: str


class Track:
    """The audio of one participant in one stream."""

    def __init__(
        self,
        channel_id: str,
        audio_format: AudioFormat,
        settings: VadConfig,
        detector: SpeechDetector | None = None,
    ) -> None:
        self.channel_id = channel_id
        self.audio_format = audio_format
        """What its payloads are."""
        self.timeline = Timeline(audio_format)
        """Holds the counts of packets."""
        # Silero hears 16 kHz.
        is_narrow = detector is None and settings.detector != "silero"
        self._clipping = clipping_for(audio_format)
        self._decoder = Decoder(audio_format, is_narrow=is_narrow, clipping=self._clipping)
        self._trail = Trail(self._decoder)
        self._placed: list[Packet | Gap] = []
        self._detector = detector or detector_for(settings, self._decoder.rate_hz)
        self._endpointer = endpointer_for(settings)
        self._confirmation = Confirmation(settings)
        # Sound after the speech is there only as far as the endpointer waited for it; resampling reaches further.
        self._padding = min(settings.padding_ms, settings.hangover_ms - FRAME_MS) * SAMPLES_PER_MS
        # Samples on the axis for one that came, the first of them.
        self._per_came = max(1, SAMPLE_RATE_HZ // audio_format.rate_hz)
        self._sound = RecentSound(self._decoder.rate_hz)
        self._needed_from = 0
        self._decisions = Decisions([], [])  # of its frames
        self._decided_from = 0
        self._jumped_to = -1
        self._analysed = 0
        self._origin = 0  # the sample at which the endpointer's frame 0 would lie; moves when a gap is jumped
        self._last_end = 0
        self._speech_level = SpeechLevel()
        self._loudness = Loudness()

    def place(self, timestamp_ms: int, payload: bytes, source: tuple[int, int] | None = None) -> None:
        """Take in one packet, for `decode`.

        Args:
            timestamp_ms: Zoom's.
            payload: still encoded.
            source: where the payload can be read again; utterances tell it in their `Utterance.passage`.

        Raises:
            DecodeError: the payload cannot be this track's audio. The track goes on, with a gap.
        """
        self._placed += self.timeline.push(timestamp_ms, payload, source)

    def note_clipped(self, from_ms: int, rate_hz: int, lengths: Sequence[int]) -> None:
        """Take in what `SoundClipped` tells, before the sound that it is told of."""
        first_ms = self.timeline.first_timestamp_ms
        self._clipping = self._clipping or Clipping(rate_hz)
        self._clipping.note(0 if first_ms is None else (from_ms - first_ms) * SAMPLES_PER_MS, lengths)

    def decode(self) -> list[Samples | Gap]:
        """What of the track is complete by now, in order, for `hear`.

        Nothing, until enough has been gathered.
        """
        is_quiet = self._endpointer.open_since is None
        wanted = _GATHERED_QUIET_SAMPLES if is_quiet else _GATHERED_SAMPLES
        if not self._placed or self.timeline.position - self._placed[0].position < wanted:
            return []
        return self._decoded()

    def hear(self, pieces: list[Samples | Gap]) -> list[Utterance | TrackGap]:
        """Run detector and endpointer over what `decode` gave; returns what it completed."""
        return _settled(self.hear_in_steps(pieces))

    def hear_in_steps(self, pieces: list[Samples | Gap]) -> Iterator[Utterance | TrackGap | Doubt]:
        """`hear`, for who cannot wait for Silero: each doubt has to be settled before the next step."""
        for piece in pieces:
            if not isinstance(piece, Gap):
                yield from self._listen(piece)
                continue
            if piece.cause is not None:
                start = self._timestamp_ms(piece.position)
                yield TrackGap(start, start + piece.sample_count // SAMPLES_PER_MS, piece.cause)
            is_same_hole = piece.position == self._jumped_to and not piece.is_in_sound
            if piece.sample_count > LONGEST_BRIDGED_SAMPLES or is_same_hole:
                yield from self._close_utterance()
                self._jump(piece.position + piece.sample_count)

    def flush(self) -> list[Utterance | TrackGap]:
        """The track is over: place what waits and close the open utterance."""
        return _settled(self.flush_in_steps())

    def flush_in_steps(self) -> Iterator[Utterance | TrackGap | Doubt]:
        """`flush`, as `hear_in_steps`."""
        self._placed += self.timeline.flush()
        yield from self.hear_in_steps(self._decoded() + self._decoder.flush())
        yield from self._close_utterance()

    @property
    def noise_dbfs(self) -> float | None:
        """10th percentile of the level outside speech, whole dB; None before any such frame."""
        return self._loudness.noise_dbfs

    @property
    def levels(self) -> Levels:
        """For comparing the sides of a call."""
        return self._loudness.levels

    @property
    def quality(self) -> TrackQuality:
        """How the track sounds so far."""
        counts = self.timeline
        due = counts.packets + counts.lost_packets
        return TrackQuality(
            speech_dbfs=self._speech_level.dbfs,
            noise_dbfs=self.noise_dbfs,
            clipped_ratio=self._speech_level.clipped_ratio,
            lost_ratio=counts.lost_packets / due if due else None,
        )

    @property
    def open_since_timestamp_ms(self) -> int | None:
        """Where the utterance that goes on now begins, on Zoom's clock; None between utterances."""
        since = self._endpointer.open_since
        return None if since is None else self._timestamp_ms(since * FRAME_SAMPLES + self._origin)

    @property
    def end_timestamp_ms(self) -> int | None:
        """Where the placed audio ends, on Zoom's clock."""
        first = self.timeline.first_timestamp_ms
        return None if first is None else first + self.timeline.position // SAMPLES_PER_MS

    def _decoded(self) -> list[Samples | Gap]:
        placed, self._placed = self._placed, []
        self._trail.add(placed)
        return self._decoder.decode(placed) if placed else []

    def _listen(self, samples: Samples) -> Iterator[Utterance | Doubt]:
        """Take in the next stretch of sound, as far as it fills whole frames."""
        self._sound.add(samples)
        whole = (self._sound.end - self._analysed) // FRAME_SAMPLES * FRAME_SAMPLES
        if not whole:
            return
        decisions = self._detector.detect(self._sound.between(self._analysed, self._analysed + whole))
        self._decisions.is_speech.extend(decisions.is_speech)
        self._decisions.levels_dbfs.extend(decisions.levels_dbfs)
        for span in self._endpointer.push(decisions):
            if not span.is_open:
                yield from self._utterances(span)
            elif not (yield from self._confirmation.confirm(self._stretch(span))):
                self._endpointer.flush()  # music or noise so far: nothing in it is worth waiting for
        self._analysed += whole
        self._loudness.add(decisions, self._analysed)
        self._forget()

    def _close_utterance(self) -> Iterator[Utterance | Doubt]:
        span = self._endpointer.flush()
        if span is not None:
            yield from self._utterances(span)

    def _utterances(self, span: SpeechSpan) -> Generator[Utterance | Doubt]:
        """What a span holds when it was looked at again."""
        stretch = self._stretch(span)
        for one in (yield from self._confirmation.confirm(stretch)):
            yield self._utterance(one, stretch)

    def _stretch(self, span: SpeechSpan) -> Stretch:
        """A span with what surrounds it, as far as it is there whenever packets came."""
        around = self._padding // FRAME_SAMPLES
        first = max(span.start - around, self._decided_from)
        inside = slice(
            first - self._decided_from,
            min(span.end + around, self._endpointer.position) - self._decided_from,
        )
        end = span.end * FRAME_SAMPLES + self._origin
        if not span.is_open:
            known, heard = self._sound.end, self._endpointer.position * FRAME_SAMPLES + self._origin
            if heard > self._analysed:  # more has come, how much depends on the packets; else nothing follows
                known = heard - self._decoder.reach_before_samples
            end = min(end + self._padding, known)
        return Stretch(
            span,
            first,
            self._wide(first * FRAME_SAMPLES + self._origin, end, sees_beyond=not span.is_open),
            Decisions(self._decisions.is_speech[inside], self._decisions.levels_dbfs[inside]),
        )

    def _utterance(self, span: SpeechSpan, stretch: Stretch) -> Utterance:
        """Frames → samples with padding; all of it lies in the stretch."""
        start = span.start * FRAME_SAMPLES + self._origin
        end = span.end * FRAME_SAMPLES + self._origin
        first = stretch.first * FRAME_SAMPLES + self._origin
        padded_start = max(start - self._padding, first, self._last_end)
        padded_end = end if span.is_cut else min(end + self._padding, first + stretch.samples.size)
        self._last_end = end
        speech = stretch.samples[start - first : end - first]
        level, clipped = level_dbfs(speech), self._clipped_ratio(speech, start, end)
        self._speech_level.add(level, clipped, speech.size)
        return Utterance(
            channel_id=self.channel_id,
            start_timestamp_ms=self._timestamp_ms(start),
            end_timestamp_ms=self._timestamp_ms(end),
            samples=stretch.samples[padded_start - first : padded_end - first].copy(),
            lead_ms=(start - padded_start) // SAMPLES_PER_MS,
            loudness_dbfs=level,
            clipped_ratio=clipped,
            loudness_by_second=tuple(
                level_dbfs(speech[at : at + SAMPLE_RATE_HZ]) for at in range(0, speech.size, SAMPLE_RATE_HZ)
            ),
            passage=self._trail.passage(padded_start, padded_end),
        )

    def _clipped_ratio(self, speech: Samples, start: int, end: int) -> float:
        """Of what came for this speech."""
        clipping = self._clipping
        return clipped_ratio(speech[:: self._per_came]) if clipping is None else clipping.ratio(start, end)

    def _forget(self) -> None:
        """Drop sound that no utterance can need any more."""
        open_since = self._endpointer.open_since
        if open_since is None:
            needed = self._analysed - ONSET_WINDOW_FRAMES * FRAME_SAMPLES  # may turn out to be the beginning
        else:
            needed = open_since * FRAME_SAMPLES + self._origin
        needed -= self._padding + self._decoder.reach_before_samples
        if needed - self._needed_from >= _LEAST_SURPLUS:
            self._needed_from = needed
            self._sound.forget(needed)
            self._trail.forget(needed)
            if self._clipping is not None:
                self._clipping.forget(needed)
            first = -(-(needed - self._origin) // FRAME_SAMPLES)
            del self._decisions.is_speech[: first - self._decided_from]
            del self._decisions.levels_dbfs[: first - self._decided_from]
            self._decided_from = first

    def _jump(self, position: int) -> None:
        """Go on at `position` after a stretch without sound."""
        self._sound.restart(position)
        self._needed_from = self._analysed = self._jumped_to = position
        self._origin = position - self._endpointer.position * FRAME_SAMPLES
        self._decisions = Decisions([], [])
        self._decided_from = self._endpointer.position

    def _wide(self, start: int, end: int, *, sees_beyond: bool) -> Samples:
        """At 16 kHz; what lies after the end is silence to the resampler, or what it is."""
        if self._decoder.rate_hz == SAMPLE_RATE_HZ:
            return self._sound.between(start, end)
        reach = self._decoder.reach_before_samples
        first = max(start - reach, self._sound.start)
        last = end + reach if sees_beyond else end
        return resampled(self._sound.between(first, last), self._decoder.rate_hz)[start - first : end - first]

    def _timestamp_ms(self, position: int) -> int:
        assert self.timeline.first_timestamp_ms is not None
        return self.timeline.first_timestamp_ms + position // SAMPLES_PER_MS


def _settled(steps: Iterable[Utterance | TrackGap | Doubt]) -> list[Utterance | TrackGap]:
    """All but the doubts, which are settled on the way."""
    done: list[Utterance | TrackGap] = []
    for step in steps:
        if isinstance(step, Doubt):
            step.settle()
        else:
            done.append(step)
    return done
