"""Two hours of the day that `scripts/try_day.py` plays."""

from __future__ import annotations

from pathlib import Path

from zccvoice.rehearsal.day import KINDS, play_day


def test_no_call_is_lost_and_nothing_is_left(tmp_path: Path) -> None:
    calls = 2 * len(KINDS)
    day = play_day(tmp_path, calls=calls, hours=2, seed=5)
    account = day.account
    assert account.problems == []
    assert day.kinds.total() == calls
    assert account.end_causes.total() + day.revoked == day.streams > calls
    assert account.sent + account.missing == account.decoded + account.gaps.total()
    assert day.counters["zccvoice_active_streams"] == 0
    assert day.counters["zccvoice_lost_facts_total"] == 0
    first, last = day.readings
    assert (last.tasks, last.open_files, last.connections) == (first.tasks, first.open_files, 0)
    assert last.objects - first.objects < 5_000, "per sixteen calls"
