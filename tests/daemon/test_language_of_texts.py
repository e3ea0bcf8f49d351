"""The language that Zoom's own transcripts are asked for in: ours, or Zoom's guess where ours is detected."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import pytest
import trio
import trio.testing

from tests.daemon.conftest import SETTINGS
from zccvoice.config import LanguageConfig
from zccvoice.daemon.receiver import RULE_WAIT_S, WebSocketReceiver
from zccvoice.daemon.websocket import Connect
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import StreamEvent
from zccvoice.rtms.messages import TranscriptParams
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePolicy

STARTED = StreamStarted(
    Product.CONTACT_CENTER, "E", "S", "ws://127.0.0.1/signaling", 0, account_id="acc_example"
)
SIGNALING_OK = (
    b'{"msg_type":2,"status_code":0,"media_server":{"server_urls":'
    b'{"audio":"ws://127.0.0.1/audio","transcript":"ws://127.0.0.1/transcript"}}}'
)
SPANISH = TranscriptParams(src_language=28, enable_lid=False)
ENGLISH = TranscriptParams(src_language=9, enable_lid=False)
ENGLISH_TO_BEGIN_WITH = TranscriptParams(src_language=9, enable_lid=True)
QUEUE_RULE, AGENT_RULE = {"queues": {"Pedidos": "es"}}, {"agents": {"Ana": "es"}}


def receiver(
    language: dict[str, object],
    connect: Connect | None = None,
    product: Product = Product.CONTACT_CENTER,
) -> WebSocketReceiver:
    policy = LanguagePolicy(LanguageConfig.model_validate(language))
    events_send, _ = trio.open_memory_channel[StreamEvent](100)
    settings = SETTINGS.model_copy(update={"transcripts": True})
    return WebSocketReceiver(settings, policy, replace(STARTED, product=product), events_send, connect)


@pytest.mark.parametrize(
    ("language", "asked"),
    [({"default": "de"}, TranscriptParams(src_language=14, enable_lid=False)),
     ({"default": "detect", "among": ["de", "es"]}, TranscriptParams(enable_lid=True)),
     ({"products": {"contact_center": "es"}}, SPANISH),
     ({"accounts": {"acc_example": "es"}}, SPANISH),
     ({"accounts": {"acc_other": "es"}}, ENGLISH),
     (QUEUE_RULE, ENGLISH_TO_BEGIN_WITH),
     (AGENT_RULE, ENGLISH_TO_BEGIN_WITH),
     ({"default": "xx"}, TranscriptParams())],
)  # fmt: skip
def test_what_zoom_is_asked_for(language: dict[str, object], asked: TranscriptParams) -> None:
    """As long as a queue or an agent may change the language, Zoom may as well."""
    assert receiver(language)._wanted().transcript == asked


def test_meetings_tell_of_no_queue_and_no_agent() -> None:
    meeting = receiver({**QUEUE_RULE, **AGENT_RULE}, product=Product.MEETING)
    assert meeting._wanted().transcript == ENGLISH


def answered(event_type: int, **about: str) -> bytes:
    about = {"channel_id": f"ch-{event_type}", **about}
    event = {"event_type": event_type, "event_ts": 1_781_000_000_000, "participant_info": about}
    return json.dumps({"msg_type": 6, "event": event}).encode()


CUSTOMER = answered(8, display_name="Bo", queue_name="Pedidos")
AGENT = answered(10, display_name="Ana")


@pytest.mark.parametrize(
    ("rules", "told", "asked", "after_s"),
    [(QUEUE_RULE, {1.0: CUSTOMER}, SPANISH, 1.0),
     (AGENT_RULE, {1.0: AGENT}, SPANISH, 1.0),
     (AGENT_RULE, {1.0: CUSTOMER, 2.0: AGENT}, SPANISH, 2.0),
     (AGENT_RULE, {}, ENGLISH, RULE_WAIT_S),
     ({"default": "en"}, {}, ENGLISH, 0.0)],
)  # fmt: skip
async def test_transcripts_wait_for_the_event_that_decides_their_language(
    rules: dict[str, object],
    told: dict[float, bytes],
    asked: TranscriptParams,
    after_s: float,
    autojump_clock: trio.testing.MockClock,
) -> None:
    begin = trio.current_time()
    requests: list[tuple[TranscriptParams, float]] = []

    class Socket:
        def __init__(self, script: dict[float, bytes]) -> None:
            self._script = sorted(script.items())

        async def send_message(self, message: str) -> None:
            wanted = json.loads(message).get("media_params", {}).get("transcript")
            if wanted is not None:
                params = msgspec.convert(wanted, TranscriptParams)
                requests.append((params, trio.current_time() - begin))
                scope.cancel()

        async def get_messages(self) -> list[bytes]:
            if not self._script:
                await trio.sleep_forever()
            at, message = self._script.pop(0)
            await trio.sleep_until(begin + at)
            return [message]

    @asynccontextmanager
    async def connect(url: str, timeout_s: float) -> AsyncIterator[Socket]:
        yield Socket({0.0: SIGNALING_OK, **told} if "signaling" in url else {})

    with trio.CancelScope() as scope:
        await receiver(rules, connect).run()
    ((params, at_s),) = requests
    assert params == asked
    assert at_s == pytest.approx(after_s)
