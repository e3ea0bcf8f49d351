"""What the synthesizer and the bank made with it promise; only where espeak-ng's library is."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from demo_model.bank import Bank, make_bank
from demo_model.line import RATE_HZ
from demo_model.scoring import TRIALS, utterances_of
from demo_model.synthesis import FASTEST_WPM, SLOWEST_WPM, Synthesizer, Voice, any_voice


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    try:
        return Synthesizer()
    except SystemExit as missing:
        pytest.skip(str(missing))


def test_words_and_phonemes_come_with_their_times(synthesizer: Synthesizer) -> None:
    spoken = synthesizer.say("thank you for calling", Voice("en-us+f2", 160, 50, 50))
    assert [position for position, _ in spoken.words] == [0, 6, 10, 14]
    for times in ([at for _, at in spoken.words], [at for _, at in spoken.phonemes]):
        assert times == sorted(times)
        assert 0 <= times[0] < 0.2 < times[-1] < len(spoken.sound) / RATE_HZ
    assert spoken.phonemes[0][0] == "T"
    assert 0.1 < np.abs(spoken.sound).max() <= 1


def test_who_speaks_faster_is_done_sooner(synthesizer: Synthesizer) -> None:
    slow, fast = (
        len(synthesizer.say("this takes a while", Voice("en", rate_wpm, 50, 50)).sound)
        for rate_wpm in (SLOWEST_WPM, FASTEST_WPM)
    )
    assert slow > 1.8 * fast


def test_a_voice_that_is_not_there_is_told(synthesizer: Synthesizer) -> None:
    with pytest.raises(ValueError, match="no voice 'xx-none'"):
        synthesizer.say("hello", Voice("xx-none", 160, 50, 50))


@pytest.mark.parametrize("held_out", [False, True])
def test_every_voice_that_is_drawn_speaks(synthesizer: Synthesizer, held_out: bool) -> None:
    chance = random.Random(1)
    for language in ("en", "es", "de") * 4:
        voice = any_voice(language, chance, held_out=held_out)
        assert SLOWEST_WPM <= voice.rate_wpm <= FASTEST_WPM
        assert len(synthesizer.say("no no no", voice).sound) > RATE_HZ // 4


def test_trials_say_the_same_every_time_and_no_text_comes_twice(synthesizer: Synthesizer) -> None:
    first, again = ([*utterances_of(TRIALS[0], 9, synthesizer)] for _ in range(2))
    assert len({said.text for said in first}) == 9
    assert [said.text for said in first] == [said.text for said in again]
    assert all(said.starts_s[0] is not None for said in first)


@pytest.mark.usefixtures("synthesizer")
def test_a_bank_is_completed_and_says_what_is_written(tmp_path: Path) -> None:
    def made() -> dict[str, bytes]:
        make_bank(tmp_path, 10, seed=1, workers=1, part_utterances=5)
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    first = made()
    assert len(first) == 4
    (tmp_path / "part-1-001.jsonl").unlink()
    assert made() == first
    bank = Bank(tmp_path)
    assert len(bank) == 10
    for number in range(10):
        utterance, sound = bank[number], bank.sound(number)
        assert len(sound) == utterance.samples
        assert np.abs(sound).max() > 0.1
        assert [position for position, _ in utterance.words] == sorted({at for at, _ in utterance.words})
        assert utterance.words[-1][1] < utterance.samples / RATE_HZ
    assert all(name.split("/")[0] in ("en", "es", "de") for name in bank.phoneme_names())
