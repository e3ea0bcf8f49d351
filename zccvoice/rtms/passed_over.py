"""Messages that Zoom may send and we have no use for: what they hold is not read."""

from __future__ import annotations

from zccvoice.rtms.message import RtmsMessage


class VideoData(RtmsMessage, frozen=True, tag=15, kw_only=True):
    """15, Zoom → client: a camera's picture. Never asked for; what it holds is not even read."""


class ShareData(RtmsMessage, frozen=True, tag=16, kw_only=True):
    """16, Zoom → client: a shared screen's picture. As message 15."""


class AudioMetadata(RtmsMessage, frozen=True, tag=23, kw_only=True):
    """23, Zoom → client. Its shape is not documented; 24 to 27 are reserved for the other media."""


class VideoMetadata(RtmsMessage, frozen=True, tag=24, kw_only=True):
    """24, reserved."""


class ShareMetadata(RtmsMessage, frozen=True, tag=25, kw_only=True):
    """25, reserved."""


class TranscriptMetadata(RtmsMessage, frozen=True, tag=26, kw_only=True):
    """26, reserved."""


class ChatMetadata(RtmsMessage, frozen=True, tag=27, kw_only=True):
    """27, reserved."""


class VideoSubscriptionResponse(RtmsMessage, frozen=True, tag=29, kw_only=True):
    """29, Zoom → client."""

    status_code: int = 0
    reason: str = ""
    user_id: int | str | None = None


PassedOver = (
    VideoData
    | ShareData
    | AudioMetadata
    | VideoMetadata
    | ShareMetadata
    | TranscriptMetadata
    | ChatMetadata
    | VideoSubscriptionResponse
)
"""What Zoom may send and we have no use for."""
