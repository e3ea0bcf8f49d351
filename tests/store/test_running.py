"""Running calls: measured with what is heard of them, and read with a reader's rights."""

from __future__ import annotations

from sqlalchemy import Connection, text

from tests.store.calls import ZERO_MS, small_call
from zccvoice.analytics.live import Heard, live_call
from zccvoice.analytics.record import Span
from zccvoice.store.facts import Fact, StreamClosed, StreamOpened, TrackClosed
from zccvoice.store.measures import put_live
from zccvoice.store.reads import call_record
from zccvoice.store.running import measure_running, running_calls
from zccvoice.store.writes import apply

from .supervised_calls import MOVED, store_call

HEARD = Heard(
    ZERO_MS + 20_000,
    {"c1": Span(ZERO_MS, ZERO_MS + 18_000), "c2": Span(ZERO_MS, ZERO_MS + 20_000)},
    {"c2": (Span(ZERO_MS + 1_000, ZERO_MS + 2_000), Span(ZERO_MS + 12_000, ZERO_MS + 13_000))},
    {"c1": Span(ZERO_MS + 17_000, ZERO_MS + 18_000)},
)
"""Of `small_call`: an utterance that is stored, one that is not, and one that goes on."""


def still_running() -> list[Fact]:
    return [fact for fact in small_call() if not isinstance(fact, TrackClosed | StreamClosed)]


def test_what_is_heard_goes_beyond_what_is_stored(connection: Connection) -> None:
    apply(connection, still_running())
    live = measure_running(connection, call_record(connection, "e1"), HEARD)
    assert live.elapsed_ms == 20_000
    assert (live.talk_time_agent_ms, live.talk_time_customer_ms) == (2_000, 1_600)
    assert (live.speaking, live.untranscribed_count, live.transcript_lag_ms) == ("customer", 1, 7_000)
    assert live.longest_silence_ms == 4_000, "from 13 s to 17 s"


def test_nobody_listens(connection: Connection) -> None:
    apply(connection, still_running())
    record = call_record(connection, "e1")
    assert measure_running(connection, record, None) == live_call(record)


def test_a_call_without_a_packet_has_no_clock_yet(connection: Connection) -> None:
    apply(connection, [one for one in small_call() if isinstance(one, StreamOpened)])
    assert measure_running(connection, call_record(connection, "e1"), HEARD).elapsed_ms == 0


def test_rows_tell_which_rules_matched_by_now(connection: Connection) -> None:
    apply(connection, still_running())
    put_live(connection, "e1", measure_running(connection, call_record(connection, "e1"), HEARD))
    (row,) = running_calls(connection)
    assert (row.rule_hits_count, row.rule_hits) == (0, [])
    for rule, at_ms in (("refund", 1_000), ("apology", 2_000), ("refund", 3_000)):
        connection.execute(
            text("INSERT INTO zccvoice.category_hit VALUES ('e1', :rule, 1, :at, :at, NULL, now())"),
            {"rule": rule, "at": at_ms},
        )
    (row,) = running_calls(connection)
    assert (row.rule_hits_count, row.rule_hits) == (3, ["apology", "refund"])
    assert (row.state, row.speaking, row.last_words) == ("talking", "customer", "Hello, there.")
    assert row.age_ms < 60_000


def test_a_readers_rights_are_enough(connection: Connection) -> None:
    store_call(connection, "ann", "ann", MOVED)
    connection.execute(text("SET LOCAL ROLE zccvoice_reader_all"))
    (row,) = running_calls(connection)
    assert (row.engagement_id, row.agent_name, row.rule_hits) == ("ann", "Ann", ["refund"])
