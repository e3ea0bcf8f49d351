from __future__ import annotations

import pytest

from zccvoice.errors import RemoteProtocolError
from zccvoice.rtms.enums import MediaType, Product
from zccvoice.rtms.media_plan import plan_media
from zccvoice.rtms.messages import AudioParams, ChatParams, MediaParams, TranscriptParams

AUDIO, TRANSCRIPT, CHAT = AudioParams(), TranscriptParams(src_language=9), ChatParams()
ONLY_AUDIO = MediaParams(audio=AUDIO)
WITH_TRANSCRIPT = MediaParams(audio=AUDIO, transcript=TRANSCRIPT)
EVERYTHING = MediaParams(audio=AUDIO, transcript=TRANSCRIPT, chat=CHAT)


def plan(
    wanted: MediaParams, *keys: str, product: Product = Product.CONTACT_CENTER
) -> list[tuple[str, str, int]]:
    planned = plan_media({key: f"wss://{key}" for key in keys}, product, wanted)
    assert planned[0].has_audio
    assert not any(one.has_audio for one in planned[1:])
    return [(one.url.removeprefix("wss://"), one.name, one.media_type) for one in planned]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("audio", "all"), [("audio", "audio", 1)]),
        (("all",), [("all", "audio", 1)]),
        (("audio", "video", "transcript"), [("audio", "audio", 1)]),
    ],
)
def test_audio_alone(keys: tuple[str, ...], expected: list[tuple[str, str, int]]) -> None:
    assert plan(ONLY_AUDIO, *keys) == expected


def test_split_where_every_kind_has_its_url() -> None:
    assert plan(WITH_TRANSCRIPT, "audio", "transcript", "all") == [
        ("audio", "audio", 1),
        ("transcript", "transcript", 8),
    ]
    assert plan(EVERYTHING, "audio", "transcript", "chat", product=Product.MEETING) == [
        ("audio", "audio", 1),
        ("transcript", "transcript", 8),
        ("chat", "chat", 16),
    ]


def test_unified_where_a_kind_has_none() -> None:
    assert plan(WITH_TRANSCRIPT, "audio", "all") == [("all", "audio+transcript", MediaType.ALL)]
    assert plan(WITH_TRANSCRIPT, "audio", "all", product=Product.MEETING) == [
        ("all", "audio+transcript", 9)
    ], "everything would be video, too"


def test_a_kind_that_is_not_offered_is_done_without() -> None:
    assert plan(EVERYTHING, "audio", "chat", product=Product.MEETING) == [
        ("audio", "audio", 1),
        ("chat", "chat", 16),
    ]


def test_no_audio_no_stream() -> None:
    with pytest.raises(RemoteProtocolError, match=r"no media URL for audio among \['chat'\]"):
        plan(ONLY_AUDIO, "chat")


def test_parameters_go_with_their_kind() -> None:
    urls = {"audio": "a", "transcript": "t"}
    audio, transcript = plan_media(urls, Product.CONTACT_CENTER, WITH_TRANSCRIPT)
    assert audio.params == MediaParams(audio=AUDIO)
    assert transcript.params == MediaParams(transcript=TRANSCRIPT)
    pinned = transcript.with_transcript(TranscriptParams(src_language=14, enable_lid=False))
    assert pinned.params.transcript == TranscriptParams(src_language=14, enable_lid=False)
    (both,) = plan_media({"all": "u"}, Product.CONTACT_CENTER, WITH_TRANSCRIPT)
    assert both.audio_alone().params == MediaParams(audio=AUDIO)
    assert both.audio_alone().media_type == MediaType.AUDIO
