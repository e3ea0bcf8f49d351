"""The schema, fourth part: what was deleted, what must not be, and the history of the schema itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from zccvoice.store.tables import Base


class Tombstone(Base):
    """Something was deleted."""

    __tablename__ = "tombstone"
    __table_args__ = (
        CheckConstraint("reason IN ('revoked', 'erased', 'retention')", name="reason"),
        Index(None, "stream_id"),
        Index(None, "engagement_id"),
        {
            "comment": "What was deleted and why, without its content. Nothing revoked or erased is stored again."
        },
    )

    tombstone_id: Mapped[int] = mapped_column(
        BigInteger, Identity(always=True), primary_key=True, comment="A number."
    )
    engagement_id: Mapped[str | None] = mapped_column(comment="The engagement; NULL when it is about many.")
    stream_id: Mapped[str | None] = mapped_column(
        comment="The stream; NULL when all of the engagement is meant."
    )
    reason: Mapped[str] = mapped_column(
        comment="revoked (by Zoom), erased (on request) or retention (too old)."
    )
    deleted_at: Mapped[datetime] = mapped_column(comment="When.")
    removed: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Rows removed, by table.")


class LegalHold(Base):
    """Something must not be deleted."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        Index(None, "engagement_id"),
        {"comment": "Calls that must not be deleted: neither by retention nor for room on the disk."},
    )

    legal_hold_id: Mapped[int] = mapped_column(
        BigInteger, Identity(always=True), primary_key=True, comment="A number."
    )
    engagement_id: Mapped[str] = mapped_column(comment="The call; it need not be stored yet.")
    reason: Mapped[str] = mapped_column(comment="Why, in the words of whoever placed it.")
    placed_by: Mapped[str] = mapped_column(comment="Who placed it.")
    placed_at: Mapped[datetime] = mapped_column(comment="When.")
    released_at: Mapped[datetime | None] = mapped_column(comment="When it was lifted; NULL while it holds.")


class SchemaChange(Base):
    """A step in the history of the schema."""

    __tablename__ = "schema_change"
    __table_args__ = (
        {"comment": "The history of this schema: which version, what it brought, and since when."},
    )

    version: Mapped[str] = mapped_column(primary_key=True, comment="Name of the migration.")
    what: Mapped[str] = mapped_column(comment="What it brought.")
    applied_at: Mapped[datetime] = mapped_column(comment="When it was applied here.")
