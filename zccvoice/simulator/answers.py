"""What Zoom makes of a client's messages on a signaling connection after the handshake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zccvoice.rtms.enums import EventType, MessageType, SessionState, StatusCode, StopReason, StreamState
from zccvoice.simulator.link import Link

if TYPE_CHECKING:
    from zccvoice.simulator.call import Call


async def answer(call: Call, link: Link, fields: dict[str, Any]) -> None:
    """Take any message but the first; whatever is wrong with it is written down."""
    now = {"timestamp": call.now_ms()}
    stream = {"rtms_stream_id": call.scenario.stream_id}
    match fields["msg_type"]:
        case MessageType.KEEP_ALIVE_RESP:
            link.keep_alive_answered(fields)
        case MessageType.EVENT_SUBSCRIPTION:
            await _subscribe(call, link, fields)
        case MessageType.CLIENT_READY_ACK:
            _check_stream_id(call, link, fields)
            if not call.attendance.make_ready():
                link.complain("CLIENT_READY_ACK without an accepted media handshake before it")
        case MessageType.STREAM_CLOSE_REQ:
            _check_stream_id(call, link, fields)
            ok = {"status_code": StatusCode.OK, "reason": "OK"}
            await link.send({"msg_type": MessageType.STREAM_CLOSE_RESP, **ok, **stream, **now})
            call.end(StopReason.RECEIVER_REQUEST_CLOSE)
        case MessageType.SESSION_STATE_REQ:
            if fields.get("rtms_session_id") != call.session_id:
                link.complain("message 10 with another rtms_session_id")
            state = {"rtms_session_id": call.session_id, "state": SessionState.STARTED}
            await link.send({"msg_type": MessageType.SESSION_STATE_RESP, **state, **now})
        case MessageType.STREAM_STATE_REQ:
            _check_stream_id(call, link, fields)
            state = {**stream, "state": StreamState.ACTIVE}
            await link.send({"msg_type": MessageType.STREAM_STATE_RESP, **state, **now})
        case MessageType.VIDEO_SUBSCRIPTION_REQ:
            refused = {"status_code": StatusCode.MEDIA_TYPE_VIDEO_NOT_SUPPORT, "reason": "no video here"}
            about = {"user_id": fields.get("user_id")}
            await link.send({"msg_type": MessageType.VIDEO_SUBSCRIPTION_RESP, **about, **refused, **now})
        case other:
            link.complain(f"message {other} is not for a client to send here")


async def _subscribe(call: Call, link: Link, fields: dict[str, Any]) -> None:
    here = call.attendance
    wanted_joins = here.wants(EventType.PARTICIPANT_JOIN)
    for problem in here.subscribe(fields.get("events")):
        link.complain(problem)
    if call.player is not None and not wanted_joins and here.wants(EventType.PARTICIPANT_JOIN):
        await call.player.tell_who_is_here(call.now_ms())


def _check_stream_id(call: Call, link: Link, fields: dict[str, Any]) -> None:
    if fields.get("rtms_stream_id") != call.scenario.stream_id:
        link.complain(f"message {fields['msg_type']} with another rtms_stream_id")
