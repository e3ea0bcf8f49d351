from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trio
import trio.testing

from tests.audio.encoded import encoded
from tests.daemon.conftest import SETTINGS
from tests.daemon.test_receiver import receive
from tests.speech.sounds import noise, voice
from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.audio.codecs import libopus
from zccvoice.audio.frame import AudioFormat, Encoding
from zccvoice.config import LanguageConfig, VadConfig, ZoomConfig
from zccvoice.daemon.audio_format import format_of, wanted_audio
from zccvoice.daemon.outcome import Projected, Remark, Uttered
from zccvoice.daemon.projection import Projection
from zccvoice.errors import HandshakeRefusedError, RemoteProtocolError
from zccvoice.journal.entry import Entry
from zccvoice.journal.journal import Record
from zccvoice.journal.record import Kind
from zccvoice.rtms.enums import DataOption, Product
from zccvoice.rtms.events import AudioReceived, MediaOpened, StreamEnded
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.handshakes import check_media
from zccvoice.speech.language import LanguagePolicy
from zccvoice.store.facts import GapFound, TrackClosed

WORD = demo_scenarios()[0].parent / "orders" / "14.flac"
SPEECH = f"""
[[speech]]
who = "consumer"
at_ms = 1_500
text = "as it is on the recording"
sound = "{WORD.resolve()}"
"""
CALL = np.concatenate([noise(400), voice(1200), noise(1400)])
STARTED = StreamStarted(Product.CONTACT_CENTER, "E", "S", "wss://localhost", 1_781_000_000_000)
ASKED: list[dict[str, Any]] = [
    *(
        {"sample_rate_hz": rate, "channels": count}
        for rate in (8_000, 16_000, 32_000, 48_000)
        for count in (1, 2)
    ),
    *({"codec": codec, "rtp": rtp} for codec in ("g711", "g722", "opus") for rtp in (False, True)),
    {"codec": "opus", "channels": 2},
]


def projected(events: list[Entry]) -> list[Projected]:
    languages, phones = LanguagePolicy(LanguageConfig()), PhonePseudonym(None)
    projection = Projection(STARTED, vad=VadConfig(), languages=languages, phones=phones)
    outcomes = []
    for at in range(0, len(events), 20):
        outcomes += projection.take(Record(at, at + 1, Kind.RECEIVED, at, events[at : at + 20]))
    return outcomes


