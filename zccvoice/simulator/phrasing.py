"""How Zoom words what happens in a call of each product: the insides of messages 6, 14 to 18.

JSON objects as Zoom's documents print them, written by hand: what the client makes of them is then held against
the documents and not against structs that both sides share.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from zccvoice.rtms.enums import ContactCenterEventType, EventType, MessageType
from zccvoice.simulator.dialect import ChatForm
from zccvoice.simulator.extras import ChatMessage, Picture
from zccvoice.simulator.mixing import MIX
from zccvoice.simulator.products import TRAITS
from zccvoice.simulator.scenario import CallEvent, Participant, Scenario, Side
from zccvoice.simulator.truth import UtteranceTruth

Fields = dict[str, Any]
"""A JSON object."""

_NAMED = frozenset({EventType.ACTIVE_SPEAKER_CHANGE, EventType.SHARING_START})
_LISTED = frozenset(
    {
        EventType.PARTICIPANT_JOIN,
        EventType.PARTICIPANT_LEAVE,
        EventType.PARTICIPANT_VIDEO_ON,
        EventType.PARTICIPANT_VIDEO_OFF,
    }
)


class Phrasing:
    """The words for one stream. `event_ts_ms` is the epoch time of the scenario's 0."""

    def __init__(self, scenario: Scenario, event_ts_ms: int) -> None:
        self._scenario = scenario
        self._traits = TRAITS[scenario.product]
        self._event_ts_ms = event_ts_ms

    def speaker(self, channel_id: str) -> Fields:
        """What names a track in messages 14 and 17."""
        if channel_id == MIX:
            return {"user_id": 0}
        name = self._scenario.participant(channel_id).display_name
        if not self._traits.has_channels:
            return {"user_id": int(channel_id), "user_name": name}
        named = {"user_name": name} if self._scenario.dialect.names_channels else {}
        return {"channel_id": channel_id, **named}

    def first_packet(self, timestamp_ms: int) -> Fields:
        """Event 1."""
        return self.plain_event(EventType.FIRST_PACKET_TIMESTAMP, timestamp_ms)

    def plain_event(self, event_type: int, timestamp_ms: int) -> Fields:
        """Message 6 for an event about nobody."""
        event = {self._traits.event_key: int(event_type), "timestamp": timestamp_ms}
        return {"msg_type": MessageType.EVENT_UPDATE, "event": event}

    def event(self, event: CallEvent) -> Fields:
        """Message 6."""
        if isinstance(event.event_type, ContactCenterEventType):
            return self._contact_center_event(event)
        person = self._scenario.participant(event.channel_id)
        message = self.plain_event(event.event_type, self._event_ts_ms + event.at_ms)
        message["event"] |= _about(event.event_type, [person])
        return message

    def already_here(self, people: list[Participant], now_ms: int) -> Fields:
        """PARTICIPANT_JOIN for everybody who was there before the client subscribed to it."""
        message = self.plain_event(EventType.PARTICIPANT_JOIN, now_ms)
        message["event"] |= _about(EventType.PARTICIPANT_JOIN, people)
        return message

    def _contact_center_event(self, event: CallEvent) -> Fields:
        person, queue = self._scenario.participant(event.channel_id), self._scenario.queue
        info = {
            "channel_id": person.channel_id,
            "participant_mode": "caller" if person.side is Side.CONSUMER else "callee",
            "queue_id": queue.queue_id,
            "queue_name": queue.name,
            "account_id": queue.account_id,
            "user_id": person.user_id,
            "display_name": person.display_name,
        }
        if person.phone_number is not None:
            info["phone_number"] = person.phone_number
        key = "paticipant_info" if self._scenario.faults.misspelt_participant_info else "participant_info"
        inside = {"event_type": int(event.event_type), "event_ts": self._event_ts_ms + event.at_ms, key: info}
        return {"msg_type": MessageType.EVENT_UPDATE, "event": inside}

    def transcript(self, spoken: UtteranceTruth) -> Fields:
        """Message 17: what Zoom's own recognizer would have made of an utterance."""
        unit = 1_000 if self._scenario.dialect.microseconds else 1
        began = (self._event_ts_ms + spoken.start_ms) * unit
        content = {
            **self.speaker(spoken.channel_id),
            "data": spoken.text,
            "timestamp": began,
            "start_time": began,
            "end_time": (self._event_ts_ms + spoken.end_ms) * unit,
        }
        if (number := language_number(spoken.language)) is not None:
            content["language"] = number
        return {"msg_type": MessageType.MEDIA_DATA_TRANSCRIPT, "content": content}

    def chat(self, chat: ChatMessage) -> Fields:
        """Message 18, in the scenario's form."""
        speaker = self.speaker(chat.channel_id)
        data: Any = {
            "chat_session": 1,
            "operation_type": 1,
            "message_id": f"{self._scenario.stream_id[:8]}-{chat.at_ms}",
            "sender": speaker,
            "receiver": {},
            "data": chat.text,
        }
        match self._scenario.dialect.chat_form:
            case ChatForm.TEXT:
                data = chat.text
            case ChatForm.ENCODED:
                data = json.dumps(data, ensure_ascii=False)
            case ChatForm.OBJECT:
                pass
        content = {**speaker, "data": data, "timestamp": self._event_ts_ms + chat.at_ms}
        return {"msg_type": MessageType.MEDIA_DATA_CHAT, "content": content}

    def picture(self, picture: Picture, at_ms: int) -> Fields:
        """Message 15 or 16; the picture is noise of the right size."""
        noise = np.random.default_rng([self._scenario.seed, at_ms]).bytes(picture.size_bytes)
        content = {
            **self.speaker(picture.channel_id),
            "data": base64.b64encode(noise).decode(),
            "length": picture.size_bytes,
            "timestamp": self._event_ts_ms + at_ms,
        }
        return {"msg_type": picture.kind.message_type, "content": content}


def _about(event_type: int, people: list[Participant]) -> Fields:
    """The fields of a meeting's event that say whom it is about. Those of chat groups are not known."""
    if event_type in _NAMED:
        return {"user_id": int(people[0].channel_id), "user_name": people[0].display_name}
    if event_type not in _LISTED:
        return {}
    named = event_type == EventType.PARTICIPANT_JOIN
    return {
        "participants": [
            {"user_id": int(one.channel_id), **({"user_name": one.display_name} if named else {})}
            for one in people
        ]
    }


_LANGUAGES = (
    "ar bn yue ca zh zh-hant cs da nl en et fi fr-ca fr de he hi hu id it ja ko ms fa pl pt ro ru es sv tl ta te "
    "th tr uk vi"
)
"""ISO 639-1 and BCP-47 codes in the order of Zoom's numbers."""


def language_number(code: str) -> int | None:
    """RTMS_TRANSCRIPT_LANGUAGE of a language, such as 9 for ``en``; None where Zoom has none."""
    codes = _LANGUAGES.split()
    return codes.index(code.lower()) if code.lower() in codes else None
