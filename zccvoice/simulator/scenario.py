"""What is played to the daemon, as data: one call or meeting, read from a TOML file.

A scenario says who is on the line, who says what and when, what Zoom reports meanwhile and which faults the
network has. It holds no sound: `sources` renders it, `zoom` plays it. All times are milliseconds from the
call's first audio packet. The recordings under `demo/` show every part of the format but the rarer faults:

    title = "A lost order"            language = "en"          seed = 7
    product = "contact_center"        stop_reason = "customer_disconnected"
    [queue]            id, name, account_id
    [[participant]]    side ("consumer" or "agent"), channel_id, display_name, user_id, phone_number, voice, …
                       (but for Contact Center, channel_id is the number that Zoom calls user_id)
    [[speech]]         who (a side or a channel_id), at_ms, text (what is said), sound (a file) or voice
    [[hold]]           by, from_ms, to_ms, held
    [[event]]          name (Zoom's, lower case), at_ms, who
    [[chat]]           who, at_ms, text
    [[picture]]        kind ("video" or "share"), who, from_ms, to_ms, every_ms, size_bytes
    [[stream]]         at_ms, after ("transfer", "failover", "restart"): the next stream of the engagement
    [faults]           lost, duplicated, swapped = [{who, ratio, from_ms, to_ms}], garbage_at_ms, …
    [[mishap]]         kind, at_ms, …: see `mishaps`
    [dialect]          which of Zoom's disputed forms it speaks: see `dialect`
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

from zccvoice.errors import ScenarioError
from zccvoice.rtms.enums import ContactCenterEventType, EventType, Product, StopReason
from zccvoice.simulator.dialect import Dialect, read_dialect
from zccvoice.simulator.entries import Entry, Who
from zccvoice.simulator.extras import (
    ChatMessage,
    NextStream,
    Picture,
    read_chat,
    read_next_stream,
    read_picture,
)
from zccvoice.simulator.faults import Faults, read_faults
from zccvoice.simulator.mishaps import Mishap, read_mishap
from zccvoice.simulator.products import TRAITS

TAIL_MS = 1_000
"""Line noise after the last word when a scenario gives no duration."""


class _Moment(Protocol):
    @property
    def at_ms(self) -> int: ...


MomentT = TypeVar("MomentT", bound=_Moment)


class Side(StrEnum):
    """Which end of the line a participant is on."""

    CONSUMER = "consumer"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Queue:
    """The contact-centre queue the call came through."""

    queue_id: str = "q_Simulated"
    name: str = "Simulated queue"
    account_id: str = "acc_Simulated"


@dataclass(frozen=True, slots=True)
class Participant:
    """One person on the call and their audio leg."""

    side: Side
    channel_id: str
    display_name: str
    user_id: str
    phone_number: str | None = None
    """The consumer's; Zoom tells no number of an agent."""
    voice: str = "en-us"
    """espeak-ng voice for speech without a sound file, such as ``en-us+f2``."""
    noise_dbfs: float = -60.0
    """RMS level of the line's noise, dB below full scale. A telephone line is never digital silence."""
    from_ms: int = 0
    """When the leg begins to send."""
    to_ms: int | None = None
    """When it has stopped; None is the end of the call."""


