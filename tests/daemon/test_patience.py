from __future__ import annotations

from zccvoice.daemon.patience import OUTAGE, PAUSES_S, Patience


def test_one_that_fails_every_time_is_given_up() -> None:
    patience = Patience()
    pauses_s = []
    for failures in range(1, 10):
        patience.note_failure("one")
        if (pause_s := patience.pause_s(failures)) is None:
            break
        pauses_s.append(pause_s)
    assert tuple(pauses_s) == PAUSES_S
    assert not patience.is_out


def test_none_is_given_up_while_one_after_the_other_fails() -> None:
    patience = Patience()
    seen = []
    for number in range(OUTAGE):
        patience.note_failure(number)
        seen.append(patience.is_out)
    assert seen == [False] * (OUTAGE - 1) + [True]
    assert [patience.pause_s(failures) for failures in (0, 100)] == [PAUSES_S[0], PAUSES_S[-1]]
    patience.note_success()
    assert patience.pause_s(100) is None
