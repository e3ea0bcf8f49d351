"""Which media connections a stream gets: one for everything ("unified"), or one for each kind ("split").

Zoom offers a URL for each kind that the app's scopes allow, and one for all. One connection per kind is what every
example does; texts on a connection of their own cannot hurt the audio. Where there is no URL for a text,
everything comes over one connection.

Source: Zoom RTMS documentation, "Connect to the media server"; Zoom's Contact Center samples, which ask for
everything (32) on one connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from zccvoice.errors import RemoteProtocolError
from zccvoice.rtms.enums import MediaType, Product
from zccvoice.rtms.messages import MediaParams, TranscriptParams

_URL_KEYS = {
    MediaType.AUDIO: "audio",
    MediaType.TRANSCRIPT: "transcript",
    MediaType.CHAT: "chat",
}


@dataclass(frozen=True, slots=True)
class PlannedMedia:
    """One media connection that is to be made."""

    url: str
    media_type: int
    params: MediaParams

    @property
    def has_audio(self) -> bool:
        """Without this connection the stream is of no use."""
        return self.params.audio is not None

    @property
    def name(self) -> str:
        """For the log: ``audio``, ``transcript``, ``audio+transcript`` …"""
        return "+".join(_URL_KEYS[kind] for kind in _kinds(self.params))

    def with_transcript(self, params: TranscriptParams) -> PlannedMedia:
        """The same connection with other parameters for transcripts."""
        return replace(self, params=msgspec.structs.replace(self.params, transcript=params))

    def audio_alone(self) -> PlannedMedia:
        """The same connection for nothing but audio: for a server that refuses the texts."""
        return replace(self, media_type=MediaType.AUDIO, params=MediaParams(audio=self.params.audio))


def plan_media(urls: Mapping[str, str], product: Product, wanted: MediaParams) -> list[PlannedMedia]:
    """The connections for `wanted`, the one with audio first.

    Args:
        urls: what the signaling handshake offered, by kind.
        product: decides how "several kinds" is said.
        wanted: parameters of every kind that is wanted; audio is one of them.

    Raises:
        RemoteProtocolError: no URL will do for audio.
    """
    kinds = _kinds(wanted)
    keys = [_URL_KEYS[kind] for kind in kinds]
    if len(kinds) > 1 and "all" in urls and not all(key in urls for key in keys):
        return [_planned(urls["all"], kinds, product, wanted)]
    audio_url = urls.get("audio") or urls.get("all")
    if audio_url is None:
        raise RemoteProtocolError(f"no media URL for audio among {sorted(urls)}")
    texts = [kind for kind in kinds if kind is not MediaType.AUDIO and _URL_KEYS[kind] in urls]
    return [
        _planned(audio_url, [MediaType.AUDIO], product, wanted),
        *(_planned(urls[_URL_KEYS[kind]], [kind], product, wanted) for kind in texts),
    ]


def _kinds(params: MediaParams) -> list[MediaType]:
    """The kinds that there are parameters for, audio first."""
    return [kind for kind, key in _URL_KEYS.items() if getattr(params, key) is not None]


def _planned(url: str, kinds: list[MediaType], product: Product, wanted: MediaParams) -> PlannedMedia:
    media_type = sum(kinds)
    if len(kinds) > 1 and product is Product.CONTACT_CENTER:
        media_type = MediaType.ALL  # the proven form; there is nothing but audio and transcripts
    given = {_URL_KEYS[kind]: getattr(wanted, _URL_KEYS[kind]) for kind in kinds}
    return PlannedMedia(url, media_type, msgspec.structs.replace(MediaParams(), **given))
