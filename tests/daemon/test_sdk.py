"""Zoom's own SDK as a transport: the real package in its child, the simulated Zoom on sockets, real time."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio
import trio.testing
from pydantic import ValidationError

from tests.daemon.conftest import APP, SETTINGS
from zccvoice.config import LanguageConfig, ZoomConfig
from zccvoice.daemon import sdk
from zccvoice.daemon.receiver import WebSocketReceiver
from zccvoice.daemon.sdk import SdkConnect, connect_for, say_which_transport, unavailable
from zccvoice.daemon.websocket import Connect
from zccvoice.errors import ForbiddenHostError, HandshakeRefusedError, ZccvoiceError
from zccvoice.rtms.enums import Codec, Product, SampleRate
from zccvoice.rtms.events import (
    AudioReceived,
    CallEventReceived,
    ParticipantConnected,
    ReceptionBroken,
    StreamEnded,
    StreamEvent,
    TranscriptReceived,
)
from zccvoice.rtms.messages import AudioParams
from zccvoice.rtms.transcript_language import TranscriptLanguage
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.simulator.certificates import Authority
from zccvoice.simulator.scenario import Scenario, parse_scenario
from zccvoice.simulator.truth import CallTruth
from zccvoice.simulator.webhooks import WebhookAnswer, WebhookRequest
from zccvoice.simulator.zoom import Zoom, running_zoom
from zccvoice.speech.language import LanguagePolicy

needs_sdk = pytest.mark.skipif(unavailable() is not None, reason=unavailable() or "")
both = pytest.mark.parametrize("transport", ["websocket", pytest.param("sdk", marks=needs_sdk)])

LANGUAGES = LanguagePolicy(LanguageConfig())
SDK = SETTINGS.model_copy(update={"transport": "sdk", "transcripts": True})
EVENT_TS_MS = 1_781_000_000_000
LONGEST_S = 30
MEETING = """
title = "A meeting"
product = "meeting"
engagement_id = "Zm9vL2Jhcg+1=="
stream_id = "11112222333344445555666677778888"
duration_ms = 6_000
seed = 3

[[participant]]
channel_id = "16778240"
display_name = "Ana Example"
to_ms = 5_000

[[participant]]
channel_id = "16779264"
display_name = "Lee Agent"
to_ms = 5_000
"""
ANA, LEE = "16778240", "16779264"
Meddle = Callable[[WebSocketReceiver], Awaitable[None]]


def meeting(**fields: object) -> Scenario:
    return parse_scenario(tomllib.loads(MEETING) | fields, name="meeting.toml", folder=Path())


class Received:
    """What the receiver told, and what the simulator says of it."""

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []
        self.failure: ZccvoiceError | None = None
        self.truth: CallTruth | None = None
        self.violations: list[str] = []
        self.connect: Connect | None = None

    def audio(self, channel_id: str) -> list[int]:
        """The timestamps of a participant's packets."""
        heard = (one for one in self.events if isinstance(one, AudioReceived))
        return [one.timestamp_ms for one in heard if one.channel_id == channel_id]

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.events if isinstance(one, kind)]


