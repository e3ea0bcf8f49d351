"""Serves one connection of a call: the handshake with its refusals, then messages until it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import trio

from zccvoice.errors import HandshakeRefusedError
from zccvoice.rtms import wire
from zccvoice.rtms.enums import MediaType, MessageType, StatusCode
from zccvoice.rtms.messages import (
    EffectiveAudio,
    EffectiveParams,
    MediaHandshakeResponse,
    MediaServer,
    SignalingHandshakeResponse,
)
from zccvoice.simulator.answers import answer
from zccvoice.simulator.call import Call
from zccvoice.simulator.dialect import told_status
from zccvoice.simulator.handshakes import check_identity, check_media
from zccvoice.simulator.link import Link
from zccvoice.simulator.mishaps import Where
from zccvoice.simulator.products import TRAITS

Fields = dict[str, Any]
"""A JSON object as it came."""


async def serve_signaling(
    link: Link, call: Call, fields: Fields, media_urls: Callable[[Call], Mapping[str, str]]
) -> None:
    """Serve a signaling connection whose first message is `fields`, until it is gone.

    `media_urls` gives the ``server_urls`` of a call.
    """
    try:
        await _meet(link, call, fields, MessageType.SIGNALING_HAND_SHAKE_REQ)
        await _make_room(link, call)
    except HandshakeRefusedError as refusal:
        await _refuse(link, call, refusal)
        return
    server = MediaServer(server_urls=dict(media_urls(call)))
    # Answered before it is attached: nothing may come on the connection before message 2.
    await link.send(SignalingHandshakeResponse(status_code=StatusCode.OK, media_server=server))
    call.signaling_opened(link, wants_buffered=fields.get("buffer_data") is not False)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.keep_alive, call.now_ms)
            while (fields_or_none := await link.receive()) is not None:
                await answer(call, link, fields_or_none)
            nursery.cancel_scope.cancel()
    finally:
        call.signaling_closed(link)


async def serve_media(link: Link, call: Call, fields: Fields) -> None:
    """Serve a media connection whose first message is `fields`, until it is gone."""
    try:
        await _meet(link, call, fields, MessageType.DATA_HAND_SHAKE_REQ)
        terms = check_media(fields, TRAITS[call.scenario.product].served)
        call.check_attachable(terms)
    except HandshakeRefusedError as refusal:
        await _refuse(link, call, refusal)
        return
    media = call.media_opened(link, terms)
    try:
        audio = EffectiveAudio.of(terms.audio) if terms.media_types & MediaType.AUDIO else None
        params = EffectiveParams(audio=audio, transcript=terms.transcript)
        accepted = wire.encode(MediaHandshakeResponse(status_code=StatusCode.OK, media_params=params))
        if call.scenario.dialect.names_payload_encryption:
            accepted = accepted.replace('"payload_encrypted"', '"payload_encryption"')
        await link.send_text(accepted)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.keep_alive, call.now_ms)
            while (fields_or_none := await link.receive()) is not None:
                if fields_or_none["msg_type"] == MessageType.KEEP_ALIVE_RESP:
                    link.keep_alive_answered(fields_or_none)
                else:
                    link.complain(f"message {fields_or_none['msg_type']} is not for a client to send here")
            nursery.cancel_scope.cancel()
    finally:
        call.media_closed(media)


class _ProvokedRefusalError(HandshakeRefusedError):
    """A refusal that the scenario asked for: no mistake of the client."""


class _ConnectionResetError(HandshakeRefusedError):
    """No answer at all."""


async def _meet(link: Link, call: Call, fields: Fields, expected: MessageType) -> None:
    """Whether the client may come in, mishaps and its own mistakes considered."""
    which = Where(link.name)
    faults = call.scenario.faults
    link.report_to(call.complain)
    link.is_binary, link.is_fragmented = faults.binary_frames, faults.fragments
    if call.admission.is_out:
        link.was_provoked = True
        raise _ConnectionResetError(which, 0, "outage")
    await trio.sleep(call.admission.delay_s)
    if provoked := call.admission.refusal(which):
        raise _ProvokedRefusalError(which, *provoked)
    if fields["msg_type"] != expected:
        reason = f"expected {expected.name} first, got {fields['msg_type']}"
        raise HandshakeRefusedError(which, StatusCode.INVALID_MESSAGE_TYPE, reason)
    check_identity(which, fields, call.identity)
    if "protocol_version" not in fields:
        link.complain(f"message {expected} without protocol_version")  # tolerated, as Zoom does
    if call.admission.has_ended:
        raise HandshakeRefusedError(which, StatusCode.INVALID_RTMS_STREAM_ID, "the stream has ended")


async def _make_room(link: Link, call: Call) -> None:
    """At most one signaling connection: the second is refused, or evicts the first."""
    first = call.attendance.signaling
    if first is None:
        return
    if not first.is_half_open:  # who is cut off cannot tell us
        link.complain("a second signaling connection beside a living one")
    if not call.scenario.dialect.evicts:
        reason = "duplicate signal request"
        raise _ProvokedRefusalError(link.name, StatusCode.DUPLICATE_SIGNAL_REQUEST, reason)
    await first.close()
    await call.attendance.until(lambda: call.attendance.signaling is not first)


async def _refuse(link: Link, call: Call, refusal: HandshakeRefusedError) -> None:
    dialect, told = call.scenario.dialect, told_status(call.scenario.dialect, refusal.status_code)
    if isinstance(refusal, _ConnectionResetError):
        await link.abort()
        return
    if not isinstance(refusal, _ProvokedRefusalError):
        link.complain(str(refusal))
    if refusal.status_code == StatusCode.INVALID_SIGNATURE and dialect.refuses_signature_silently:
        return
    if link.name == Where.SIGNALING or dialect.refuses_media_with_message_2:
        await link.send(SignalingHandshakeResponse(status_code=told, reason=refusal.reason))
    else:
        await link.send(MediaHandshakeResponse(status_code=told, reason=refusal.reason))
