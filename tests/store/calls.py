"""Facts of calls for the tests of the store: a small one told in full, and any one for Hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, select

from zccvoice.analytics.attribution import SPEAKER_NAMED, SPEAKER_UNKNOWN
from zccvoice.analytics.record import Side
from zccvoice.rtms.media import MIX
from zccvoice.store.facts import (
    CallEventSeen,
    ChatWritten,
    ClockStarted,
    Fact,
    GapFound,
    LanguagePinned,
    ParticipantSeen,
    StoredWord,
    StreamClosed,
    StreamOpened,
    TrackClosed,
    UtteranceHeard,
    ZoomTranscribed,
)
from zccvoice.store.schema import Base

BEGAN = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
ZERO_MS = 1_795_341_601_234
"""The first packet, 1.234 s after `BEGAN`, by Zoom's clock."""


def small_call(engagement_id: str = "e1", stream_id: str = "s1") -> list[Fact]:
    """A customer and an agent, one hold, one gap, one refused and one empty transcript."""
    of: dict[str, Any] = {"engagement_id": engagement_id, "stream_id": stream_id}
    hello = (StoredWord("Hello,", 100, 400, 0.9), StoredWord("there.", 450, 900, 0.8))
    return [
        StreamOpened(**of, product="zcc_voice", started_at=BEGAN, account_id="acc"),
        CallEventSeen(**of, name="consumer_answered", timestamp_ms=ZERO_MS - 500),
        ClockStarted(**of, timestamp_ms=ZERO_MS),
        LanguagePinned(**of, language="en", source="configured"),
        ParticipantSeen(**of, channel_id="c1", side=Side.CUSTOMER),
        ParticipantSeen(**of, channel_id="c2", user_id="u7", queue_id="q", queue_name="Sales"),
        UtteranceHeard(
            **of,
            channel_id="c2",
            start_timestamp_ms=ZERO_MS + 1_000,
            end_timestamp_ms=ZERO_MS + 2_000,
            loudness_dbfs=-20.5,
            clipped_ratio=0.0,
            text="Hello, there.",
            words=hello,
            language="en",
            confidence=0.875,
            model="demo",
            sentiment=0.25,
        ),
        UtteranceHeard(
            **of,
            channel_id="c1",
            start_timestamp_ms=ZERO_MS + 3_000,
            end_timestamp_ms=ZERO_MS + 3_500,
            loudness_dbfs=-30.0,
            clipped_ratio=0.25,
            text="Thanks for watching!",
            verdict="refused: known hallucination",
        ),
        UtteranceHeard(
            **of,
            channel_id="c1",
            start_timestamp_ms=ZERO_MS + 4_000,
            end_timestamp_ms=ZERO_MS + 4_100,
            loudness_dbfs=-40.0,
            clipped_ratio=0.0,
            text=None,
            verdict="empty",
        ),
        CallEventSeen(**of, name="user_hold", timestamp_ms=ZERO_MS + 5_000, channel_id="c2"),
        CallEventSeen(**of, name="user_unhold", timestamp_ms=ZERO_MS + 9_000, channel_id="c2"),
        ParticipantSeen(**of, channel_id="c2", side=Side.AGENT, display_name="Ada"),
        ZoomTranscribed(
            **of,
            channel_id="c2",
            start_timestamp_ms=ZERO_MS + 1_010,
            end_timestamp_ms=None,
            text="Hello there",
            language="en",
        ),
        ChatWritten(**of, message_id="m1", timestamp_ms=ZERO_MS + 2_000, text="Hi", sender_name="Ada"),
        GapFound(
            **of,
            channel_id="c1",
            start_timestamp_ms=ZERO_MS + 9_000,
            end_timestamp_ms=ZERO_MS + 9_400,
            cause="lost_packets",
        ),
        TrackClosed(
            **of,
            channel_id="c1",
            first_timestamp_ms=ZERO_MS,
            last_timestamp_ms=ZERO_MS + 12_000,
            packets=116,
            lost_packets=4,
            duplicate_packets=2,
            reordered_packets=1,
            noise_dbfs=-62.5,
        ),
        StreamClosed(
            **of, ended_at=BEGAN + timedelta(seconds=14), end_reason="call_ended", detail="told by webhook"
        ),
    ]


