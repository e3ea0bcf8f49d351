"""Who we are to Zoom on one stream: the ids and the signature that both handshakes carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, cast

from zccvoice.rtms.enums import Product
from zccvoice.rtms.signature import handshake_signature

_ID_KEYS = {
    Product.CONTACT_CENTER: ("engagement_id",),
    Product.MEETING: ("meeting_uuid",),
    Product.WEBINAR: ("webinar_uuid", "meeting_uuid"),
    Product.VIDEO_SDK: ("session_id", "meeting_uuid"),
    Product.PHONE: ("call_id",),
}
"""Keys of messages 1 and 3 that carry the id. Webinars and Video SDK sessions are also known to be read
under ``meeting_uuid`` (Zoom's samples), so both are sent."""


class IdFields(TypedDict, total=False):
    """The engagement's id under its keys in messages 1 and 3."""

    engagement_id: str
    meeting_uuid: str
    webinar_uuid: str
    session_id: str
    call_id: str


@dataclass(frozen=True, slots=True)
class StreamIdentity:
    """The ids of one stream, and its signature."""

    product: Product
    engagement_id: str
    stream_id: str
    signature: str
    """Depends on the client secret but does not reveal it."""

    @classmethod
    def sign(
        cls, product: Product, engagement_id: str, stream_id: str, client_id: str, client_secret: str
    ) -> StreamIdentity:
        """Make the identity with the app's credentials."""
        signature = handshake_signature(client_id, client_secret, engagement_id, stream_id)
        return cls(product, engagement_id, stream_id, signature)

    def id_fields(self) -> IdFields:
        """The id under the keys that the product's handshakes use."""
        return cast("IdFields", dict.fromkeys(_ID_KEYS[self.product], self.engagement_id))
