"""Zoom's own SDK as a client of one stream: a program of its own, since it can crash or freeze its interpreter.

Takes one JSON object on the command line, writes what it received as JSON lines to stdout and ends when the
stream does and its standard input is closed. The SDK wants everything done on one thread, and no call of its from
inside a callback. It writes a native log below the working directory, where a folder ``logs`` must be.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from typing import Any

import rtms

LONGEST_S = 15.0
"""Something is wrong if the stream has not ended by then."""


def say(kind: str, **fields: Any) -> None:
    """One line of the account."""
    print(json.dumps({"kind": kind, **fields}), flush=True)


def main(url: str, ids: dict[str, str], data_opt: int, events: list[int]) -> None:
    """Join, listen until the stream is over, leave."""
    client = rtms.Client()
    seen: dict[str, int] = {}

    def joined(reason: int) -> None:
        seen["joined"] = reason
        say("joined", reason=reason)

    def left(reason: int) -> None:
        seen["left"] = reason
        say("left", reason=reason)

    client.on_join_confirm(joined)
    client.on_leave(left)
    client.on_audio_data(
        lambda data, size, timestamp, about: say(
            "audio",
            data=base64.b64encode(data).decode(),
            timestamp=timestamp,
            user=about.userId,
            name=about.userName,
        )
    )
    client.on_transcript_data(
        lambda data, size, timestamp, about: say(
            "transcript",
            text=data.decode(),
            timestamp=timestamp,
            start=about.startTs,
            end=about.endTs,
            user=about.userId,
            name=about.userName,
        )
    )
    client.on_event_ex(lambda event: say("event", event=json.loads(event)))
    client.on_session_update(lambda operation, session: say("session", operation=operation))
    client.set_audio_params(
        rtms.AudioParams(
            content_type=2,
            codec=1,
            sample_rate=1,
            channel=1,
            data_opt=data_opt,
            duration=100,
            frame_size=1_600,
        )
    )
    client._pending_join_params = {
        **ids,
        "server_urls": url,
        "client": "demo-client-id",
        "secret": "demo-client-secret",
        "timeout": 5_000,
    }
    client._do_alloc_and_join()
    end_s = time.monotonic() + LONGEST_S
    has_subscribed = False
    while time.monotonic() < end_s and "left" not in seen and not seen.get("joined"):
        rtms._ClientBase.poll(client)
        if "joined" in seen and events and not has_subscribed:
            has_subscribed = True
            client.subscribe_event(events)
    client.leave()
    say("end")
    sys.stdin.read()  # the library closes its connections on threads of its own: it is left the time for it
    os._exit(0)  # those threads would hold the interpreter


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
