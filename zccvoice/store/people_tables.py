"""The schema, third part: queues, agents, and who may read about whom, with validity in time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from zccvoice.store.tables import Base

_VALID_FROM = "From when on it holds; included."
_VALID_TO = "Until when it holds; not included. NULL: until further notice."


def _validity() -> CheckConstraint:
    return CheckConstraint("valid_to > valid_from", name="validity")


class Queue(Base):
    """A contact-centre queue."""

    __tablename__ = "queue"
    __table_args__ = ({"comment": "Queues that calls came through, as Zoom told them."},)

    queue_id: Mapped[str] = mapped_column(primary_key=True, comment="Zoom's id of the queue.")
    queue_name: Mapped[str | None] = mapped_column(comment="Its last known name.")


class Agent(Base):
    """A user of Zoom who takes calls."""

    __tablename__ = "agent"
    __table_args__ = ({"comment": "Agents who were on calls, as Zoom told them."},)

    user_id: Mapped[str] = mapped_column(primary_key=True, comment="Zoom's id of the user.")
    display_name: Mapped[str | None] = mapped_column(comment="Last known name.")


class Team(Base):
    """A part of the agent hierarchy."""

    __tablename__ = "team"
    __table_args__ = (
        CheckConstraint("parent_team_id <> team_id", name="parent"),
        {"comment": "Teams of agents; a team may be part of another. Filled by you."},
    )

    team_id: Mapped[str] = mapped_column(primary_key=True, comment="Your id of the team.")
    team_name: Mapped[str | None] = mapped_column(comment="Its name.")
    parent_team_id: Mapped[str | None] = mapped_column(
        ForeignKey("team.team_id"), comment="The team it is part of; NULL at the top."
    )


class AgentTeam(Base):
    """Who is in which team, and when."""

    __tablename__ = "agent_team"
    __table_args__ = (
        _validity(),
        Index(None, "user_id", "valid_from"),
        {"comment": "Which agent is in which team, and when. Filled by you."},
    )

    team_id: Mapped[str] = mapped_column(
        ForeignKey("team.team_id", ondelete="CASCADE"), primary_key=True, comment="The team."
    )
    user_id: Mapped[str] = mapped_column(primary_key=True, comment="Zoom's id of the agent.")
    valid_from: Mapped[datetime] = mapped_column(primary_key=True, comment=_VALID_FROM)
    valid_to: Mapped[datetime | None] = mapped_column(comment=_VALID_TO)


class TeamReader(Base):
    """Who may read about which team, and when."""

    __tablename__ = "team_reader"
    __table_args__ = (
        _validity(),
        {"comment": "Which login may read the calls of a team and of the teams below it. Filled by you."},
    )

    login: Mapped[str] = mapped_column(primary_key=True, comment="Name of a role of this database.")
    team_id: Mapped[str] = mapped_column(
        ForeignKey("team.team_id", ondelete="CASCADE"), primary_key=True, comment="The team."
    )
    valid_from: Mapped[datetime] = mapped_column(primary_key=True, comment=_VALID_FROM)
    valid_to: Mapped[datetime | None] = mapped_column(comment=_VALID_TO)
