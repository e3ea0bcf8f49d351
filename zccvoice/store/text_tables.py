"""The schema, fifth part: texts that Zoom sends along, beside what was transcribed here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from zccvoice.store.tables import Base, of_channel, of_engagement, of_stream


class ZoomTranscript(Base):
    """A sentence of Zoom's own transcript."""

    __tablename__ = "zoom_transcript"
    __table_args__ = (
        Index(None, "engagement_id", "start_ms"),
        {
            "comment": "Zoom's own transcript, sentence by sentence, where it is asked for; no measure uses it."
        },
    )

    engagement_id: Mapped[str] = of_engagement()
    stream_id: Mapped[str] = of_stream()
    channel_id: Mapped[str] = of_channel()
    start_ms: Mapped[int] = mapped_column(
        primary_key=True, comment="Its start, ms on the engagement's clock."
    )
    end_ms: Mapped[int | None] = mapped_column(
        comment="Its end, ms on the engagement's clock; NULL when Zoom did not tell."
    )
    text: Mapped[str | None] = mapped_column(comment="The sentence, redacted; NULL when Zoom took it back.")
    language: Mapped[str | None] = mapped_column(comment="Language that Zoom took it for, a BCP-47 tag.")


class ChatMessage(Base):
    """A message in the chat of a meeting, webinar or Video SDK session."""

    __tablename__ = "chat_message"
    __table_args__ = (
        Index(None, "engagement_id", "sent_at"),
        {"comment": "Chat of meetings, webinars and Video SDK sessions, where it was asked for."},
    )

    engagement_id: Mapped[str] = of_engagement()
    stream_id: Mapped[str] = of_stream()
    message_id: Mapped[str] = mapped_column(
        primary_key=True, comment="Zoom's id of it, or its time and sender where Zoom gives none."
    )
    sent_at: Mapped[datetime] = mapped_column(comment="When, by Zoom's clock.")
    sender_id: Mapped[str | None] = mapped_column(comment="Zoom's id of whoever wrote it.")
    sender_name: Mapped[str | None] = mapped_column(comment="Their name as Zoom shows it.")
    text: Mapped[str | None] = mapped_column(comment="The message, redacted; NULL when it was deleted.")
