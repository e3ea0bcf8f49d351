"""The schema, sixth part: the rules that calls were judged by, and hits that are still to be told to others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from zccvoice.store.tables import Base, of_engagement


class RuleRevision(Base):
    """A rule as it was at a time."""

    __tablename__ = "rule_revision"
    __table_args__ = (
        {"comment": "Rules that calls were judged by. A rule whose content changes is a new revision."},
    )

    rule: Mapped[str] = mapped_column(primary_key=True, comment="Name of the rule.")
    revision: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="1 is the first; named by category_hit.revision."
    )
    content: Mapped[str] = mapped_column(comment="What it says, as a rules file would have it.")
    valid_from: Mapped[datetime] = mapped_column(comment="When it came into force here.")


class RuleDelivery(Base):
    """A hit that is to be posted."""

    __tablename__ = "rule_delivery"
    __table_args__ = (
        Index(None, "engagement_id"),
        Index(
            "ix_rule_delivery_due_at",
            "due_at",
            postgresql_where=sql("delivered_at IS NULL AND given_up_at IS NULL"),
        ),
        {"comment": "Hits of rules for a receiver: what waits to be posted, was taken, or was given up."},
    )

    delivery_id: Mapped[str] = mapped_column(
        primary_key=True, comment="Tells a receiver that it has this one already."
    )
    engagement_id: Mapped[str] = of_engagement()
    body: Mapped[str] = mapped_column(comment="What is posted, JSON.")
    created_at: Mapped[datetime] = mapped_column(comment="When the rule matched, or did not any more.")
    due_at: Mapped[datetime] = mapped_column(comment="When it is posted next.")
    attempts_count: Mapped[int] = mapped_column(server_default="0", comment="How often it was posted.")
    delivered_at: Mapped[datetime | None] = mapped_column(comment="When the receiver took it; NULL: not yet.")
    given_up_at: Mapped[datetime | None] = mapped_column(comment="When it was given up; NULL: it was not.")
    problem: Mapped[str | None] = mapped_column(comment="Why the receiver did not take it the last time.")