async def receive(
    scenario: Scenario,
    settings: ZoomConfig,
    meddle: Meddle | None = None,
    *,
    failures: int = 0,
    speed: float = 4,
    authority: Authority | None = None,
) -> Received:
    """Play the meeting to a receiver; `meddle` is called when its first audio has come.

    The SDK must fail so many times, and not once more.
    """
    received = Received()
    announced, played = trio.Event(), trio.Event()
    events_send, events_receive = trio.open_memory_channel[StreamEvent](0)

    async def deliver(request: WebhookRequest) -> WebhookAnswer:
        announced.set()
        return WebhookAnswer(200, b"")

    async def play(zoom: Zoom) -> None:
        received.truth = await zoom.play(scenario, event_ts_ms=EVENT_TS_MS)
        played.set()

    async def run(receiver: WebSocketReceiver) -> None:
        try:
            await receiver.run()
        except ZccvoiceError as error:
            received.failure = error

    with trio.fail_after(LONGEST_S):
        async with (
            running_zoom(APP, deliver=deliver, speed=speed, authority=authority) as zoom,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(play, zoom)
            await announced.wait()
            started = StreamStarted(
                scenario.product, scenario.engagement_id, scenario.stream_id, zoom.signaling_url, EVENT_TS_MS
            )
            received.connect = connect_for(settings, LANGUAGES, started)
            receiver = WebSocketReceiver(settings, LANGUAGES, started, events_send, received.connect)
            nursery.start_soon(run, receiver)
            async for event in events_receive:
                received.events.append(event)
                if meddle is not None and isinstance(event, AudioReceived):
                    nursery.start_soon(meddle, receiver)
                    meddle = None
            with trio.move_on_after(1):  # a client that has left on its own is waited for
                await played.wait()
            nursery.cancel_scope.cancel()
    if isinstance(received.connect, SdkConnect):
        assert received.connect.failures_count == failures
    received.violations = [one.what for one in zoom.violations]
    return received


def children() -> list[int]:
    """The running children of this process that run the SDK."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            is_child = b"sdk_child" in path.read_bytes()
            parent = int((path.parent / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if is_child and parent == os.getpid():
            found.append(int(path.parent.name))
    return found


def working_folder(child: int) -> Path:
    return Path(f"/proc/{child}/cwd").resolve()


def environment_of(child: int) -> bytes:
    return Path(f"/proc/{child}/environ").read_bytes()


@both
async def test_a_whole_meeting(transport: str) -> None:
    scenario = meeting()
    received = await receive(scenario, SDK.model_copy(update={"transport": transport}))
    assert received.violations == []
    assert received.truth is not None
    for channel_id in (ANA, LEE):
        assert received.audio(channel_id) == [EVENT_TS_MS + n * 100 for n in range(50)]
        assert received.truth.track(channel_id).packets_sent_count == 50
    who = [one.display_name for one in received.of(ParticipantConnected)]
    assert sorted(set(who)) == ["Ana Example", "Lee Agent"]
    names = {one.name for one in received.of(CallEventReceived)}
    assert names >= {"session_started", "participant_join", "participant_leave", "stream_terminated"}
    assert len(received.of(TranscriptReceived)) == len(received.truth.utterances)
    assert received.of(ReceptionBroken) == []
    assert received.events[-1] == StreamEnded("meeting_ended", "Zoom ended the stream")
    assert children() == []


@both
async def test_stop_leaves_politely(transport: str) -> None:
    async def stop(receiver: WebSocketReceiver) -> None:
        receiver.stop("shutdown")

    received = await receive(
        meeting(duration_ms=2_000), SDK.model_copy(update={"transport": transport}), stop
    )
    assert received.events[-1] == StreamEnded("shutdown", "stopped by us")
    assert received.violations == []
    assert children() == []


@both
async def test_wrong_credentials(transport: str) -> None:
    wrong = SDK.model_copy(update={"transport": transport, "client_id": "someone-else"})
    received = await receive(meeting(), wrong)
    assert isinstance(received.failure, HandshakeRefusedError)
    assert (received.failure.which, received.failure.status_code) == ("signaling", 3)
    assert received.events == []


@both
async def test_a_host_that_is_not_allowed(transport: str) -> None:
    update = {"transport": transport, "allowed_hosts": ("*.zoom.us",)}
    received = await receive(meeting(), SDK.model_copy(update=update))
    assert isinstance(received.failure, ForbiddenHostError)


@both
async def test_certificates_are_checked_with_the_configured_ones(transport: str, tmp_path: Path) -> None:
    authority = Authority()
    authority.write(tmp_path / "ca.pem")
    update = {"transport": transport, "allowed_hosts": ("localhost",), "ca_file": tmp_path / "ca.pem"}
    received = await receive(meeting(), SDK.model_copy(update=update), authority=authority)
    assert len(received.audio(ANA)) == 50


@needs_sdk
async def test_nothing_is_written_and_the_scratch_folder_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sizes: list[int] = []
    folders: list[Path] = []
    environments: list[bytes] = []

    async def look(receiver: WebSocketReceiver) -> None:
        await trio.sleep(0.5)
        (child,) = children()
        folders.append(working_folder(child))
        (folders[0] / "logs").mkdir()  # where the native log would go
        await trio.sleep(0.3)
        sizes.extend(path.stat().st_size for path in folders[0].rglob("*") if path.is_file())
        environments.append(environment_of(child))

    monkeypatch.setenv("ZCCVOICE_ZOOM__CLIENT_SECRET", APP.client_secret)
    await receive(meeting(), SDK, look)
    assert folders[0].parent == tmp_path
    assert sum(sizes) == 0
    assert APP.client_secret.encode() not in environments[0]
    assert b"ZCCVOICE" not in environments[0]
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 (a test)


@needs_sdk
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "freezes"])
async def test_a_child_that_is_no_more_is_replaced(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk, "SILENT_S", 2.0)
    monkeypatch.setattr(sdk, "GOODBYE_S", 0.1)

    async def strike(receiver: WebSocketReceiver) -> None:
        (child,) = children()
        os.kill(child, number)

    people = [{"channel_id": channel_id, "to_ms": 15_000} for channel_id in (ANA, LEE)]
    scenario = meeting(duration_ms=16_000, participant=people)
    received = await receive(scenario, SDK, strike, failures=1, speed=2)
    (broken,) = received.of(ReceptionBroken)
    assert broken == ReceptionBroken("connection_lost")
    at = received.events.index(broken)
    assert any(isinstance(one, AudioReceived) for one in received.events[at:])
    assert received.events[-1] == StreamEnded("meeting_ended", "Zoom ended the stream")
    assert children() == []


@needs_sdk
async def test_a_connection_that_the_sdk_would_make_again_without_a_word_is_told() -> None:
    mishap = {"kind": "abort", "at_ms": 1_000, "where": "media"}
    received = await receive(meeting(duration_ms=7_000, mishap=[mishap]), SDK, speed=1)
    assert len(received.of(ReceptionBroken)) == 1
    at = received.events.index(ReceptionBroken("connection_lost"))
    assert any(isinstance(one, AudioReceived) for one in received.events[at:])


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zccvoice.rtms.recovery.LADDER_S", (0.1,))
    monkeypatch.setattr("zccvoice.rtms.recovery.FIRST_DELAY_S", 0.1)


async def test_after_three_failures_websockets_it_is(
    no_pauses: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk, "unavailable", lambda: None)
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    received = await receive(meeting(), SDK, failures=sdk.MOST_FAILURES)
    assert isinstance(received.connect, SdkConnect)
    assert received.audio(ANA) == [EVENT_TS_MS + n * 100 for n in range(50)]


@pytest.mark.parametrize("missing", ["tempfile.TemporaryDirectory", "trio.lowlevel.open_process"])
async def test_without_a_folder_or_a_process_for_it_websockets_it_is(
    missing: str, no_pauses: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sdk, "unavailable", lambda: None)
    monkeypatch.setattr(missing, refuse)
    received = await receive(meeting(), SDK, failures=sdk.MOST_FAILURES)
    assert received.audio(ANA) == [EVENT_TS_MS + n * 100 for n in range(50)]


@needs_sdk
@pytest.mark.parametrize(
    ("dialect", "timeout_s"), [({"names_payload_encryption": True}, 10), ({"offer": "unified"}, 1)]
)
async def test_an_answer_that_the_sdk_cannot_read_and_one_that_it_waits_for_in_vain(
    dialect: dict[str, object], timeout_s: float, no_pauses: None
) -> None:
    settings = SDK.model_copy(update={"handshake_timeout_s": timeout_s})
    received = await receive(meeting(dialect=dialect), settings, failures=sdk.MOST_FAILURES)
    assert received.failure is None
    assert received.audio(ANA) == [EVENT_TS_MS + n * 100 for n in range(50)]


@pytest.mark.parametrize(
    ("rules", "account_id", "expected"),
    [({"default": "de"}, None, TranscriptLanguage.GERMAN),
     ({"default": "de", "products": {"meeting": "es"}}, None, TranscriptLanguage.SPANISH),
     ({"default": "de", "accounts": {"acc_fr": "fr"}}, "acc_fr", TranscriptLanguage.FRENCH_FRANCE),
     ({"default": "de", "accounts": {"acc_fr": "fr"}}, "acc_other", TranscriptLanguage.GERMAN),
     ({"default": "detect", "among": ["de", "es"]}, None, None)],
)  # fmt: skip
def test_the_language_of_zooms_transcripts_is_that_of_ours(
    rules: dict[str, object], account_id: str | None, expected: TranscriptLanguage | None
) -> None:
    started = StreamStarted(Product.MEETING, "M==", "S", "wss://a.zoom.us", EVENT_TS_MS, account_id)
    policy = LanguagePolicy(LanguageConfig.model_validate(rules))
    order = json.loads(SdkConnect(SDK, policy, started)._order("wss://a.zoom.us", 10))
    assert order["transcript"] == {"src_language": expected}


def test_audio_is_asked_for_as_the_stream_needs_it() -> None:
    started = StreamStarted(Product.MEETING, "M==", "S", "wss://a.zoom.us", EVENT_TS_MS)
    wanted = AudioParams(codec=Codec.OPUS, sample_rate=SampleRate.SR_48K)
    order = json.loads(SdkConnect(SDK, LANGUAGES, started, wanted)._order("wss://a.zoom.us", 10))
    assert AudioParams(**order["audio"]) == wanted


@pytest.mark.parametrize(
    ("transport", "product", "is_installed", "expected"),
    [
        ("sdk", Product.MEETING, True, True),
        ("sdk", Product.WEBINAR, True, True),
        ("sdk", Product.VIDEO_SDK, True, True),
        ("sdk", Product.CONTACT_CENTER, True, False),
        ("sdk", Product.PHONE, True, False),
        ("sdk", Product.MEETING, False, False),
        ("websocket", Product.MEETING, True, False),
    ],
)
def test_which_streams_it_receives(
    transport: str, product: Product, is_installed: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if is_installed else None)
    started = StreamStarted(product, "M==", "S", "wss://a.zoom.us", EVENT_TS_MS)
    connect = connect_for(SDK.model_copy(update={"transport": transport}), LANGUAGES, started)
    assert (connect is not None) == expected


@pytest.mark.parametrize(
    ("transport", "is_installed", "words"),
    [("sdk", True, "contact-centre"), ("sdk", False, "wheels"), ("websocket", False, "")],
)
def test_what_will_not_be_received_with_it_is_said_at_start(
    transport: str, is_installed: bool, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if is_installed else None)
    with structlog.testing.capture_logs() as told:
        say_which_transport(SDK.model_copy(update={"transport": transport}))
    assert words in str(told)
    assert bool(told) == bool(words)


@pytest.mark.parametrize("unheard", ["rtp", "chat"])
def test_what_it_cannot_hand_on_is_a_mistake(unheard: str) -> None:
    fields = {"codec": "opus", unheard: True}
    ZoomConfig.model_validate(fields)
    with pytest.raises(ValidationError, match=f"{unheard}: expected false"):
        ZoomConfig.model_validate({**fields, "transport": "sdk"})
