from __future__ import annotations

import numpy as np
import pytest

from tests.speech.sounds import Samples, noise, voice
from zccvoice.audio.frame import AudioFormat
from zccvoice.config import VadConfig
from zccvoice.daemon.side_by_side import leakage_in, one_way_channels
from zccvoice.speech.track import Track

T0 = 1_781_000_000_000


def track(channel_id: str, sound: Samples, *, begin_ms: int = T0) -> Track:
    made = Track(channel_id, AudioFormat(), VadConfig(detector="webrtc"))
    for number, at in enumerate(range(0, len(sound), 1600)):
        made.place(begin_ms + number * 100, sound[at : at + 1600].astype("<i2").tobytes())
        made.hear(made.decode())
    made.flush()
    return made


def talk() -> Samples:
    turns = [np.concatenate([voice(1500, dbfs=-20 - n % 5 * 2), noise(1100)]) for n in range(12)]
    return np.concatenate(turns)


def test_the_other_side_heard_again_is_leakage() -> None:
    loud = talk()
    delay = 200 * 16
    copy = np.concatenate([noise(200), (loud[:-delay] * 0.05).astype(np.int16)])
    echo = (
        (copy.astype(np.int32) + noise(len(copy) // 16)[: len(copy)]).clip(-32_768, 32_767).astype(np.int16)
    )
    agent, customer = track("a", loud), track("c", echo)
    found = leakage_in(customer, [agent, customer])
    assert found is not None
    assert (found.channel_id, found.delay_ms) == ("a", 200)
    assert found.gain_db == pytest.approx(-26, abs=3)
    assert leakage_in(agent, [agent, customer]) is None


def test_a_side_of_its_own_is_no_leakage() -> None:
    agent, customer = track("a", talk()), track("c", noise(12 * 2600))
    assert leakage_in(customer, [agent, customer]) is None
    assert leakage_in(customer, [customer]) is None


def test_a_leg_that_says_nothing_while_others_speak() -> None:
    agent, customer = track("a", noise(90_000)), track("c", noise(80_000), begin_ms=T0 + 5_000)
    spoken = {
        "a": [(T0 + at, T0 + at + 4_000) for at in range(10_000, 70_000, 10_000)],
        "c": [(T0 + 85_000, T0 + 86_000)],
    }
    assert list(one_way_channels([agent, customer], spoken, {})) == [("c", T0, T0 + 85_000)]
    assert list(one_way_channels([agent], spoken, {})) == [], "nobody else was there"
    assert list(one_way_channels([agent, customer], {"c": spoken["c"]}, {})) == [], "nobody spoke"


SPOKEN = {"a": [(T0 + at, T0 + at + 4_000) for at in range(5_000, 85_000, 8_000)]}


@pytest.mark.parametrize(("joined_ms", "silent_from_ms"), [(0, 0), (T0 - 3_000, 0), (T0 + 20_000, 20_000)])
def test_a_leg_of_which_nothing_ever_came(joined_ms: int, silent_from_ms: int) -> None:
    joined = {"a": T0, "c": joined_ms}
    found = list(one_way_channels([track("a", noise(90_000))], SPOKEN, joined))
    assert found == [("c", T0 + silent_from_ms, T0 + 90_000)]


def test_who_came_late_is_not_missed_for_a_minute() -> None:
    joined = {"a": T0, "c": T0 + 40_000}
    assert list(one_way_channels([track("a", noise(90_000))], SPOKEN, joined)) == []


def test_nobody_is_missed_where_all_are_heard_under_another_name() -> None:
    assert (
        list(one_way_channels([track("mix", noise(90_000))], {"mix": SPOKEN["a"]}, {"a": T0, "c": T0})) == []
    )
    assert list(one_way_channels([], {}, {"a": T0, "c": T0})) == [], "no sound at all"
