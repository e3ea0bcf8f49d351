"""What was received sounds again, side by side, on one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audio.encoded import CALL, FORMATS, encoded, name_of, snr_db
from tests.recordings.sounds import Channels
from zccvoice.audio.frame import AudioFormat, Encoding, Samples
from zccvoice.errors import KeyMissingError
from zccvoice.journal.entry import Entry
from zccvoice.journal.record import Kind
from zccvoice.journal.shelf import Shelf
from zccvoice.recordings.playback import BLOCK_SAMPLES, Sound, leg_sound, side_by_side
from zccvoice.rtms.enums import Codec, ContentType, SampleRate
from zccvoice.rtms.events import AudioReceived, MediaOpened
from zccvoice.rtms.messages import AudioParams

ZERO_MS = 1_777_622_400_000
CODECS = {
    Encoding.L16: Codec.L16,
    Encoding.PCMA: Codec.G711,
    Encoding.G722: Codec.G722,
    Encoding.OPUS: Codec.OPUS,
}
NewShelf = Callable[[], Shelf]


def opened(audio_format: AudioFormat) -> MediaOpened:
    rate = next(rate for rate in SampleRate if rate.hz == audio_format.rate_hz)
    return MediaOpened(
        AudioParams(
            content_type=ContentType.RAW_AUDIO,
            codec=CODECS[audio_format.encoding],
            sample_rate=rate,
            channel=audio_format.channel_count,
            send_rate=20,
        )
    )


def packets(channel_id: str, begin_ms: int, payloads: list[bytes], lost: range = range(0)) -> list[Entry]:
    return [
        AudioReceived(channel_id, begin_ms + number * 20, payload)
        for number, payload in enumerate(payloads)
        if number not in lost
    ]


def write(shelf: Shelf, entries: list[Entry], name: str = "a") -> None:
    with shelf.writer(name) as writer:
        for start in range(0, len(entries), 25):
            writer.write(Kind.RECEIVED, 0, entries[start : start + 25])


def played(shelf: Shelf, length_ms: int, *sides: list[tuple[str, str]]) -> Channels:
    """What is heard of legs (journal, channel) in each channel."""
    sounds = [
        [leg_sound(partial(shelf.reader, name), channel_id, ZERO_MS) for name, channel_id in side]
        for side in sides
    ]
    return np.concatenate(list(side_by_side(sounds, length_ms * 16)), axis=1)


@pytest.mark.parametrize("audio_format", [one for one in FORMATS if one.encoding in CODECS], ids=name_of)
def test_every_codec_sounds_again_at_its_place(audio_format: AudioFormat, new_shelf: NewShelf) -> None:
    shelf = new_shelf()
    write(shelf, [opened(audio_format), *packets("a", ZERO_MS + 500, encoded(CALL, audio_format))])
    (heard,) = played(shelf, 4_000, [("a", "a")])
    assert not heard[: 500 * 16 - 100].any()
    assert not heard[3_500 * 16 + 200 :].any()
    speech = slice(400 * 16, 2_800 * 16)
    wanted, got = CALL[speech], heard[500 * 16 :][speech]
    lags = {lag: snr_db(wanted, heard[500 * 16 + lag :][speech]) for lag in (-2, -1, 0, 1, 2)}
    assert max(lags, key=lags.__getitem__) == 0
    if audio_format.encoding is Encoding.L16 and audio_format.rate_hz == 16_000:
        assert np.array_equal(wanted, got)


def test_what_did_not_arrive_is_silence_and_moves_nothing(new_shelf: NewShelf) -> None:
    audio_format = AudioFormat()
    payloads = encoded(CALL, audio_format)
    shelf = new_shelf()
    # 200 ms are missing, which is bridged, then 1.2 s, which is not; another leg begins later.
    kept = [
        *packets("a", ZERO_MS, payloads, range(30, 40))[:70],
        *packets("a", ZERO_MS, payloads)[-10:],
    ]
    write(shelf, [opened(audio_format), *kept, *packets("b", ZERO_MS + 1_000, payloads)])
    heard, other = played(shelf, 4_000, [("a", "a")], [("a", "b")])
    for first, last in ((0, 30), (40, 80), (140, 150)):
        assert np.array_equal(heard[first * 320 : last * 320], CALL[first * 320 : last * 320])
    for first, last in ((31, 39), (81, 139), (151, 200)):
        assert not heard[first * 320 : last * 320].any()
    assert np.array_equal(other[16_000:], CALL)


def test_streams_follow_one_another_and_legs_are_mixed(new_shelf: NewShelf) -> None:
    audio_format, shelf = AudioFormat(), new_shelf()
    payloads = encoded(CALL, audio_format)
    write(shelf, [opened(audio_format), *packets("a", ZERO_MS, payloads)])
    write(shelf, [opened(audio_format), *packets("a", ZERO_MS + 5_000, payloads)], "b")
    write(shelf, [opened(audio_format), *packets("c", ZERO_MS + 5_000, payloads)], "c")
    (heard,) = played(shelf, 8_000, [("a", "a"), ("b", "a"), ("c", "c")])
    assert np.array_equal(heard[:48_000], CALL)
    assert not heard[48_000:80_000].any()
    assert np.array_equal(heard[80_000:], np.clip(CALL.astype(np.int32) * 2, -32_768, 32_767))


def test_a_damaged_record_is_silence(new_shelf: NewShelf, tmp_path: object) -> None:
    audio_format, shelf = AudioFormat(), new_shelf()
    write(shelf, [opened(audio_format), *packets("a", ZERO_MS, encoded(CALL, audio_format))])
    with shelf.reader("a") as reader:
        offset = reader.offsets(Kind.RECEIVED)[2]
    path = shelf._open / "a.journal"
    data = bytearray(path.read_bytes())
    data[offset + 100] ^= 1
    path.write_bytes(data)
    (heard,) = played(shelf, 3_000, [("a", "a")])
    first, last = 24, 49  # packets of the second record and before: the first one has the announcement
    assert np.array_equal(heard[: first * 320], CALL[: first * 320])
    assert np.array_equal(heard[(last + 25) * 320 :], CALL[(last + 25) * 320 :])
    assert not heard[(last + 1) * 320 : (last + 24) * 320].any()


def test_without_its_key_nothing_sounds(new_shelf: NewShelf) -> None:
    shelf = new_shelf()
    write(shelf, [opened(AudioFormat()), *packets("a", ZERO_MS, encoded(CALL, AudioFormat()))])
    shelf._vault.shred("a")
    with pytest.raises(KeyMissingError):
        played(shelf, 1_000, [("a", "a")])


@given(st.lists(st.tuples(st.integers(-3_000, BLOCK_SAMPLES), st.integers(1, 2 * BLOCK_SAMPLES)), max_size=5))
def test_pieces_of_any_length_land_where_they_belong(pieces: list[tuple[int, int]]) -> None:
    length, at = 3 * BLOCK_SAMPLES + 77, 0
    wanted, sound = np.zeros(length + 20 * BLOCK_SAMPLES, np.int16), list[tuple[int, Samples]]()
    for number, (hole, count) in enumerate(pieces, 1):
        at = at + abs(hole) if number > 1 else hole
        samples = np.full(count, number, np.int16)
        sound.append((at, samples))
        wanted[max(0, at) : max(0, at + count)] = number
        at += count

    def play() -> Sound:
        yield from sound

    silent: Iterator[tuple[int, Samples]] = iter([])
    heard = np.concatenate(list(side_by_side([[play()], [silent]], length)), axis=1)
    assert np.array_equal(heard[0], wanted[:length])
    assert not heard[1].any()


@pytest.mark.parametrize("refused", [range(20), range(60, 61), range(40, 160), range(100, 110)])
def test_what_was_refused_moves_nothing(refused: range, new_shelf: NewShelf) -> None:
    """Also amid a long quiet: sound stays where it was said."""
    shelf, audio_format = new_shelf(), AudioFormat()
    payloads = [b"\0" if at in refused else one for at, one in enumerate(encoded(CALL, audio_format))]
    quiet = frozenset(range(80, 240)) - frozenset(refused)
    sent = [one for at, one in enumerate(packets("a", ZERO_MS, payloads)) if at not in quiet]
    write(shelf, [opened(audio_format), *sent])
    (heard,) = played(shelf, len(CALL) // 16, [("a", "a")])
    whole = [at for at in range(len(payloads)) if at not in quiet and at not in refused]
    for at in whole:
        assert np.array_equal(heard[at * 320 : (at + 1) * 320], CALL[at * 320 : (at + 1) * 320])