@dataclass(frozen=True, slots=True)
class Speech:
    """One utterance, as it is to be heard."""

    channel_id: str
    at_ms: int
    """Where its sound is laid on the leg."""
    text: str
    """What is said: the truth that transcripts are compared with."""
    sound: Path | None = None
    """A sound file; None has espeak-ng say `text`."""
    voice: str | None = None
    """espeak-ng voice, when not the participant's."""
    rate_wpm: int = 160
    """espeak-ng speaking rate."""
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Hold:
    """A stretch on hold: the held legs send nothing, and Zoom reports USER_HOLD and USER_UNHOLD."""

    by: str
    """Channel id of the agent who pressed the button."""
    held: tuple[str, ...]
    """Channel ids that send nothing meanwhile."""
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something Zoom reports on the signaling connection."""

    event_type: ContactCenterEventType | EventType
    """A number that means other things in other products."""
    at_ms: int
    channel_id: str


_NO_FAULTS, _USUAL_DIALECT = Faults(), Dialect()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One call."""

    title: str
    language: str
    """ISO 639-1 code of what is spoken."""
    engagement_id: str
    stream_id: str
    queue: Queue
    participants: tuple[Participant, ...]
    speech: tuple[Speech, ...]
    """In order of time."""
    holds: tuple[Hold, ...]
    events: tuple[CallEvent, ...]
    """In order of time; those of the holds are among them."""
    duration_ms: int | None
    """Length of the call; None is `TAIL_MS` after the last word, known when the sound is."""
    stop_reason: StopReason = StopReason.CUSTOMER_DISCONNECTED
    seed: int = 0
    """Rules noise, faults and generated ids."""
    buffered_ms: int = 0
    """Audio that Zoom had captured before its webhook went out; it comes in the burst at the start."""
    opus_fec: bool = False
    """Whether Opus, when the client asks for it, carries each packet a second time in the next one."""
    faults: Faults = _NO_FAULTS
    product: Product = Product.CONTACT_CENTER
    dialect: Dialect = _USUAL_DIALECT
    mishaps: tuple[Mishap, ...] = ()
    """In order of time."""
    chat: tuple[ChatMessage, ...] = ()
    pictures: tuple[Picture, ...] = ()
    next_streams: tuple[NextStream, ...] = ()
    """In order of time: what follows the first stream."""

    def participant(self, channel_id: str) -> Participant:
        """Whose leg this is."""
        return next(person for person in self.participants if person.channel_id == channel_id)


def load_scenario(path: Path) -> Scenario:
    """Read one scenario file; sound files are relative to it.

    Raises:
        ScenarioError: unreadable, not TOML, or with mistakes: one line for each, naming file and entry.
    """
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: not TOML: {error}") from None
    return parse_scenario(fields, name=str(path), folder=path.parent)


def parse_scenario(fields: Mapping[str, Any], *, name: str, folder: Path) -> Scenario:
    """The fields of a scenario file, checked.

    Args:
        fields: as `tomllib` gives them.
        name: what error messages call the file.
        folder: where relative sound files are.

    Raises:
        ScenarioError: one line per mistake, each with `name` and the entry.
    """
    problems: list[str] = []
    top = Entry("", fields, problems)
    title = top.text("title", Path(name).stem)
    seed = top.whole("seed", 0)
    product = top.choice("product", Product, Product.CONTACT_CENTER)
    if product not in TRAITS:
        problems.append(f"product: expected one of Zoom's, got {product}")
        product = Product.CONTACT_CENTER
    participants = tuple(
        _participant(entry, n, product) for n, entry in enumerate(top.entries("participant"))
    )
    problems += _unlikely(participants, product)
    who = Who({person.channel_id: person.side.value for person in participants})
    holds = tuple(_hold(entry, who) for entry in top.entries("hold"))
    events = [_event(entry, who, product) for entry in top.entries("event")]
    events += _events_of(holds) if product is Product.CONTACT_CENTER else _comings_and_goings(participants)
    scenario = Scenario(
        title=title,
        language=top.text("language", "en"),
        engagement_id=top.text("engagement_id", "") or _made_up(seed, title, "engagement")[:22] + "==",
        stream_id=top.text("stream_id", "") or _made_up(seed, title, "stream")[:32],
        queue=_queue(top.table("queue")),
        participants=participants,
        speech=_in_order(_speech(entry, who, folder) for entry in top.entries("speech")),
        holds=holds,
        events=_in_order(events),
        duration_ms=top.whole_or_none("duration_ms", least=20),
        stop_reason=top.choice("stop_reason", StopReason, _USUAL_ENDS.get(product, StopReason.MEETING_ENDED)),
        seed=seed,
        buffered_ms=top.whole("buffered_ms", 0),
        opus_fec=top.flag("opus_fec"),
        faults=read_faults(top.table("faults"), who),
        product=product,
        dialect=read_dialect(top.table("dialect")),
        mishaps=_in_order(read_mishap(entry) for entry in top.entries("mishap")),
        chat=_in_order(read_chat(entry, who) for entry in top.entries("chat")),
        pictures=tuple(read_picture(entry, who) for entry in top.entries("picture")),
        next_streams=_in_order(read_next_stream(entry) for entry in top.entries("stream")),
    )
    top.finish()
    if problems:
        raise ScenarioError("\n".join(f"{name}: {problem}" for problem in problems))
    return scenario


_USUAL_ENDS = {
    Product.CONTACT_CENTER: StopReason.CUSTOMER_DISCONNECTED,
    Product.PHONE: StopReason.UNDEFINED,
}


def _in_order(moments: Iterable[MomentT]) -> tuple[MomentT, ...]:
    return tuple(sorted(moments, key=lambda moment: moment.at_ms))


