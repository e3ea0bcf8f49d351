"""What differs between Zoom's products: webhooks, ids, event numbers, and which media are served.

Zoom Phone is known from the release notes of November 2026 only: its audio and events are made up after those of
meetings, with ``event_code`` where they have ``event_type``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from zccvoice.rtms.enums import ContactCenterEventType, EventType, MediaType, Product

_VOICE = MediaType.AUDIO | MediaType.TRANSCRIPT
_MEETING = _VOICE | MediaType.CHAT


@dataclass(frozen=True, slots=True)
class Traits:
    """One product, as its streams show it."""

    webhook: str
    """What the names of its webhooks begin with."""
    id_key: str
    """Of the id in webhook payloads."""
    served: int
    """Media types, a bit mask. Video and share are left to scenarios that send them unasked."""
    events: type[IntEnum]
    unasked: frozenset[int] = frozenset()
    """Events that come without subscription, beside 1 and 7."""
    event_key: str = "event_type"
    has_channels: bool = False
    """Whether tracks are named by ``channel_id``; otherwise by the number of a participant, ``user_id``."""


TRAITS: Mapping[Product, Traits] = {
    Product.CONTACT_CENTER: Traits(
        "contact_center.voice_rtms",
        "engagement_id",
        _VOICE,
        ContactCenterEventType,
        # Zoom's own Contact Center sample gets events without any subscription.
        unasked=frozenset(range(8, 14)),
        has_channels=True,
    ),
    Product.MEETING: Traits("meeting.rtms", "meeting_uuid", _MEETING, EventType),
    Product.WEBINAR: Traits("webinar.rtms", "webinar_uuid", _MEETING, EventType),
    Product.VIDEO_SDK: Traits("session.rtms", "session_id", _MEETING, EventType),
    Product.PHONE: Traits("phone.rtms", "call_id", _VOICE, EventType, event_key="event_code"),
}


def started_extras(product: Product, account_id: str, title: str) -> dict[str, Any]:
    """What the payload of a started webhook holds beside the ids and the URL."""
    if product is Product.VIDEO_SDK:
        return {"account_id": account_id, "session_key": title}
    if product not in (Product.MEETING, Product.WEBINAR):
        return {}
    numbers = {"meeting_id": "81234567890"}
    if product is Product.WEBINAR:
        numbers["webinar_id"] = "91234567890"
    return {"account_id": account_id, "operator_id": "usr_Simulated", "is_original_host": True, **numbers}
