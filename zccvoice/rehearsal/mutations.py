"""Messages that are wrong in every way, into parser, connection cores in any state, and the journal's codec.

Each message begins as one that Zoom sends, and is changed: bytes of it, or values and keys of its JSON. What
comes of it is a message, or a `RemoteProtocolError`, and what the cores make of it can be written down. Anything
else is an exception that nobody expects, and comes out of `throw` as it is.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zccvoice.daemon.past import ENTRY_TYPES
from zccvoice.errors import ConnectionFailedError, RemoteProtocolError
from zccvoice.journal.entry import EntryCodec
from zccvoice.rtms import wire
from zccvoice.rtms.enums import MediaType, Product
from zccvoice.rtms.events import AudioReceived, MediaPassedOver
from zccvoice.rtms.identity import StreamIdentity
from zccvoice.rtms.media import MediaAccepted, MediaConnection
from zccvoice.rtms.messages import AudioParams, ChatParams, MediaParams, OtherMessage, TranscriptParams
from zccvoice.rtms.signaling import SignalingConnection, SignalingOpened

_URLS = {"audio": "wss://zoom.us/a", "all": "wss://zoom.us/all"}
_WHO = {"channel_id": "ch", "user_id": 16_778_240, "user_name": "Ana"}
_TIME = 1_781_000_000_000
_INFO = {
    "channel_id": "ch",
    "queue_id": "q",
    "queue_name": "Orders",
    "display_name": "Ana",
    "phone_number": "+1555",
}
OPENINGS: Sequence[dict[str, Any]] = (
    {"msg_type": 2, "status_code": 0, "media_server": {"server_urls": _URLS}},
    {
        "msg_type": 4,
        "status_code": 0,
        "media_params": {"audio": {"codec": 1, "sample_rate": 1, "send_rate": 100}},
    },
)
"""What opens a signaling and a media connection."""
SEEDS: Sequence[dict[str, Any]] = (
    *OPENINGS,
    {"msg_type": 2, "status_code": 8, "reason": "duplicate signal request"},
    {"msg_type": 4, "status": 16, "reason": "exists"},
    *(
        {"msg_type": 6, "event": {"event_type": kind, "event_ts": _TIME, "participant_info": _INFO}}
        for kind in range(16)
    ),
    {"msg_type": 6, "event": {"event_type": 2, "timestamp": _TIME, "user_id": 5, "user_name": "Ana"}},
    {
        "msg_type": 6,
        "event": {"event_type": 3, "participants": [{"user_id": 5, "user_name": "Ana"}, {"user_id": "6"}]},
    },
    {"msg_type": 8, "state": 1, "timestamp": _TIME},
    {"msg_type": 8, "state": 4, "reason": 26, "timestamp": _TIME},
    {"msg_type": 9, "state": 3, "rtms_session_id": "s", "stop_reason": 6, "timestamp": _TIME},
    {"msg_type": 11, "state": 3, "rtms_session_id": "s", "timestamp": _TIME},
    {"msg_type": 12, "timestamp": _TIME, "sequence": 3},
    {"msg_type": 14, "content": {**_WHO, "data": "AQACAAMABAA=", "timestamp": _TIME, "length": 8}},
    {"msg_type": 14, "content": "AQACAAMABAA=", "timestamp": _TIME, "user_id": 5},
    {"msg_type": 15, "content": {**_WHO, "data": "AAAA", "timestamp": _TIME}},
    {"msg_type": 16, "content": {"data": "AAAA", "timestamp": _TIME}},
    {
        "msg_type": 17,
        "content": {**_WHO, "data": "Hello", "timestamp": _TIME * 1000, "start_time": _TIME, "language": 9},
    },
    {
        "msg_type": 18,
        "content": {
            **_WHO,
            "data": {"message_id": "m", "data": "Hi", "operation_type": 1},
            "timestamp": _TIME,
        },
    },
    {"msg_type": 18, "content": {**_WHO, "data": '{"message_id":"m","data":"Hi"}', "timestamp": _TIME}},
    {"msg_type": 20, "state": 2, "rtms_stream_id": "s"},
    {"msg_type": 22, "status_code": 0},
    {"msg_type": 29, "content": {}},
    {"msg_type": 99},
)
"""One of everything."""
_ODD: Sequence[Any] = (
    None, True, False, 0, -1, 1, 4, 14, 2**31, 2**63, -(2**63), 2**64, 10**40, 10**400, 0.5, -1e308, 1e308,
    "", "0", "7", "-1", "1e3", "ä€", "\x00", "x" * 5_000, "null", "!!!", "AAA", _TIME, str(_TIME),
    [], {}, [[]], {"": None}, [None, 1, "a"], {"data": {}}, [{"user_id": None}],
    {"server_urls": "wss://x"}, {"server_urls": {"audio": ["wss://x"]}},
)  # fmt: skip
_PIECES = (
    b"\x00",
    b"\xff",
    b"\\",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\ud800",
    b"1e999",
    b"-",
    b"NaN",
    b"\xc3",
)
_PRODUCTS = tuple(one for one in Product if one is not Product.RECORDING)  # which nobody streams
_IDENTITIES = {one: StreamIdentity(one, "engagement", "stream", "signature") for one in _PRODUCTS}
_WANTED = MediaParams(audio=AudioParams(), transcript=TranscriptParams(), chat=ChatParams())
_CODEC = EntryCodec(ENTRY_TYPES)
_TRANSIENT = (SignalingOpened, MediaAccepted, MediaPassedOver)
"""Events that nobody writes down."""
Core = SignalingConnection | MediaConnection


@dataclass(slots=True)
class Figures:
    """What became of them."""

    unreadable: int = 0
    """No message."""
    unknown: int = 0
    """Of a type that we do not know: passed over."""
    illegal: int = 0
    """A message that a core refused where it was."""
    understood: int = 0
    events: int = 0
    """What the cores told of those."""
    written_bytes: int = 0
    """These events, in the journal's form."""

    @property
    def total(self) -> int:
        """All messages."""
        return self.unreadable + self.unknown + self.illegal + self.understood