def _unlikely(participants: tuple[Participant, ...], product: Product) -> list[str]:
    """What cannot be about the people on the call."""
    problems = []
    if product is Product.CONTACT_CENTER and {person.side for person in participants} != set(Side):
        problems.append("[[participant]]: expected at least one consumer and one agent")
    if len({person.channel_id for person in participants}) != len(participants):
        problems.append("[[participant]]: channel_id must differ")
    if not TRAITS[product].has_channels and not all(one.channel_id.isdecimal() for one in participants):
        problems.append(f"[[participant]]: channel_id must be a number in {product}, as Zoom's user_id")
    return problems


def _queue(entry: Entry) -> Queue:
    unnamed = Queue()
    queue = Queue(
        queue_id=entry.text("id", unnamed.queue_id),
        name=entry.text("name", unnamed.name),
        account_id=entry.text("account_id", unnamed.account_id),
    )
    entry.finish()
    return queue


def _participant(entry: Entry, place: int, product: Product) -> Participant:
    if TRAITS[product].has_channels:
        side = entry.choice("side", Side)
        channel_id = f"ch-{side}"
    else:  # the first is the host
        side = entry.choice("side", Side, Side.CONSUMER if place else Side.AGENT)
        channel_id = str(16_778_240 + 1_024 * place)
    person = Participant(
        side=side,
        channel_id=entry.text("channel_id", channel_id),
        display_name=entry.text("display_name", side.value.title()),
        user_id=entry.text("user_id", f"{side}_1"),
        phone_number=entry.text("phone_number", "") or None,
        voice=entry.text("voice", "en-us"),
        noise_dbfs=entry.real("noise_dbfs", -60.0, least=-120.0, most=0.0),
        from_ms=entry.whole("from_ms", 0),
        to_ms=entry.whole_or_none("to_ms"),
    )
    entry.finish()
    return person


def _speech(entry: Entry, who: Who, folder: Path) -> Speech:
    sound = entry.text("sound", "")
    speech = Speech(
        channel_id=who.one_of(entry, "who"),
        at_ms=entry.whole("at_ms"),
        text=entry.text("text"),
        sound=folder / sound if sound else None,
        voice=entry.text("voice", "") or None,
        rate_wpm=entry.whole("rate_wpm", 160, least=80),
        gain_db=entry.real("gain_db", 0.0, least=-60.0, most=20.0),
    )
    if speech.sound is not None and not speech.sound.is_file():
        entry.complain(f"sound: no such file: {sound}")
    entry.finish()
    return speech


def _hold(entry: Entry, who: Who) -> Hold:
    hold = Hold(
        by=who.one_of(entry, "by", Side.AGENT),
        held=who.all_of(entry, "held", Side.CONSUMER),
        from_ms=entry.whole("from_ms"),
        to_ms=entry.whole("to_ms"),
    )
    if hold.to_ms <= hold.from_ms:
        entry.complain("to_ms: must be after from_ms")
    entry.finish()
    return hold


def _events_of(holds: tuple[Hold, ...]) -> list[CallEvent]:
    began = [CallEvent(ContactCenterEventType.USER_HOLD, hold.from_ms, hold.by) for hold in holds]
    return began + [CallEvent(ContactCenterEventType.USER_UNHOLD, hold.to_ms, hold.by) for hold in holds]


def _comings_and_goings(participants: tuple[Participant, ...]) -> list[CallEvent]:
    came = [CallEvent(EventType.PARTICIPANT_JOIN, one.from_ms, one.channel_id) for one in participants]
    return came + [
        CallEvent(EventType.PARTICIPANT_LEAVE, one.to_ms, one.channel_id)
        for one in participants
        if one.to_ms is not None
    ]


def _event(entry: Entry, who: Who, product: Product) -> CallEvent:
    event_type: ContactCenterEventType | EventType
    if product is Product.CONTACT_CENTER:
        event_type = entry.choice("name", ContactCenterEventType)
    else:
        event_type = entry.choice("name", EventType)
    by_name = Side.CONSUMER if event_type.name.startswith("CONSUMER") else Side.AGENT
    event = CallEvent(event_type, entry.whole("at_ms"), who.one_of(entry, "who", by_name))
    entry.finish()
    return event


def _made_up(seed: int, title: str, what: str) -> str:
    return hashlib.sha256(f"{what}/{seed}/{title}".encode()).hexdigest()
