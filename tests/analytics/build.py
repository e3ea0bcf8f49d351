"""Small calls for the tests, and a strategy for random ones."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from zccvoice.analytics.record import AudioGap, CallEvent, CallRecord, Side, Span, SpokenUtterance, TrackSound

A, C, O = Side.AGENT, Side.CUSTOMER, Side.OTHER  # noqa: E741
_CHANNELS: dict[Side | None, str] = {A: "ch-a", C: "ch-c", O: "ch-o", None: "ch-x"}


def said(
    side: Side | None,
    start_ms: int,
    end_ms: int,
    words: int | str | None = 10,
    *,
    channel_id: str | None = None,
    confidence: float | None = None,
    loudness_dbfs: float | None = None,
    clipped_ratio: float | None = None,
) -> SpokenUtterance:
    """An utterance of so many words, or of these words, or not transcribed."""
    text = " ".join(["word"] * words) if isinstance(words, int) else words
    channel = channel_id or _CHANNELS[side]
    return SpokenUtterance(side, channel, start_ms, end_ms, text, confidence, loudness_dbfs, clipped_ratio)


def track(
    side: Side | None,
    start_ms: int,
    end_ms: int,
    *,
    channel_id: str | None = None,
    packets: tuple[int, int, int] = (0, 0, 0),
    noise_dbfs: float | None = None,
) -> TrackSound:
    """A track that was open for this time; packets lost, duplicate, reordered."""
    return TrackSound(side, channel_id or _CHANNELS[side], Span(start_ms, end_ms), *packets, noise_dbfs)


def call(
    *utterances: SpokenUtterance,
    streams: tuple[tuple[int, int], ...] = ((0, 30_000),),
    sides: tuple[Side | None, ...] = (A, C),
    tracks: tuple[TrackSound, ...] | None = None,
    gaps: tuple[AudioGap, ...] = (),
    events: tuple[CallEvent, ...] = (),
    language: str | None = "en",
) -> CallRecord:
    """A call, by default with an agent's and a customer's track as long as its streams."""
    spans = tuple(Span(start, end) for start, end in streams)
    if tracks is None:
        tracks = tuple(track(side, span.start_ms, span.end_ms) for span in spans for side in sides)
    return CallRecord("engagement-1", spans, utterances, tracks, gaps, events, language, "configured")


def gap(side: Side, start_ms: int, end_ms: int) -> AudioGap:
    return AudioGap(side, _CHANNELS[side] or "", start_ms, end_ms)


def event(name: str, at_ms: int, channel_id: str | None = "ch-a") -> CallEvent:
    return CallEvent(name, at_ms, channel_id)


def shifted(record: CallRecord, by_ms: int) -> CallRecord:
    """The same call, later."""

    def moved(span: Span) -> Span:
        return Span(span.start_ms + by_ms, span.end_ms + by_ms)

    return replace(
        record,
        streams=tuple(map(moved, record.streams)),
        utterances=tuple(
            replace(one, start_ms=one.start_ms + by_ms, end_ms=one.end_ms + by_ms)
            for one in record.utterances
        ),
        tracks=tuple(replace(one, open_span=moved(one.open_span)) for one in record.tracks),
        gaps=tuple(
            replace(one, start_ms=one.start_ms + by_ms, end_ms=one.end_ms + by_ms) for one in record.gaps
        ),
        events=tuple(replace(one, at_ms=one.at_ms + by_ms) for one in record.events),
    )


def with_sides_swapped(record: CallRecord) -> CallRecord:
    """The same call, the agent in the customer's part and the other way round."""
    other: dict[Side | None, Side | None] = {A: C, C: A, O: O, None: None}
    return replace(
        record,
        utterances=tuple(replace(one, side=other[one.side]) for one in record.utterances),
        tracks=tuple(replace(one, side=other[one.side]) for one in record.tracks),
        gaps=tuple(replace(one, side=other[one.side]) for one in record.gaps),
    )


LONGEST_MS = 60_000


@st.composite
def calls(draw: st.DrawFn, sides: tuple[Side | None, ...] = (A, C, O)) -> CallRecord:
    """Random calls of up to a minute: tracks with utterances that do not overlap, holds, pauses, gaps."""
    end_ms = draw(st.integers(5_000, LONGEST_MS))
    utterances: list[SpokenUtterance] = []
    gaps: list[AudioGap] = []
    for side in sides:
        at_ms = draw(st.integers(0, 8_000))
        for _ in range(draw(st.integers(0, 6))):
            length_ms = draw(st.integers(1, 8_000))
            if at_ms + length_ms > end_ms:
                break
            words = draw(st.none() | st.integers(0, 25))
            level = draw(st.none() | st.floats(-60, -3))
            utterances.append(
                said(
                    side,
                    at_ms,
                    at_ms + length_ms,
                    words,
                    loudness_dbfs=level,
                    confidence=0.5,
                    clipped_ratio=0.25,
                )
            )
            at_ms += length_ms + draw(st.integers(0, 1_000) | st.integers(0, 15_000))
        for _ in range(draw(st.integers(0, 2))):
            start_ms = draw(st.integers(0, end_ms))
            gaps.append(AudioGap(side, _CHANNELS[side], start_ms, start_ms + draw(st.integers(1, 4_000))))
    names = [
        "user_hold",
        "user_unhold",
        "user_end",
        "stream_paused",
        "stream_resumed",
        "user_answered",
        "odd",
    ]
    events = draw(
        st.lists(
            st.builds(
                event, st.sampled_from(names), st.integers(0, end_ms), st.sampled_from(["ch-a", "ch-b", None])
            ),
            max_size=6,
        )
    )
    return call(
        *draw(st.permutations(utterances)),
        streams=((0, end_ms),),
        sides=sides,
        gaps=tuple(gaps),
        events=tuple(sorted(events, key=lambda one: one.at_ms)),
    )
