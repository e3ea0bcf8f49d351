"""What is played to the daemon, as data: one call of Contact Center Voice, read from a TOML file.

A scenario says who is on the line, who says what and when, what Zoom reports meanwhile and which faults the
network has. It holds no sound: `sources` renders it, `zoom` plays it. All times are milliseconds from the
call's first audio packet. The recordings under `demo/` show every part of the format but the rarer faults:

    title = "A lost order"            language = "en"          seed = 7
    stop_reason = "customer_disconnected"
    [queue]            id, name, account_id
    [[participant]]    side ("consumer" or "agent"), channel_id, display_name, user_id, phone_number, voice, …
    [[speech]]         who (a side or a channel_id), at_ms, text (what is said), sound (a file) or voice
    [[hold]]           by, from_ms, to_ms, held
    [[event]]          name (Zoom's, lower case), at_ms, who
    [faults]           lost, duplicated, swapped = [{who, ratio, from_ms, to_ms}], garbage_at_ms, …
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from zccvoice.errors import ScenarioError
from zccvoice.rtms.enums import ContactCenterEventType, StopReason
from zccvoice.simulator.entries import Entry

TAIL_MS = 1_000
"""Line noise after the last word when a scenario gives no duration."""


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

    event_type: ContactCenterEventType
    at_ms: int
    channel_id: str


@dataclass(frozen=True, slots=True)
class PacketFault:
    """Which packets of which legs a fault befalls."""

    channel_ids: tuple[str, ...]
    ratio: float = 1.0
    """Chance per packet."""
    from_ms: int = 0
    to_ms: int | None = None
    """First and last moment, by a packet's first sample; None is the end of the call."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Everything the network and Zoom do wrong in this call."""

    lost: tuple[PacketFault, ...] = ()
    duplicated: tuple[PacketFault, ...] = ()
    swapped: tuple[PacketFault, ...] = ()
    """Packets that arrive after their successor."""
    garbage_at_ms: tuple[int, ...] = ()
    """When a message that is no JSON is sent on the media connection."""
    misspelt_participant_info: bool = False
    """Events carry ``paticipant_info``, as Zoom's early documents and its own sample do."""
    binary_frames: bool = False
    """Messages come in binary WebSocket frames."""
    refused_signaling: int = 0
    """So many signaling handshakes are first refused with status 8 (duplicate signal request)."""
    repeated_webhook: bool = False
    """The started webhook is delivered twice."""
    only_subscribed_events: bool = False
    """No event but 1 and 7 without a subscription; else 8–13 come unasked."""


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
    faults: Faults = Faults()

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
    queue_entry, unnamed = top.table("queue"), Queue()
    queue = Queue(
        queue_id=queue_entry.text("id", unnamed.queue_id),
        name=queue_entry.text("name", unnamed.name),
        account_id=queue_entry.text("account_id", unnamed.account_id),
    )
    participants = tuple(_participant(entry) for entry in top.entries("participant"))
    if {person.side for person in participants} != set(Side):
        problems.append("[[participant]]: expected at least one consumer and one agent")
    if len({person.channel_id for person in participants}) != len(participants):
        problems.append("[[participant]]: channel_id must differ")
    who = _Who(participants)
    speech = tuple(
        sorted((_speech(entry, who, folder) for entry in top.entries("speech")), key=lambda one: one.at_ms)
    )
    holds = tuple(_hold(entry, who) for entry in top.entries("hold"))
    duration_ms = top.whole_or_none("duration_ms", least=20)
    stop_reason = top.choice("stop_reason", StopReason, StopReason.CUSTOMER_DISCONNECTED)
    given_events = [_event(entry, who) for entry in top.entries("event")]
    faults = _faults(top.table("faults"), who)
    scenario = Scenario(
        title=title,
        language=top.text("language", "en"),
        engagement_id=top.text("engagement_id", "") or _made_up(seed, title, "engagement")[:22] + "==",
        stream_id=top.text("stream_id", "") or _made_up(seed, title, "stream")[:32],
        queue=queue,
        participants=participants,
        speech=speech,
        holds=holds,
        events=tuple(sorted((*given_events, *_events_of(holds)), key=lambda event: event.at_ms)),
        duration_ms=duration_ms,
        stop_reason=stop_reason,
        seed=seed,
        buffered_ms=top.whole("buffered_ms", 0),
        opus_fec=top.flag("opus_fec"),
        faults=faults,
    )
    top.finish()
    queue_entry.finish()
    if problems:
        raise ScenarioError("\n".join(f"{name}: {problem}" for problem in problems))
    return scenario


class _Who:
    """Turns the ``who`` of an entry, a side or a channel id, into channel ids."""

    def __init__(self, participants: tuple[Participant, ...]) -> None:
        self._participants = participants

    def all_of(self, entry: Entry, key: str, default: str | None = None) -> tuple[str, ...]:
        wanted = entry.text(key, default)
        found = tuple(
            one.channel_id for one in self._participants if wanted in (one.channel_id, one.side.value)
        )
        if not found and wanted:
            entry.complain(f"{key}: nobody is {wanted!r}; expected a side or a channel_id")
        return found

    def one_of(self, entry: Entry, key: str, default: str | None = None) -> str:
        return next(iter(self.all_of(entry, key, default)), "")


def _participant(entry: Entry) -> Participant:
    side = entry.choice("side", Side)
    person = Participant(
        side=side,
        channel_id=entry.text("channel_id", f"ch-{side}"),
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


def _speech(entry: Entry, who: _Who, folder: Path) -> Speech:
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


def _hold(entry: Entry, who: _Who) -> Hold:
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


def _event(entry: Entry, who: _Who) -> CallEvent:
    event_type = entry.choice("name", ContactCenterEventType)
    by_name = Side.CONSUMER if event_type.name.startswith("CONSUMER") else Side.AGENT
    event = CallEvent(event_type, entry.whole("at_ms"), who.one_of(entry, "who", by_name))
    entry.finish()
    return event


def _faults(entry: Entry, who: _Who) -> Faults:
    faults = Faults(
        lost=_packet_faults(entry, "lost", who),
        duplicated=_packet_faults(entry, "duplicated", who),
        swapped=_packet_faults(entry, "swapped", who),
        garbage_at_ms=entry.wholes("garbage_at_ms"),
        misspelt_participant_info=entry.flag("misspelt_participant_info"),
        binary_frames=entry.flag("binary_frames"),
        refused_signaling=entry.whole("refused_signaling", 0),
        repeated_webhook=entry.flag("repeated_webhook"),
        only_subscribed_events=entry.flag("only_subscribed_events"),
    )
    entry.finish()
    return faults


def _packet_faults(faults: Entry, key: str, who: _Who) -> tuple[PacketFault, ...]:
    found = []
    for entry in faults.entries(key):
        fault = PacketFault(
            channel_ids=who.all_of(entry, "who"),
            ratio=entry.real("ratio", 1.0, least=0.0, most=1.0),
            from_ms=entry.whole("from_ms", 0),
            to_ms=entry.whole_or_none("to_ms"),
        )
        entry.finish()
        found.append(fault)
    return tuple(found)


def _made_up(seed: int, title: str, what: str) -> str:
    return hashlib.sha256(f"{what}/{seed}/{title}".encode()).hexdigest()
