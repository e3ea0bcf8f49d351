"""Calls that are kept, and calls that are not."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.daemon.fakes import FakeRecognizer
from tests.recordings.conftest import BEGIN, CONFIG, PHONES, Place, call_of, talk
from zccvoice.errors import LegalHoldError, RecognizerError, RecordingError
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import journal_name
from zccvoice.recordings import transcription
from zccvoice.recordings.call_sound import channels_of, require_sound, sides_of
from zccvoice.recordings.keeping import PassingKeeper
from zccvoice.recordings.outcome import Outcome
from zccvoice.reports.calls import CallReport, call_report
from zccvoice.store import holds
from zccvoice.store.database import transaction
from zccvoice.store.erasure import erase
from zccvoice.store.facts import Fact, LanguagePinned
from zccvoice.store.reads import everything
from zccvoice.store.sound import call_sound

NOW = datetime.now(UTC)


def outcome_of(facts: list[Fact]) -> Outcome:
    outcome = Outcome()
    for fact in facts:
        outcome.add(fact)
    return outcome


def stored(place: Place, engagement_id: str = "E") -> CallReport:
    with transaction(place.engine) as connection:
        report = call_report(connection, engagement_id)
    assert report is not None
    return report


def rows(place: Place) -> dict[str, set[str]]:
    with transaction(place.engine) as connection:
        return everything(connection, "E")


def test_a_recording_is_a_call_with_all_its_measures(place: Place, talk_file: Path) -> None:
    call = call_of(talk_file)
    assert place.keeper().stored_as(call) is None
    place.store(call)
    assert place.keeper().stored_as(call) == "E"
    report = stored(place)
    assert report.call.product == "recording"
    assert [one.side for one in report.utterances] == ["agent", "customer"]
    scorecard = report.call.scorecard
    assert scorecard is not None
    assert scorecard.duration_ms == 6_000
    assert scorecard.talk_share_agent == pytest.approx(0.5, abs=0.02)
    assert place.shelf().is_closed(journal_name(call.stream_id))
    assert not place.shelf("incoming").names()


def comparable(report: CallReport) -> CallReport:
    """Without the moment of measuring, and with levels as exact as the database keeps them (in four bytes)."""
    heard = tuple(
        replace(one, loudness_by_second=tuple(round(level, 3) for level in one.loudness_by_second))
        for one in report.utterances
    )
    return replace(report, call=replace(report.call, computed_at=None), utterances=heard)


def test_the_report_without_a_database_is_the_same(place: Place, talk_file: Path) -> None:
    outcome = outcome_of(place.store(call_of(talk_file)))
    report, made = stored(place), outcome.report(NOW)
    assert comparable(made) == comparable(report)
    agents = LanguagePinned("E", "S", "en", "configured", channel_id="a", is_of_call=False)
    outcome.add(agents)
    assert comparable(outcome.report(NOW)) == comparable(report), (
        "what one side speaks is not the call's language"
    )
    assert (outcome.utterances_count, outcome.transcribed_count, outcome.audio_s) == (2, 2, 6)


def test_the_same_recording_under_any_name_is_one_call(place: Place, talk_file: Path) -> None:
    place.store(call_of(talk_file))
    before = rows(place)
    copy = talk_file.with_name("copy.wav")
    copy.write_bytes(talk_file.read_bytes())
    os.utime(copy, (1, 1))
    assert place.keeper().stored_as(call_of(copy)) == "E"
    place.store(call_of(copy), again=True)
    assert rows(place) == before


def test_a_run_that_was_interrupted_goes_on(place: Place, talk_file: Path) -> None:
    """Between any two facts; what the recognizer had heard by then it is not asked again."""
    call = call_of(talk_file)
    whole = set(place.store(replace(call, stream_id="other", engagement_id="O")))
    for taken in range(1, len(whole)):
        facts = place.keeper().facts(
            replace(call, stream_id=f"S{taken}"), again=False, on_read=lambda done_s: None
        )
        first = [next(facts) for _ in range(taken)]
        facts.close()
        assert not place.keeper().stored_as(replace(call, stream_id=f"S{taken}"))
        heard = outcome_of(first).transcribed_count
        place.recognizer.heard = 0
        place.store(replace(call, stream_id=f"S{taken}"))
        assert place.recognizer.heard == 2 - heard
        assert place.keeper().stored_as(replace(call, stream_id=f"S{taken}"))


def test_a_journal_that_was_only_begun_is_begun_again(place: Place, talk_file: Path) -> None:
    call = call_of(talk_file)
    name = journal_name(call.stream_id)
    with place.shelf("incoming").writer(name) as writer:
        writer.write(Kind.RECEIVED, 0, [])  # and then the program was killed
    with place.shelf("incoming").writer(journal_name("another")):
        assert len(place.store(call)) == len(set(place.store(call, again=True)))
        assert place.shelf("incoming").names() == [journal_name("another")]  # somebody is at it
    assert stored(place).call.scorecard is not None


def test_sides_can_be_put_right(place: Place, talk_file: Path) -> None:
    call = call_of(talk_file)
    place.store(call)
    left, right = call.legs
    swapped = replace(call, legs=(replace(left, role=right.role), replace(right, role=left.role)))
    place.store(swapped, again=True)
    assert place.shelf().names() == [journal_name(call.stream_id)]
    assert [one.side for one in stored(place).utterances] == ["customer", "agent"]


def test_a_recording_that_began_at_another_time_is_stored_as_if_it_were_new(
    place: Place, talk_file: Path
) -> None:
    """Earlier or later; what the other side was called goes too."""
    call = call_of(talk_file)
    for hours in (1, -2):
        moved = replace(call, started_at=BEGIN + timedelta(hours=hours))
        place.store(replace(moved, engagement_id="F", stream_id="fresh"), again=True)
        place.store(call, again=True)
        place.store(moved, again=True)
        report, fresh = stored(place), stored(place, "F")
        assert [(one.start_ms, one.end_ms, one.side) for one in report.utterances] == [
            (one.start_ms, one.end_ms, one.side) for one in fresh.utterances
        ]
        assert report.record.streams == fresh.record.streams
        assert report.call.started_at == fresh.call.started_at == moved.started_at
        assert report.call.ended_at == fresh.call.ended_at
        assert report.call.scorecard == fresh.call.scorecard
    mixed = replace(call, legs=tuple(replace(leg, role=None) for leg in call.legs))
    place.store(mixed, again=True)
    assert {one.side for one in stored(place).utterances} == {None}


def test_an_interrupted_run_begins_anew_for_another_call(place: Place, talk_file: Path) -> None:
    """Than the one that its journal was made of: other sides, another queue, id or beginning."""
    call = call_of(talk_file)
    left, right = call.legs
    others = [
        replace(call, legs=(replace(left, role=right.role), replace(right, role=left.role))),
        replace(call, queue="Orders"),
        replace(call, engagement_id="C"),
        replace(call, started_at=BEGIN + timedelta(days=1)),
    ]
    for number, other in enumerate(others):
        asked = replace(other, stream_id=f"S{number}", engagement_id=f"{other.engagement_id}{number}")
        facts = place.keeper().facts(
            replace(call, stream_id=asked.stream_id, engagement_id=f"E{number}"),
            again=False,
            on_read=lambda done_s: None,
        )
        outcome = Outcome()
        while not outcome.utterances_count:
            outcome.add(next(facts))
        facts.close()
        place.store(asked)
        report = stored(place, asked.engagement_id)
        first = "agent" if asked.legs == call.legs else "customer"
        assert report.utterances[0].side == first
        assert (report.call.queue_name, report.call.started_at) == (asked.queue, asked.started_at)
        assert report.call.scorecard is not None


def test_a_stored_recording_keeps_its_id(place: Place, talk_file: Path) -> None:
    call = call_of(talk_file)
    place.store(call)
    assert place.keeper().stored_as(replace(call, engagement_id="B")) == "E"
    with pytest.raises(RecordingError, match=r"talk\.wav: is stored as E and keeps this id, got B"):
        place.store(replace(call, engagement_id="B"), again=True)
    unnamed = replace(call, engagement_id=call.stream_id)
    assert outcome_of(place.store(unnamed, again=True)).engagement_id == "E"
    with transaction(place.engine) as connection:
        assert call_report(connection, "B") is None
        assert call_report(connection, call.stream_id) is None


def test_the_sound_stays_until_the_new_one_is_there(place: Place, talk_file: Path) -> None:
    call = call_of(talk_file)
    place.store(call)
    before = rows(place)
    name = journal_name(call.stream_id)

    def break_off(done_s: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(place.keeper().facts(call, again=True, on_read=break_off))
    assert not place.shelf("incoming").names()
    with place.shelf("incoming").writer(name) as writer:
        writer.write(Kind.RECEIVED, 0, [])  # and then the program was killed
    assert place.keeper().stored_as(call) == "E"
    assert not place.shelf("incoming").names()
    assert rows(place) == before
    with transaction(place.engine) as connection:
        sound = call_sound(connection, "E")
    assert sound is not None
    sides = sides_of("E", sound, None)
    require_sound(place.shelf(), "E", sound.legs)
    heard = np.concatenate(list(channels_of(place.shelf(), sound, sides)), axis=1)
    assert np.array_equal(heard, talk())


def test_what_could_not_be_transcribed_is_tried_again(place: Place, talk_file: Path) -> None:
    call = call_of(talk_file)
    place.recognizer.transcribe = lambda items: [  # type: ignore[method-assign]
        RecognizerError("away") for _ in items
    ]
    assert outcome_of(place.store(call)).failed_count == 2
    assert place.keeper().stored_as(call) is None
    place.recognizer = FakeRecognizer()
    assert outcome_of(place.store(call)).failed_count == 0
    assert place.keeper().stored_as(call) == "E"
    assert {one.verdict for one in stored(place).utterances} == {"kept"}


def test_who_asks_for_a_recording_waits_for_the_one_who_is_at_it(place: Place, talk_file: Path) -> None:
    call, keeper = call_of(talk_file), place.keeper()
    facts = keeper.facts(call, again=False, on_read=lambda done_s: None)
    next(facts)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(keeper.stored_as, call)
        list(facts)
        assert asked.result(timeout=10) == "E"
    broken = keeper.facts(call, again=True, on_read=lambda done_s: None)
    next(broken)
    broken.close()
    assert keeper.stored_as(call) is None  # nobody is at it any more


def test_what_was_erased_stays_away(place: Place, talk_file: Path) -> None:
    call = call_of(talk_file)
    place.store(call)
    with transaction(place.engine) as connection:
        erase(connection, ["E"], keeps_measures=False)
    place.shelf().shred(journal_name(call.stream_id))
    for again in (call, replace(call, engagement_id="another")):  # the stream is the content of the file
        with pytest.raises(
            RecordingError, match=rf"talk\.wav: .* its call {again.engagement_id}, was erased"
        ):
            place.store(again)
    assert not place.shelf().names()


def test_a_legal_hold_keeps_the_sound(place: Place, talk_file: Path) -> None:
    place.store(call_of(talk_file))
    with transaction(place.engine) as connection:
        holds.place(connection, "E", reason="court", by="legal")
    with pytest.raises(LegalHoldError):
        place.store(call_of(talk_file), again=True)
    assert place.shelf().names()


def test_nothing_is_kept_of_what_only_passes(tmp_path: Path, talk_file: Path) -> None:
    folder = tmp_path / "passing"
    keeper = PassingKeeper(folder, CONFIG, PHONES, FakeRecognizer())
    call = call_of(talk_file)
    both = [keeper.facts(call, again=False, on_read=lambda done_s: None) for _ in range(2)]
    first = [next(facts) for facts in both]  # at the same time
    assert first[0] == first[1]
    journal = next(folder.rglob("*.journal")).read_bytes()
    assert talk()[0, 16_000:16_400].tobytes() not in journal
    assert set(both[0]) == set(both[1])
    assert not list(folder.rglob("*.journal"))
    assert [path.name for path in folder.rglob("*.key")] == ["master.key"]


def test_hours_take_no_memory(tmp_path: Path) -> None:
    """Three hours of a raw file, 173 MB of samples."""
    path = tmp_path / "long.al"
    with path.open("wb") as file:
        file.truncate(3 * 3600 * 8_000)
    call = call_of(path)
    shelf = PassingKeeper(tmp_path / "passing", CONFIG, PHONES, FakeRecognizer())._shelf
    before = peak_bytes(reset=True)
    transcription.begin(call, shelf, "a")
    assert peak_bytes() - before < 20 * 2**20
    with shelf.reader("a") as reader:
        assert reader.size_bytes > 170_000_000


def peak_bytes(*, reset: bool = False) -> int:
    """The most memory that this process had since the last reset (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024
