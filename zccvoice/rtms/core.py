"""CORE: what the signaling and the media connection have in common: the five verbs, liveness, keep-alives.

    receive_message(message, now)   take in what arrived
    next_event()                    what happened, oldest first
    messages_to_send()              what is to go out now
    get_timer(), handle_timer(now)  when silence is the end of the connection

Any message is a sign of life. Which ones are legal when is a table of the subclass; what is not in it raises
`RemoteProtocolError` and has no effect, and the caller goes on with the next message.

Source: Zoom RTMS documentation, "Keep-alive".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from enum import Enum, auto
from typing import ClassVar, Generic, TypeVar

from zccvoice.errors import ConnectionFailedError, RemoteProtocolError
from zccvoice.rtms.messages import KeepAliveRequest, KeepAliveResponse, Message, OtherMessage, TypedMessage

EventT = TypeVar("EventT")


class State(Enum):
    """Where a connection is in its life."""

    HANDSHAKING = auto()
    OPEN = auto()
    ENDED = auto()

    __hash__ = object.__hash__  # a table is asked by it for every message, and Enum's own would be felt


class ConnectionCore(ABC, Generic[EventT]):
    """One connection of one stream, client side. No I/O, no clock."""

    NAME: ClassVar[str]
    LEGAL: ClassVar[Mapping[State, tuple[type, ...]]]
    """What Zoom may send in which state."""

    def __init__(self, handshake: TypedMessage, *, silence_timeout_s: float, now: float) -> None:
        self.state = State.HANDSHAKING
        self._silence_timeout_s = silence_timeout_s
        self.last_heard = now
        """When something last arrived, monotonic seconds."""
        self._events: deque[EventT] = deque()
        self._outgoing: list[TypedMessage] = [handshake]

    @property
    def is_open(self) -> bool:
        """The handshake was accepted and the connection has not ended."""
        return self.state is State.OPEN

    @property
    def is_done(self) -> bool:
        """Nothing more is to be sent or received."""
        return self.state is State.ENDED

    def receive_message(self, message: Message, now: float) -> None:
        """Take in one message that arrived at `now` (monotonic seconds).

        Raises:
            HandshakeRefusedError: Zoom refused the handshake; the connection is over.
            RemoteProtocolError: the message is not legal here, or contradicts itself; it had no effect.
        """
        self.last_heard = now
        if isinstance(message, OtherMessage):
            return
        if not isinstance(message, self.LEGAL[self.state]):
            raise RemoteProtocolError(f"{type(message).__name__} on {self.NAME} in state {self.state.name}")
        if isinstance(message, KeepAliveRequest):
            answer = KeepAliveResponse(timestamp=message.timestamp, sequence=message.sequence)
            self._outgoing.append(answer)
        else:
            self._take(message)

    def receive_garbage(self, now: float) -> None:
        """Something undecodable arrived: still a sign of life."""
        self.last_heard = now

    def next_event(self) -> EventT | None:
        """What happened, oldest first; None when there is nothing more yet."""
        return self._events.popleft() if self._events else None

    @property
    def has_messages_to_send(self) -> bool:
        """Whether `messages_to_send` would give any."""
        return bool(self._outgoing)

    def messages_to_send(self) -> list[TypedMessage]:
        """What is to go out now, in order. Each message is handed out once."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called (monotonic seconds), None for never."""
        return None if self.is_done else self.last_heard + self._silence_timeout_s

    def handle_timer(self, now: float) -> None:
        """The time of `get_timer` has come.

        Raises:
            ConnectionFailedError: nothing arrived for too long; the connection is over.
        """
        timer = self.get_timer()
        if timer is not None and now >= timer:
            self.state = State.ENDED
            raise ConnectionFailedError(f"nothing arrived on {self.NAME} for {self._silence_timeout_s:g} s")

    @abstractmethod
    def _take(self, message: TypedMessage) -> None:
        """A legal message that is no keep-alive."""
