"""CORE: what the states of a stream's sessions mean for the stream.

A stream may contain several sessions, one for each user who authorised the app; each starts, pauses, resumes and
stops by itself. Nothing is captured only while every one of them is paused: then ``session_paused`` is told, and
``session_resumed`` when that is over. The pause of one while others go on is an event of another name.

Source: Zoom RTMS documentation, "Session state".
"""

from __future__ import annotations

from dataclasses import replace

from zccvoice.rtms.events import CallEventReceived

SESSION_PAUSED = "session_paused"
SESSION_RESUMED = "session_resumed"
ONE_SESSION_PAUSED = "one_session_paused"
"""Our own name: one session is paused, and others go on."""
_STATES = frozenset({"session_started", SESSION_PAUSED, SESSION_RESUMED, "session_stopped"})


class Sessions:
    """The sessions of one stream."""

    def __init__(self) -> None:
        self._is_paused: dict[str, bool] = {}

    def forget(self) -> None:
        """What became of them meanwhile nobody has heard."""
        self._is_paused.clear()

    def told(self, event: CallEventReceived) -> list[CallEventReceived]:
        """The event as it is to be told of the stream, and what else comes of it; any other event as it is."""
        session_id = event.session_id
        if session_id is None or event.name not in _STATES:
            return [event]
        were_paused = self._are_all_paused()
        if event.name == "session_stopped":
            self._is_paused.pop(session_id, None)
        else:
            self._is_paused[session_id] = event.name == SESSION_PAUSED
        are_paused = self._are_all_paused()
        if event.name == SESSION_PAUSED:
            return [event if are_paused else replace(event, name=ONE_SESSION_PAUSED)]
        if event.name == SESSION_RESUMED or were_paused == are_paused:
            return [event]
        return [event, replace(event, name=SESSION_PAUSED if are_paused else SESSION_RESUMED)]

    def _are_all_paused(self) -> bool:
        return bool(self._is_paused) and all(self._is_paused.values())
