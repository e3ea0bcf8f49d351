"""What the states of a stream's sessions mean for the stream."""

from __future__ import annotations

import pytest

from zccvoice.rtms.events import CallEventReceived
from zccvoice.rtms.sessions import Sessions


@pytest.mark.parametrize(
    ("states", "told"),
    [
        pytest.param("A+ A- A~ A.", "started paused resumed stopped", id="the only one"),
        pytest.param("A-", "paused", id="of whose start nobody has heard"),
        pytest.param("A~", "resumed", id="nor of its pause"),
        pytest.param("A+ B+ A- A~", "started started one_paused resumed", id="one of two"),
        pytest.param("A+ B+ A- B- B~", "started started one_paused paused resumed", id="one after the other"),
        pytest.param("A+ B+ A- A.", "started started one_paused stopped", id="the paused one stops"),
        pytest.param("A+ B+ A- B.", "started started one_paused stopped paused", id="the other one stops"),
        pytest.param("A+ A- B+", "started paused started resumed", id="another one starts"),
        pytest.param("A+ A- A. B+", "started paused stopped resumed started", id="after the only one"),
        pytest.param("A- A-", "paused paused", id="told twice"),
    ],
)
def test_a_stream_is_paused_when_all_its_sessions_are(states: str, told: str) -> None:
    names = {"+": "session_started", "-": "session_paused", "~": "session_resumed", ".": "session_stopped"}
    sessions, found = Sessions(), []
    for at_ms, state in enumerate(states.split()):
        for event in sessions.told(CallEventReceived(names[state[1]], at_ms, session_id=state[0])):
            assert (event.timestamp_ms, event.session_id) == (at_ms, state[0])
            found.append(event.name.replace("session_", ""))
    assert found == told.split()


def test_of_what_was_missed_nothing_is_known() -> None:
    sessions = Sessions()
    sessions.told(CallEventReceived("session_started", 1, session_id="A"))
    sessions.forget()
    (event,) = sessions.told(CallEventReceived("session_paused", 2, session_id="B"))
    assert event.name == "session_paused"


@pytest.mark.parametrize(
    "event",
    [
        CallEventReceived("session_paused", 1),
        CallEventReceived("session_initialize", 1, session_id="A"),
        CallEventReceived("stream_paused", 1),
    ],
)
def test_what_tells_no_state_of_a_known_session_stays_as_it_is(event: CallEventReceived) -> None:
    sessions = Sessions()
    sessions.told(CallEventReceived("session_started", 0, session_id="B"))
    assert sessions.told(event) == [event]
