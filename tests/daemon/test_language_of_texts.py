"""The language that Zoom's own transcripts are asked for in: ours, or Zoom's guess where ours is detected."""

from __future__ import annotations

import pytest
import trio

from tests.daemon.conftest import SETTINGS
from zccvoice.config import LanguageConfig
from zccvoice.daemon.receiver import WebSocketReceiver
from zccvoice.rtms.enums import Product
from zccvoice.rtms.events import StreamEvent
from zccvoice.rtms.messages import TranscriptParams
from zccvoice.rtms.webhook import StreamStarted
from zccvoice.speech.language import LanguagePolicy

STARTED = StreamStarted(Product.CONTACT_CENTER, "E", "S", "wss://a.zoom.us", 0)


@pytest.mark.parametrize(
    ("language", "asked"),
    [({"default": "de"}, TranscriptParams(src_language=14, enable_lid=False)),
     ({"default": "detect", "among": ["de", "es"]}, TranscriptParams(enable_lid=True)),
     ({"products": {"contact_center": "es"}}, TranscriptParams(src_language=28, enable_lid=False)),
     ({"default": "xx"}, TranscriptParams())],
)  # fmt: skip
def test_what_zoom_is_asked_for(language: dict[str, object], asked: TranscriptParams) -> None:
    policy = LanguagePolicy(LanguageConfig.model_validate(language))
    events_send, _ = trio.open_memory_channel[StreamEvent](1)
    settings = SETTINGS.model_copy(update={"transcripts": True})
    assert WebSocketReceiver(settings, policy, STARTED, events_send)._wanted().transcript == asked
