"""The schema, sixth part: which language a call, or a side of it, was pinned to, and why."""

from __future__ import annotations

from sqlalchemy import REAL, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from zccvoice.store.tables import Base, of_engagement, of_stream


class LanguagePinTable(Base):
    """A decision on a language."""

    __tablename__ = "language_pin"
    __table_args__ = (
        Index(None, "engagement_id"),
        {"comment": "Every decision on the language of a call, or of a participant where sides are apart."},
    )

    engagement_id: Mapped[str] = of_engagement()
    stream_id: Mapped[str] = of_stream()
    channel_id: Mapped[str] = mapped_column(
        primary_key=True, comment="The channel that it is for; empty when it is for the whole call."
    )
    number: Mapped[int] = mapped_column(
        Integer, primary_key=True, comment="0 for the first; one that replaced it has the next number."
    )
    language: Mapped[str] = mapped_column(comment="The pinned language, a Whisper code such as en.")
    source: Mapped[str] = mapped_column(
        comment="configured, detected, zoom, or fallback when nothing spoke for any language."
    )
    confidence: Mapped[float | None] = mapped_column(
        REAL, comment="How certain the detection was, 0-1; NULL where nothing was detected."
    )
    since_ms: Mapped[int | None] = mapped_column(
        comment="From which utterance on it holds, ms on the engagement's clock; NULL from the beginning."
    )
