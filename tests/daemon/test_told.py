"""What is told again of a stream that is taken up: what is not told yet, or was told before something else."""

from __future__ import annotations

from collections.abc import Sequence

from tests.store.calls import small_call
from zccvoice.daemon.told import Told
from zccvoice.store.facts import (
    REPINNED,
    CallEventSeen,
    Fact,
    GapFound,
    LanguagePinned,
    OneWayFound,
    ParticipantSeen,
    StreamRestated,
)


def seen(queue_name: str, channel_id: str = "c") -> ParticipantSeen:
    return ParticipantSeen("E", "S", channel_id, queue_name=queue_name)


def gap(start_ms: int, end_ms: int) -> GapFound:
    return GapFound("E", "S", "c", start_ms, end_ms, "lost_packets")


def told(facts: Sequence[Fact]) -> Told:
    past = Told()
    for fact in facts:
        past.note(fact)
    return past


def again(past: Sequence[Fact], derived: Sequence[Fact]) -> list[Fact]:
    """What is told when these are derived of the past."""
    journal = told(past)
    return journal.news(derived) + journal.end_past()


def test_what_is_derived_as_before_is_not_told_again() -> None:
    changing = [*small_call(), seen("Sales"), seen("Support"), seen("Sales"), seen("Sales", "d")]
    assert again(changing, changing) == []


def test_what_was_not_told_is() -> None:
    call = small_call()
    for count in range(len(call)):
        assert again(call[:count], call) == call[count:]


def test_what_is_said_once_more_after_something_else_is_told() -> None:
    sales, support = seen("Sales"), seen("Support")
    assert again([sales, support], [sales, support, sales]) == [sales]
    journal = told([sales, support])
    assert journal.news([sales, support]) + journal.end_past() == []
    assert journal.news([sales]) == [sales], "now"
    assert journal.news([support]) == [support]


def test_the_queue_of_a_call_is_told_by_whoever_told_last() -> None:
    one, other = seen("Sales", "c"), seen("Support", "d")
    journal = told([one, other])
    assert journal.news([one, other]) + journal.end_past() == []
    assert journal.news([one]) == [one]


def test_settings_that_are_taken_back_bring_back_what_was_told() -> None:
    long, short, second = gap(0, 90), gap(0, 40), gap(50, 90)
    others_gone = StreamRestated("E", "S", (), (("c", 0),), (), ())
    before: list[Fact] = [short, second, long, others_gone]
    assert again(before, [short, second]) == [second, short]
    assert again(before, [long]) == []


def test_nothing_is_kept_of_what_is_derived_now() -> None:
    journal = told([gap(0, 9)])
    assert journal.news([gap(0, 9)]) + journal.end_past() == []
    later = [gap(start, start + 9) for start in range(10, 20)]
    assert journal.news(later) == later
    assert journal.news([gap(0, 9)]) == [], "an answer that came late"
    assert len(journal._last) == 1
    assert not journal._facts


def test_what_a_restatement_removed_is_told_again() -> None:
    pin = LanguagePinned("E", "S", "en", "detected", channel_id="c", number=1)
    removed: list[Fact] = [
        *small_call("E", "S")[6:7],
        gap(0, 9),
        pin,
        OneWayFound("E", "S", "c", 5, 9),
        CallEventSeen("E", "S", REPINNED, 5, "c"),
    ]
    hold = CallEventSeen("E", "S", "user_hold", 5)
    assert again([*removed, hold, StreamRestated("E", "S", (), (), (), ())], [*removed, hold]) == removed
    earlier = StreamRestated("E", "S", (), ())
    assert again([*removed, hold, earlier], [*removed, hold]) == removed[:2], "pins stay by its word"