def throw(count: int, seed: int) -> Figures:
    """Throw so many messages; the same for the same seed.

    Args:
        count: how many.
        seed: of the chance.
    """
    chance, figures = random.Random(seed), Figures()  # noqa: S311 (no secret)
    while figures.total < count:
        core, now = _new_core(chance), 100.0
        for _ in range(chance.randrange(1, 24)):
            now += chance.random()
            _receive(core, mutated(chance), now, figures)
        _wait(core, now + chance.choice((1.0, 100.0)))
    return figures


def _new_core(chance: random.Random) -> Core:
    identity = _IDENTITIES[chance.choice(_PRODUCTS)]
    kind = chance.randrange(2)
    core: Core
    if kind == 0:
        core = SignalingConnection(identity, silence_timeout_s=35, now=100.0)
    else:
        core = MediaConnection(identity, MediaType.ALL, _WANTED, silence_timeout_s=65, now=100.0)
    if chance.random() < 0.8:
        core.receive_message(wire.decode(json.dumps(OPENINGS[kind])), 100.0)
    return core


def _receive(core: Core, raw: bytes | str, now: float, figures: Figures) -> None:
    try:
        message = wire.decode(raw)
    except RemoteProtocolError:
        core.receive_garbage(now)
        figures.unreadable += 1
        return
    try:
        core.receive_message(message, now)
    except RemoteProtocolError:
        figures.illegal += 1
    else:
        figures.unknown += isinstance(message, OtherMessage)
        figures.understood += not isinstance(message, OtherMessage)
    while (event := core.next_event()) is not None:
        figures.events += 1
        if not isinstance(event, _TRANSIENT):
            channels = [event.channel_id] if isinstance(event, AudioReceived) else []
            numbers = dict.fromkeys(channels, 0)
            figures.written_bytes += len(_CODEC.encode(_TIME, [event], numbers, channels))
    for answer in core.messages_to_send():
        wire.decode(wire.encode(answer))


def _wait(core: Core, now: float) -> None:
    timer = core.get_timer()
    try:
        core.handle_timer(now)
    except ConnectionFailedError:
        assert timer is not None
        assert now >= timer
    assert core.is_done or timer is None or now < timer


def mutated(chance: random.Random) -> bytes | str:
    """One message, changed in up to three ways; some not at all."""
    fields = chance.choice(SEEDS)
    for _ in range(chance.choice((0, 0, 1, 2))):
        fields = _with_odd_value(fields, chance)
    raw = json.dumps(fields, ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")
    for _ in range(chance.choice((0, 0, 0, 0, 0, 1, 3))):
        raw = chance.choice(_BYTES)(raw, chance.randrange(len(raw) + 1), chance)
    if chance.random() < 0.5:
        return raw
    return raw.decode(errors="replace")


def _with_odd_value(value: Any, chance: random.Random) -> Any:
    """The same with one value, somewhere inside, replaced, left out or added."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {name: inner for name, inner in value.items() if name != key}
            case 1:
                return {
                    **value,
                    chance.choice(("content", "event", "data", "reason", "", "msg_type")): value[key],
                }
            case _:
                return {**value, key: _with_odd_value(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.5:
        return [*value, _with_odd_value(value[0], chance)]
    return chance.choice(_ODD)


_BYTES: Sequence[Callable[[bytes, int, random.Random], bytes]] = (
    lambda raw, at, chance: raw[:at],
    lambda raw, at, chance: raw[:at] + chance.choice(_PIECES) + raw[at:],
    lambda raw, at, chance: raw[:at] + chance.choice(_PIECES) + raw[at + 1 :],
    lambda raw, at, chance: raw[:at] + bytes((chance.randrange(256),)) + raw[at + 1 :],
    lambda raw, at, chance: raw[:at] + raw[at + chance.randrange(1, 9) :],
    lambda raw, at, chance: raw[:at] + raw[max(0, at - 20) :],
    lambda raw, at, chance: raw[:at] + b"[" * chance.choice((3, 2_000)) + raw[at:],
)
