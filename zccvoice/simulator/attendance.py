"""Which of a client's connections are attached to a call right now, and what the client asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import trio

from zccvoice.rtms.enums import EventType, MediaType
from zccvoice.rtms.messages import TypedMessage
from zccvoice.simulator.handshakes import MediaTerms
from zccvoice.simulator.link import Link


@dataclass(slots=True)
class MediaLink:
    """A media connection whose handshake was accepted."""

    link: Link
    terms: MediaTerms
    is_ready: bool = False
    """The client has said CLIENT_READY_ACK since: nothing flows before."""

    opened_ms: int = 0
    """On the scenario's axis."""

    def carries(self, media_types: int) -> bool:
        """Whether any of these kinds of media may be sent on it now."""
        return self.is_ready and self.link.is_open and bool(self.terms.media_types & media_types)


class Attendance:
    """The connections of one call, with a way to wait for changes."""

    def __init__(self, unasked_events: Collection[int]) -> None:
        self.signaling: Link | None = None
        self.signaling_opened_ms = 0
        """On the scenario's axis."""
        self.media: list[MediaLink] = []
        self.wants_buffered = True
        """``buffer_data`` of the first message 1."""
        self.acks_due = 0
        """Media handshakes accepted and not yet acknowledged."""
        self._unasked_events = unasked_events
        self._subscribed: set[int] = set()
        self._owed: set[int] = set()  # subscriptions of an earlier connection, not renewed yet
        self._changed = trio.Event()

    def notify(self) -> None:
        """Wake everybody who waits: something has changed."""
        self._changed.set()
        self._changed = trio.Event()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once `holds()` is true; looked at after every change."""
        while not holds():
            await self._changed.wait()

    def links(self) -> list[Link]:
        """Every connection there is, signaling first."""
        signaling = [] if self.signaling is None else [self.signaling]
        return signaling + [media.link for media in self.media]

    def carrier(self, media_types: int) -> MediaLink | None:
        """A connection on which one of these kinds of media may be sent now."""
        return next((one for one in self.media if one.carries(media_types)), None)

    def has_audio(self) -> bool:
        """Whether audio can flow."""
        return self.carrier(MediaType.AUDIO) is not None

    def make_ready(self) -> bool:
        """CLIENT_READY_ACK came: all accepted media connections are ready. False for one too many.

        Zoom's SDK sends one for all its media connections, the documents ask for one each.
        """
        if not self.acks_due:
            return False
        self.acks_due -= 1
        for one in self.media:
            one.is_ready = True
        self.notify()
        return True

    async def tell(self, message: TypedMessage | dict[str, Any]) -> bool:
        """Send a message on the signaling connection; False where there is none."""
        return self.signaling is not None and await self.signaling.send(message)

    def wants(self, event_type: int) -> bool:
        """Whether an event is to be sent: it was subscribed to, or comes unasked."""
        return event_type in self._subscribed or event_type in self._unasked_events

    def subscribe(self, events: Any) -> list[str]:
        """Message 5. Returns what is wrong with it; what is right in it counts."""
        if not isinstance(events, list) or not events:
            return ["EVENT_SUBSCRIPTION: events must be a list that is not empty"]
        problems = []
        for entry in events:
            event_type = entry.get("event_type") if isinstance(entry, dict) else None
            if type(event_type) is not int or type(entry.get("subscribe")) is not bool:
                problems.append("EVENT_SUBSCRIPTION: each entry needs event_type (int) and subscribe (bool)")
            elif event_type in (EventType.FIRST_PACKET_TIMESTAMP, EventType.MEDIA_CONNECTION_INTERRUPTED):
                problems.append(f"EVENT_SUBSCRIPTION: {event_type} comes by itself, do not subscribe")
            elif entry["subscribe"]:
                self._subscribed.add(event_type)
                self._owed.discard(event_type)
            else:
                self._subscribed.discard(event_type)
                self._owed.discard(event_type)
        return problems

    def forget_subscriptions(self) -> None:
        """A new signaling connection starts without any, and the client owes those it had."""
        self._owed |= self._subscribed
        self._subscribed.clear()

    def subscriptions_owed(self) -> list[int]:
        """Event types that the client wanted on an earlier signaling connection and not on this one."""
        return sorted(self._owed)
