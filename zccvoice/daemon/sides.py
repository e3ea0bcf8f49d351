"""CORE: on whose side of the call the participants are, as far as Zoom or the settings tell."""

from __future__ import annotations

from collections.abc import Iterable

from zccvoice.analytics.record import Side
from zccvoice.rtms.events import ParticipantConnected, Role

_OF_ROLE = {Role.CONSUMER: Side.CUSTOMER, Role.USER: Side.AGENT, Role.SUPERVISOR: Side.OTHER}


class Sides:
    """The sides of one stream's participants.

    In a contact centre Zoom tells roles. A supervisor who monitors may be told as one who answered, too, and is
    the agent only once he takes the call over; `analytics.roles` says the same of the time before and after.

    In a meeting the settings name the agents: once one of them is there, everybody else is a customer; until then
    nobody's side is known.
    """

    def __init__(self, agents: Iterable[str] = ()) -> None:
        """Begin.

        Args:
            agents: user ids or names, compared without regard to case.
        """
        self._agents = frozenset(one.casefold() for one in agents)
        self.joined_ms: dict[str, int] = {}
        """When Zoom said who is on a channel that should be heard, epoch ms (0: it told no time): agents and
        consumers by their role. A supervisor listens, and who is muted in a meeting sends nothing."""
        self._has_agent = False
        self._others: dict[str, None] = {}  # channels of a meeting, in order
        self._monitoring: set[str] = set()
        self._taken_over: set[str] = set()

    def of(self, who: ParticipantConnected) -> dict[str, Side | None]:
        """What is known now, by channel: of this participant, and of those whose side this one settles."""
        if who.channel_id is None:
            return {}
        if who.role is not None:
            side = self._of_role(who.channel_id, who.role)
            if side is Side.OTHER:
                self.joined_ms.pop(who.channel_id, None)
            else:
                self.joined_ms.setdefault(who.channel_id, who.timestamp_ms or 0)
            return {who.channel_id: side}
        names = (one.casefold() for one in (who.user_id, who.display_name) if one is not None)
        if self._agents.isdisjoint(names):
            self._others[who.channel_id] = None
            return {who.channel_id: Side.CUSTOMER if self._has_agent else None}
        self._others.pop(who.channel_id, None)
        settled = {} if self._has_agent else dict.fromkeys(self._others, Side.CUSTOMER)
        self._has_agent = True
        return {**settled, who.channel_id: Side.AGENT}

    def take_over(self, channel_id: str) -> Side:
        """The supervisor on this channel takes the call over."""
        self._taken_over.add(channel_id)
        return Side.AGENT

    def _of_role(self, channel_id: str, role: Role) -> Side:
        if role is Role.SUPERVISOR:
            self._monitoring.add(channel_id)
        if channel_id in self._taken_over:
            return Side.AGENT
        return Side.OTHER if channel_id in self._monitoring else _OF_ROLE[role]
