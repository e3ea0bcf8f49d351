"""CORE: the signaling connection, client side. No I/O, no clock.

                 message 1 goes out                     message 2, status 0
    (created) ─────────────────────► HANDSHAKING ───────────────────────────► OPEN
                                          │                                     │ state TERMINATED,
                                          ▼ message 2, other status             ▼ or silence
                                  HandshakeRefusedError                       ENDED

In OPEN it answers keep-alives, translates events by product, and announces each media connection with
message 7. What Zoom may send when is the table `_LEGAL`; what is not in it raises `RemoteProtocolError`, and
the caller goes on with the next message.

Source: Zoom RTMS documentation, "Connect to the signaling server", "Event subscription", "Contact Center".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from zccvoice.errors import HandshakeRefusedError, LocalProtocolError, RemoteProtocolError
from zccvoice.rtms.events import (
    CallEventReceived,
    ParticipantConnected,
    Role,
    StreamEnded,
)
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.messages import (
    ClientReady,
    ContactCenterEventType,
    Event,
    EventChoice,
    EventSubscription,
    EventType,
    EventUpdate,
    KeepAliveRequest,
    KeepAliveResponse,
    Message,
    OtherMessage,
    Product,
    SessionState,
    SessionStateUpdate,
    SignalingHandshakeRequest,
    SignalingHandshakeResponse,
    StatusCode,
    StopReason,
    StreamCloseResponse,
    StreamState,
    StreamStateUpdate,
    TypedMessage,
    name_of,
    plausible_ms,
)


class State(Enum):
    """Where the connection is in its life."""

    HANDSHAKING = auto()
    OPEN = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class SignalingOpened:
    """The handshake was accepted."""

    media_urls: Mapping[str, str]
    """URL by media: ``audio``, ``transcript``, ``all`` …; not yet checked against the allow-list."""


SignalingEvent = SignalingOpened | ParticipantConnected | CallEventReceived | StreamEnded

_LEGAL: dict[State, tuple[type, ...]] = {
    State.HANDSHAKING: (SignalingHandshakeResponse, KeepAliveRequest, StreamStateUpdate),
    State.OPEN: (
        KeepAliveRequest,
        EventUpdate,
        StreamStateUpdate,
        SessionStateUpdate,
        StreamCloseResponse,
    ),
    State.ENDED: (),
}
_SUBSCRIPTIONS = {
    Product.CONTACT_CENTER: tuple(
        kind for kind in ContactCenterEventType if kind is not ContactCenterEventType.UNDEFINED
    ),
}
_MEETING_SUBSCRIPTIONS = (
    EventType.ACTIVE_SPEAKER_CHANGE,
    EventType.PARTICIPANT_JOIN,
    EventType.PARTICIPANT_LEAVE,
)
_ROLES = {
    ContactCenterEventType.CONSUMER_ANSWERED: Role.CONSUMER,
    ContactCenterEventType.USER_ANSWERED: Role.USER,
}


class SignalingConnection:
    """One signaling connection of one stream."""

    def __init__(self, identity: StreamIdentity, *, silence_timeout_s: float, now: float) -> None:
        self.state = State.HANDSHAKING
        self._identity = identity
        self._silence_timeout_s = silence_timeout_s
        self._last_heard = now
        self._events: deque[SignalingEvent] = deque()
        self._outgoing: list[TypedMessage] = [
            SignalingHandshakeRequest(
                rtms_stream_id=identity.stream_id,
                signature=identity.signature,
                buffer_data=True,
                **identity.id_fields(),
            )
        ]

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
            RemoteProtocolError: the message is not legal here; it had no effect.
        """
        self._last_heard = now
        if isinstance(message, OtherMessage):
            return
        if not isinstance(message, _LEGAL[self.state]):
            raise RemoteProtocolError(f"{type(message).__name__} on signaling in state {self.state.name}")
        match message:
            case SignalingHandshakeResponse():
                self._finish_handshake(message)
            case KeepAliveRequest():
                self._outgoing.append(
                    KeepAliveResponse(timestamp=message.timestamp, sequence=message.sequence)
                )
            case EventUpdate():
                self._take_event(message.event)
            case StreamStateUpdate():
                self._take_stream_state(message)
            case SessionStateUpdate():
                self._take_session_state(message)
            case _:
                pass  # StreamCloseResponse: TERMINATED follows

    def receive_garbage(self, now: float) -> None:
        """Something undecodable arrived: still a sign of life."""
        self._last_heard = now

    def announce_media(self) -> None:
        """A media handshake was accepted: tell Zoom that data may flow (message 7).

        Raises:
            LocalProtocolError: the signaling connection is not open.
        """
        self._require_open("announce media")
        self._outgoing.append(ClientReady(rtms_stream_id=self._identity.stream_id))

    def next_event(self) -> SignalingEvent | None:
        """What happened, oldest first; None when there is nothing more yet."""
        return self._events.popleft() if self._events else None

    def messages_to_send(self) -> list[TypedMessage]:
        """What is to go out now, in order. Each message is handed out once."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called (monotonic seconds), None for never."""
        return None if self.state is State.ENDED else self._last_heard + self._silence_timeout_s

    def handle_timer(self, now: float) -> None:
        """The time of `get_timer` has come: Zoom was silent for too long."""
        timer = self.get_timer()
        if timer is not None and now >= timer:
            self._end("silent", f"nothing arrived on signaling for {self._silence_timeout_s:g} s")

    def _require_open(self, wish: str) -> None:
        if self.state is not State.OPEN:
            raise LocalProtocolError(f"cannot {wish} while signaling is {self.state.name}")

    def _end(self, cause: str, detail: str) -> None:
        self.state = State.ENDED
        self._events.append(StreamEnded(cause, detail))

    def _finish_handshake(self, response: SignalingHandshakeResponse) -> None:
        if response.status_code != StatusCode.OK:
            self.state = State.ENDED
            raise HandshakeRefusedError("signaling", response.status_code, response.reason)
        urls = response.media_server.server_urls if response.media_server else {}
        if not urls:
            self.state = State.ENDED
            raise RemoteProtocolError("signaling handshake accepted without media server URLs")
        self.state = State.OPEN
        wanted = _SUBSCRIPTIONS.get(self._identity.product, _MEETING_SUBSCRIPTIONS)
        self._outgoing.append(
            EventSubscription(events=[EventChoice(event_type=int(kind)) for kind in wanted])
        )
        self._events.append(SignalingOpened(urls))

    def _take_event(self, event: Event) -> None:
        if self._identity.product is not Product.CONTACT_CENTER:
            name = name_of(EventType, event.event_type).lower()
            self._events.append(CallEventReceived(name, event.timestamp_ms))
            return
        is_generic = event.event_type in (
            EventType.FIRST_PACKET_TIMESTAMP,
            EventType.MEDIA_CONNECTION_INTERRUPTED,
        )
        name = name_of(EventType if is_generic else ContactCenterEventType, event.event_type).lower()
        info = event.info
        channel_id = None if info is None or info.channel_id is None else str(info.channel_id)
        role = _ROLES.get(event.event_type)  # type: ignore[call-overload]
        if role is not None and info is not None:
            self._events.append(
                ParticipantConnected(
                    channel_id,
                    role,
                    event.timestamp_ms,
                    user_id=None if info.user_id is None else str(info.user_id),
                    display_name=info.display_name,
                    queue_id=None if info.queue_id is None else str(info.queue_id),
                    queue_name=info.queue_name,
                )
            )
        self._events.append(CallEventReceived(name, event.timestamp_ms, channel_id))

    def _take_stream_state(self, update: StreamStateUpdate) -> None:
        name = f"stream_{name_of(StreamState, update.state).lower()}"
        self._events.append(CallEventReceived(name, plausible_ms(update.timestamp)))
        if update.state == StreamState.TERMINATED:
            reason = "unspecified" if update.reason is None else name_of(StopReason, update.reason).lower()
            self._end(reason, "Zoom ended the stream")

    def _take_session_state(self, update: SessionStateUpdate) -> None:
        name = f"session_{name_of(SessionState, update.state).lower()}"
        self._events.append(CallEventReceived(name, plausible_ms(update.timestamp)))
