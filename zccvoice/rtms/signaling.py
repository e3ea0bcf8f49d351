"""CORE: the signaling connection, client side. No I/O, no clock.

                 message 1 goes out                     message 2, status 0
    (created) ─────────────────────► HANDSHAKING ───────────────────────────► OPEN
                                          │                                     │ state TERMINATED,
                                          ▼ message 2, other status             ▼ or silence
                                  HandshakeRefusedError                       ENDED

In OPEN it answers keep-alives, translates events by product, announces each media connection with message 7,
and may ask Zoom to end the stream (21, answered by 22 and TERMINATED).

Source: Zoom RTMS documentation, "Connect to the signaling server", "Event subscription", "Contact Center".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zccvoice.errors import HandshakeRefusedError, LocalProtocolError, RemoteProtocolError
from zccvoice.rtms.core import ConnectionCore, State
from zccvoice.rtms.enums import (
    ContactCenterEventType,
    EventType,
    Product,
    SessionState,
    StatusCode,
    StopReason,
    StreamState,
    name_of,
)
from zccvoice.rtms.events import (
    CallEventReceived,
    ParticipantConnected,
    Role,
    StreamEnded,
)
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.messages import (
    ClientReady,
    Event,
    EventChoice,
    EventSubscription,
    EventUpdate,
    KeepAliveRequest,
    SessionStateResponse,
    SessionStateUpdate,
    SignalingHandshakeRequest,
    SignalingHandshakeResponse,
    StreamCloseRequest,
    StreamCloseResponse,
    StreamStateResponse,
    StreamStateUpdate,
    TypedMessage,
)
from zccvoice.rtms.participant import participant_of
from zccvoice.rtms.passed_over import VideoSubscriptionResponse
from zccvoice.rtms.timestamps import plausible_ms


@dataclass(frozen=True, slots=True)
class SignalingOpened:
    """The handshake was accepted."""

    media_urls: Mapping[str, str]
    """URL by media: ``audio``, ``transcript``, ``all`` …; not yet checked against the allow-list."""


UNSPECIFIED = "unspecified"
"""The end of a stream for which Zoom gave no reason."""
SignalingEvent = SignalingOpened | ParticipantConnected | CallEventReceived | StreamEnded

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
_GENERIC_EVENTS = (EventType.FIRST_PACKET_TIMESTAMP, EventType.MEDIA_CONNECTION_INTERRUPTED)
"""The same in every product."""
_NAMING_EVENTS = (EventType.ACTIVE_SPEAKER_CHANGE, EventType.PARTICIPANT_JOIN)
_ROLES = {
    ContactCenterEventType.CONSUMER_ANSWERED: Role.CONSUMER,
    ContactCenterEventType.USER_ANSWERED: Role.USER,
    ContactCenterEventType.MONITOR_STARTED: Role.SUPERVISOR,
    ContactCenterEventType.TAKEOVER_STARTED: Role.USER,
}


class SignalingConnection(ConnectionCore[SignalingEvent]):
    """The signaling connection of one stream."""

    NAME = "signaling"
    LEGAL = {  # noqa: RUF012 (a constant)
        State.HANDSHAKING: (SignalingHandshakeResponse, KeepAliveRequest, StreamStateUpdate),
        State.OPEN: (
            KeepAliveRequest,
            EventUpdate,
            StreamStateUpdate,
            SessionStateUpdate,
            SessionStateResponse,
            StreamStateResponse,
            StreamCloseResponse,
            VideoSubscriptionResponse,
        ),
        State.ENDED: (),
    }

    def __init__(self, identity: StreamIdentity, *, silence_timeout_s: float, now: float) -> None:
        handshake = SignalingHandshakeRequest(
            rtms_stream_id=identity.stream_id,
            signature=identity.signature,
            buffer_data=True,
            **identity.id_fields(),
        )
        super().__init__(handshake, silence_timeout_s=silence_timeout_s, now=now)
        self._identity = identity

    def announce_media(self) -> None:
        """A media handshake was accepted: tell Zoom that data may flow (message 7).

        Raises:
            LocalProtocolError: the signaling connection is not open.
        """
        if not self.is_open:
            raise LocalProtocolError(f"cannot announce media while signaling is {self.state.name}")
        self._outgoing.append(ClientReady(rtms_stream_id=self._identity.stream_id))

    def request_close(self) -> None:
        """Tell Zoom that we want no more of this stream (message 21); without effect unless it is open."""
        if self.is_open:
            self._outgoing.append(StreamCloseRequest(rtms_stream_id=self._identity.stream_id))

    def _take(self, message: TypedMessage) -> None:
        match message:
            case SignalingHandshakeResponse():
                self._finish_handshake(message)
            case EventUpdate():
                self._take_event(message.event)
            case StreamStateUpdate():
                self._take_stream_state(message)
            case SessionStateUpdate():
                self._take_session_state(message)
            case _:
                pass  # the answer to a close request (TERMINATED follows), and to what we never ask

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
        match self._identity.product:
            case Product.CONTACT_CENTER:
                self._take_contact_center_event(event)
            case Product.PHONE:
                self._take_phone_event(event)
            case _:
                self._take_meeting_event(event)

    def _take_phone_event(self, event: Event) -> None:
        """An event of a phone call: what its numbers stand for is not documented, so it is told by its number."""
        is_generic = event.event_type in _GENERIC_EVENTS
        name = EventType(event.event_type).name.lower() if is_generic else f"phone_event_{event.event_type}"
        self._events.append(CallEventReceived(name, event.timestamp_ms))

    def _take_meeting_event(self, event: Event) -> None:
        """An event of a meeting, a webinar or a Video SDK session: about nobody, somebody, or several."""
        name = name_of(EventType, event.event_type).lower()
        told = [(participant_of(one.user_id), one.user_name) for one in event.participants or ()]
        told.append((participant_of(event.user_id), event.user_name))
        people = [(user_id, display_name) for user_id, display_name in told if user_id is not None]
        for user_id, display_name in people:
            if event.event_type in _NAMING_EVENTS and display_name:
                self._events.append(
                    ParticipantConnected(
                        user_id, None, event.timestamp_ms, user_id=user_id, display_name=display_name
                    )
                )
            self._events.append(CallEventReceived(name, event.timestamp_ms, user_id))
        if not people:
            self._events.append(CallEventReceived(name, event.timestamp_ms))

    def _take_contact_center_event(self, event: Event) -> None:
        is_generic = event.event_type in _GENERIC_EVENTS
        name = name_of(EventType if is_generic else ContactCenterEventType, event.event_type).lower()
        info = event.info
        channel_id = None if info is None or info.channel_id in (None, "") else str(info.channel_id)
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
                    phone_number=info.phone_number if role is Role.CONSUMER else None,
                )
            )
        self._events.append(CallEventReceived(name, event.timestamp_ms, channel_id))

    def _take_stream_state(self, update: StreamStateUpdate) -> None:
        name = f"stream_{name_of(StreamState, update.state).lower()}"
        self._events.append(CallEventReceived(name, plausible_ms(update.timestamp)))
        if update.state == StreamState.TERMINATED:
            reason = UNSPECIFIED if update.reason is None else name_of(StopReason, update.reason).lower()
            self.state = State.ENDED
            self._events.append(StreamEnded(reason, "Zoom ended the stream"))

    def _take_session_state(self, update: SessionStateUpdate) -> None:
        name = f"session_{name_of(SessionState, update.state).lower()}"
        self._events.append(
            CallEventReceived(name, plausible_ms(update.timestamp), session_id=update.rtms_session_id)
        )