@pytest.mark.parametrize("fields", ASKED, ids=lambda fields: "-".join(map(str, fields.values())))
async def test_a_call_in_every_format_that_can_be_asked_for(
    fields: dict[str, Any], memory_zoom: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    settings = ZoomConfig(**(SETTINGS.model_dump() | fields))
    more = SPEECH + '[faults]\nlost = [{who = "consumer", ratio = 0.05, from_ms = 500, to_ms = 7_000}]\n'
    async with memory_zoom(more, opus_fec=True) as zoom:
        events, truth = await receive(zoom, settings=settings)
        assert zoom.zoom.violations == ()
    assert truth is not None
    outcomes = projected(events)
    assert not [one for one in outcomes if isinstance(one, Remark) and one.problem]
    opened = next(one for one in events if isinstance(one, MediaOpened))
    assert opened.audio == wanted_audio(settings, Product.CONTACT_CENTER)
    step_ms = settings.audio_send_rate_ms
    for track in truth.tracks:
        (closed,) = (
            one for one in outcomes if isinstance(one, TrackClosed) and one.channel_id == track.channel_id
        )
        assert closed.last_timestamp_ms - closed.first_timestamp_ms == 8_000
        assert (closed.packets, closed.lost_packets) == (track.packets_sent_count, track.packets_lost_count)
        gaps = [one for one in outcomes if isinstance(one, GapFound) and one.channel_id == track.channel_id]
        lost_ms = sum(gap.end_timestamp_ms - gap.start_timestamp_ms for gap in gaps)
        assert lost_ms == track.packets_lost_count * step_ms
        assert closed.packets * step_ms + lost_ms == 8_000, "sent = decoded + gaps"
    (said,) = truth.utterances
    heard = [one.utterance for one in outcomes if isinstance(one, Uttered)]
    assert {one.channel_id for one in heard} == {said.channel_id}
    assert heard[0].start_timestamp_ms - STARTED.event_ts_ms == pytest.approx(said.start_ms, abs=160)
    assert heard[-1].end_timestamp_ms - STARTED.event_ts_ms == pytest.approx(said.end_ms, abs=250)


@pytest.mark.parametrize("fields", ASKED, ids=lambda fields: "-".join(map(str, fields.values())))
def test_what_can_be_configured_zoom_allows_and_we_decode(fields: dict[str, Any]) -> None:
    wanted = wanted_audio(ZoomConfig(**fields), Product.CONTACT_CENTER)
    asked = {name: int(getattr(wanted, name)) for name in wanted.__struct_fields__}
    assert check_media({"media_type": 1, "media_params": {"audio": asked}}).audio == wanted
    assert format_of(wanted).packet_ms == wanted.send_rate


@pytest.mark.parametrize("product", Product)
def test_only_meetings_are_mixed(product: Product) -> None:
    """In Contact Center everybody has a channel, and a side that goes with it."""
    wanted = wanted_audio(ZoomConfig(mixed=True), product)
    is_mixed = wanted.data_opt == DataOption.AUDIO_MIXED_STREAM
    assert is_mixed is (product in ("meeting", "webinar", "video_sdk"))


@pytest.mark.parametrize("codec", range(6))
@pytest.mark.parametrize("sample_rate", range(5))
@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("content_type", [1, 2, 5])
def test_we_refuse_what_zoom_would_not_send(
    codec: int, sample_rate: int, channel: int, content_type: int
) -> None:
    params = AudioParams(
        codec=codec, sample_rate=sample_rate, channel=channel, content_type=content_type, send_rate=20
    )
    asked = {name: int(getattr(params, name)) for name in params.__struct_fields__}
    try:
        check_media({"media_type": 1, "media_params": {"audio": asked}})
    except HandshakeRefusedError:
        with pytest.raises(RemoteProtocolError, match="expected L16 at 8 to 48 kHz"):
            format_of(params)
    else:
        format_of(params)


@pytest.mark.parametrize("send_rate", [0, 19, 1_001])
def test_packets_of_impossible_length(send_rate: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"{send_rate}"):
        format_of(AudioParams(send_rate=send_rate))


def test_payloads_that_are_not_as_announced_are_told_and_heard() -> None:
    stereo = AudioFormat(Encoding.L16, 16_000, 2)
    sound = np.concatenate([noise(400), voice(1500), noise(800)])
    sent: list[Entry] = [
        AudioReceived("ch", STARTED.event_ts_ms + at * 20, payload)
        for at, payload in enumerate(encoded(sound, stereo))
    ]
    opened = MediaOpened(AudioParams(channel=1, send_rate=20))
    outcomes = projected([opened, *sent, StreamEnded("call_ended", "the test is over")])
    (told,) = (one for one in outcomes if isinstance(one, Remark) and one.problem)
    assert (told.channel_id, told.problem) == (
        "ch",
        "announced bare, 1 channel(s); the first payload is bare, 2 channel(s)",
    )
    (closed,) = (one for one in outcomes if isinstance(one, TrackClosed))
    assert closed.last_timestamp_ms - closed.first_timestamp_ms == len(sound) // 16
    heard = [one for one in outcomes if isinstance(one, Uttered)]
    assert heard
    assert all(one.audio_format == replace(stereo, packet_ms=20) for one in heard)


def test_a_missing_libopus_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libopus, "load", lambda: None)
    opened = MediaOpened(AudioParams(codec=4, sample_rate=3, send_rate=20))
    told = [one for one in projected([opened]) if isinstance(one, Remark)]
    assert [one.text for one in told] == ["no libopus: losses in Opus are silence"]


def test_the_recording_of_this_test_is_there() -> None:
    assert Path(WORD).is_file()