def stored(connection: Connection, *engagement_ids: str) -> dict[str, list[tuple[object, ...]]]:
    """Everything the tables hold of these engagements, but for the moment of storing."""
    return {
        name: sorted(
            (
                tuple(value for column, value in row._mapping.items() if column != "stored_at")
                for row in connection.execute(select(table).where(table.c.engagement_id.in_(engagement_ids)))
            ),
            key=repr,
        )
        for name, table in Base.metadata.tables.items()
        if "engagement_id" in table.c
    }


_names = st.none() | st.sampled_from(["Ada", "Bob", "Кира", "nul\0", "half \ud800"])
_channels = st.sampled_from(["c1", "c2"])
_tracks = _channels | st.just(MIX)
_events = st.sampled_from(["user_hold", SPEAKER_NAMED, SPEAKER_UNKNOWN])
_moments = st.integers(0, 20).map(lambda tenths: ZERO_MS + tenths * 100)
_loudness = st.sampled_from([-20.0, float("-inf"), float("nan")])
_words = st.just((StoredWord("yes", 0, 100, 0.5),))


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """Two calls, one of them with two streams, told at once; each stream begins with its clock."""
    told: list[Fact] = []
    for engagement_id, stream_id, offset_ms in (("e1", "s1", 0), ("e2", "s2", 10), ("e1", "s3", 700)):
        of: dict[str, Any] = {"engagement_id": engagement_id, "stream_id": stream_id}
        told.append(
            StreamOpened(**of, product="zcc_voice", started_at=BEGAN + timedelta(milliseconds=offset_ms))
        )
        told.append(ClockStarted(**of, timestamp_ms=ZERO_MS + offset_ms))
        told += draw(st.lists(_facts_of(of), max_size=8))
    return told


def _facts_of(of: dict[str, str]) -> st.SearchStrategy[Fact]:
    def made(kind: type[Fact], **arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Fact]:
        return st.builds(kind, **{name: st.just(value) for name, value in of.items()}, **arguments)

    span = {"start_timestamp_ms": _moments, "end_timestamp_ms": _moments}
    return st.one_of(
        made(LanguagePinned, language=st.sampled_from(["en", "de"]), source=st.just("detected")),
        made(
            ParticipantSeen,
            channel_id=_channels,
            side=st.none() | st.sampled_from(Side),
            display_name=_names,
            user_id=st.none() | st.just("u1"),
            queue_id=st.none() | st.just("q1"),
            queue_name=_names,
        ),
        made(CallEventSeen, name=_events, timestamp_ms=_moments, channel_id=st.none() | _channels),
        made(
            UtteranceHeard,
            channel_id=_tracks,
            **span,
            loudness_dbfs=_loudness,
            clipped_ratio=st.just(0.5),
            text=_names,
            words=_words,
        ),
        made(
            ZoomTranscribed,
            channel_id=_channels,
            start_timestamp_ms=_moments,
            end_timestamp_ms=st.none() | _moments,
            text=_names,
        ),
        made(
            ChatWritten,
            message_id=st.sampled_from(["m1", "m2"]),
            timestamp_ms=_moments,
            text=_names,
            sender_name=_names,
        ),
        made(GapFound, channel_id=_channels, **span, cause=st.just("lost_packets")),
        made(
            TrackClosed,
            channel_id=_channels,
            first_timestamp_ms=_moments,
            last_timestamp_ms=_moments,
            **dict.fromkeys(
                ("packets", "lost_packets", "duplicate_packets", "reordered_packets"), st.integers(0, 9)
            ),
        ),
        made(
            StreamClosed,
            ended_at=st.integers(0, 9).map(lambda seconds: BEGAN + timedelta(seconds=seconds)),
            end_reason=st.sampled_from(["call_ended", "shutdown"]),
        ),
    )
