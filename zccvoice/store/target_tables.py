"""The schema, sixth part: what a number is to be."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from zccvoice.store.tables import Base


class MetricTarget(Base):
    """The range that a measure is to be in, by version."""

    __tablename__ = "metric_target"
    __table_args__ = (
        CheckConstraint("low <= high", name="range"),
        {"comment": "Target ranges of measures; a later one replaces an earlier one. Filled by you."},
    )

    measure: Mapped[str] = mapped_column(
        primary_key=True, comment="Name of a measure: a column of reporting.call, or one of a report."
    )
    queue_id: Mapped[str] = mapped_column(
        primary_key=True, server_default="", comment="The queue it is for; empty: every queue."
    )
    team_id: Mapped[str] = mapped_column(
        primary_key=True, server_default="", comment="The team it is for; empty: every team."
    )
    valid_from: Mapped[datetime] = mapped_column(
        primary_key=True, comment="From when on it holds, until the next one of the same measure and place."
    )
    low: Mapped[float | None] = mapped_column(
        comment="Lowest value that is in the range, in the measure's unit; NULL: no bound."
    )
    high: Mapped[float | None] = mapped_column(
        comment="Highest value that is in the range; NULL: no bound. Both NULL: no target from then on."
    )
