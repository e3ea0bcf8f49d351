from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.speech.sounds import LAST_WORD, LevelDetector, Samples, noise, voice
from zccvoice.audio.decoder import LONGEST_BRIDGED_SAMPLES, Decoder
from zccvoice.audio.frame import AudioFormat, Encoding, Gap, Packet
from zccvoice.audio.quality import clipped_ratio, level_dbfs
from zccvoice.audio.timeline import Timeline
from zccvoice.bench import tunes
from zccvoice.config import VadConfig
from zccvoice.errors import DecodeError
from zccvoice.simulator.encoders import encode_g711
from zccvoice.simulator.sources import resample
from zccvoice.speech.confirmation import Doubt
from zccvoice.speech.track import Track, TrackGap
from zccvoice.speech.utterance import Utterance
from zccvoice.speech.vad import SpeechDetector

START_MS = 1_781_000_012_340
CALL = np.concatenate([noise(1000), voice(2000), noise(1500), voice(600, pitch_hz=200), noise(900)])


def play(
    sound: Samples, *, packet_ms: int = 100, lost: frozenset[int] = frozenset(), vad: VadConfig | None = None
) -> tuple[Track, list[Utterance], list[TrackGap]]:
    track = Track("ch", AudioFormat(), vad or LAST_WORD, LevelDetector())
    done: list[Utterance | TrackGap] = []
    step = packet_ms * 16
    for number, at in enumerate(range(0, len(sound), step)):
        if number not in lost:
            payload = sound[at : at + step].astype("<i2").tobytes()
            track.place(START_MS + number * packet_ms, payload)
            done += track.hear(track.decode())
    done += track.flush()
    return track, [x for x in done if isinstance(x, Utterance)], [x for x in done if isinstance(x, TrackGap)]


def spans(utterances: list[Utterance]) -> list[tuple[int, int]]:
    return [(u.start_timestamp_ms - START_MS, u.end_timestamp_ms - START_MS) for u in utterances]


def test_two_utterances_where_they_are() -> None:
    track, utterances, gaps = play(CALL)
    assert spans(utterances) == [(1000, 3000), (4500, 5100)]
    assert gaps == []
    assert track.end_timestamp_ms == START_MS + 6000
    assert track.noise_dbfs == pytest.approx(-60, abs=1)
    first = utterances[0]
    assert first.lead_ms == 240
    assert first.samples.size == (2000 + 2 * 240) * 16
    assert first.loudness_dbfs == pytest.approx(-20, abs=0.2)
    assert np.array_equal(first.samples, CALL[(1000 - 240) * 16 : (3000 + 240) * 16]), "to the sample"


def test_packets_are_gathered_and_while_nobody_speaks_for_longer() -> None:
    track = Track("ch", AudioFormat(), LAST_WORD, LevelDetector())
    sound = np.concatenate([noise(1_000), voice(2_000)])
    given_ms = []
    for number, at in enumerate(range(0, len(sound), 1600)):
        track.place(START_MS + number * 100, sound[at : at + 1600].astype("<i2").tobytes())
        pieces = track.decode()
        given_ms += [len(piece) // 16 for piece in pieces if not isinstance(piece, Gap)]
        track.hear(pieces)
    assert given_ms == [1_000, 1_000, 500, 500], "nobody speaks, nobody did, somebody does"


def test_speech_at_the_very_end_is_not_lost() -> None:
    _, utterances, _ = play(np.concatenate([noise(500), voice(700)]))
    assert spans(utterances) == [(500, 1200)]
    assert utterances[0].samples.size == (240 + 700) * 16


def test_a_short_loss_lies_inside_the_utterance_and_moves_nothing() -> None:
    track, utterances, gaps = play(CALL, lost=frozenset({20}))
    assert spans(utterances) == [(1000, 3000), (4500, 5100)]
    assert gaps == [TrackGap(START_MS + 2000, START_MS + 2100, "lost_packets")]
    assert track.timeline.lost_packets == 1
    edge = 4 * 16
    hole = slice((2000 - 760) * 16 + edge, (2100 - 760) * 16 - edge)
    assert not utterances[0].samples[hole].any()
    heard = np.delete(np.arange(utterances[0].samples.size), np.s_[hole.start - edge : hole.stop + edge])
    assert np.array_equal(utterances[0].samples[heard], CALL[760 * 16 :][heard]), "no edge costs a sample"


def test_a_long_loss_ends_the_utterance() -> None:
    _, utterances, gaps = play(CALL, lost=frozenset(range(15, 22)))
    assert spans(utterances) == [(1000, 1500), (2200, 3000), (4500, 5100)]
    assert gaps == [TrackGap(START_MS + 1500, START_MS + 2200, "lost_packets")]


def test_a_quiet_leg_is_no_gap() -> None:
    sound = np.concatenate([CALL, noise(30_000), CALL])
    _, utterances, gaps = play(sound, lost=frozenset(range(60, 360)))
    assert gaps == []
    assert spans(utterances) == [(1000, 3000), (4500, 5100), (37_000, 39_000), (40_500, 41_100)]


def test_a_long_speech_is_cut_and_fits_the_recognizer() -> None:
    sound = np.concatenate([noise(1000), voice(70_000), noise(1000)])
    _, utterances, _ = play(sound)
    assert len(utterances) >= 3
    assert max(u.samples.size for u in utterances) <= 30 * 16_000
    assert spans(utterances)[0][0] == 1000
    assert spans(utterances)[-1][1] == 71_000
    for before, after in itertools.pairwise(utterances):
        assert before.end_timestamp_ms == after.start_timestamp_ms
        assert after.lead_ms == 0, "no sample is heard twice"


def test_padding_never_overlaps_the_neighbour() -> None:
    sound = np.concatenate([noise(400), voice(500), noise(520), voice(500), noise(600)])
    _, (one, two), _ = play(sound, vad=VadConfig(detector="silero", padding_ms=500, hangover_ms=500))
    assert two.start_timestamp_ms - two.lead_ms >= one.end_timestamp_ms


def test_a_bad_payload_costs_itself() -> None:
    track = Track("ch", AudioFormat(), LAST_WORD, LevelDetector())
    done = []
    for number, at in enumerate(range(0, len(CALL), 1600)):
        payload = b"\1" if number == 2 else CALL[at : at + 1600].astype("<i2").tobytes()
        try:
            track.place(START_MS + number * 100, payload)
            done += track.hear(track.decode())
        except DecodeError:
            assert number == 2
    done += track.flush()
    assert [x for x in done if isinstance(x, TrackGap)] == [
        TrackGap(START_MS + 200, START_MS + 300, "undecodable")
    ]
    assert spans([x for x in done if isinstance(x, Utterance)]) == [(1000, 3000), (4500, 5100)]


def test_a_bad_payload_amid_a_long_quiet_moves_nothing() -> None:
    track = Track("ch", AudioFormat(), LAST_WORD, LevelDetector())
    done: list[Utterance | TrackGap] = []
    track.place(START_MS, noise(200).astype("<i2").tobytes())
    with pytest.raises(DecodeError):
        track.place(START_MS + 10_000, b"\1")
    for at in range(0, len(CALL), 1600):
        track.place(START_MS + 20_000 + at // 16, CALL[at : at + 1600].astype("<i2").tobytes())
        done += track.hear(track.decode())
    done += track.flush()
    assert [one.cause for one in done if isinstance(one, TrackGap)] == ["undecodable"]
    assert spans([x for x in done if isinstance(x, Utterance)]) == [(21_000, 23_000), (24_500, 25_100)]


def test_memory_is_bounded_while_nobody_speaks() -> None:
    track = Track("ch", AudioFormat(), LAST_WORD, LevelDetector())
    quiet = noise(1000).astype("<i2").tobytes()
    for number in range(120):
        track.place(START_MS + number * 1000, quiet)
        track.hear(track.decode())
    assert track._sound.end - track._sound.start < 16_000 * 3


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([20, 40, 60, 100, 200, 500, 1000]), st.integers(0, 319))
def test_where_the_input_is_cut_never_changes_the_result(packet_ms: int, shift: int) -> None:
    sound = np.concatenate([noise(1000)[: 16_000 - shift], CALL])
    _, wanted, _ = play(sound, packet_ms=20)
    _, got, _ = play(sound, packet_ms=packet_ms)
    assert spans(got) == spans(wanted)
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(got, wanted, strict=True))


@pytest.mark.parametrize("seed", [47, 2057, 3065])
def test_nor_does_it_where_an_utterance_was_cut_for_its_length(seed: int) -> None:
    """Of what is music and noise besides, at 8 kHz: what is left ends near the cut."""
    random, tune = np.random.default_rng(seed), music(60)
    pieces, length_ms = [noise(700, seed=seed)], 0
    while length_ms < 13_000:
        piece_ms, kind = int(random.integers(150, 1500)), random.integers(4)
        length_ms += piece_ms
        if kind == 0:
            pieces.append(noise(piece_ms, dbfs=-28, seed=int(random.integers(1_000_000))))
        elif kind == 1:
            pieces.append(tune[(start := int(random.integers(0, 50 * 16_000))) : start + piece_ms * 16])
        else:
            pitch_hz, dbfs = float(random.integers(90, 240)), float(random.integers(-26, -16))
            pieces.append(voice(piece_ms, pitch_hz=pitch_hz, dbfs=dbfs))
        if random.random() < 0.3:
            length_ms += (pause_ms := int(random.integers(60, 300)))
            pieces.append(noise(pause_ms, dbfs=-33, seed=int(random.integers(1_000_000))))
    sound = np.concatenate([*pieces, noise(1000)])[::2]

    def found(packet_ms: int) -> list[Utterance]:
        settings = VadConfig(longest_s=5, doubtful_s=5)
        track = Track("ch", AudioFormat(rate_hz=8_000), settings)
        done: list[Utterance | TrackGap] = []
        for number, at in enumerate(range(0, len(sound), packet_ms * 8)):
            track.place(START_MS + number * packet_ms, sound[at : at + packet_ms * 8].astype("<i2").tobytes())
            done += track.hear(track.decode())
        return [one for one in done + track.flush() if isinstance(one, Utterance)]

    wanted, got = found(20), found(100)
    assert spans(got) == spans(wanted)
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(got, wanted, strict=True))


def test_gaps_are_not_the_noise_of_the_line() -> None:
    track, _, _ = play(CALL, lost=frozenset(range(2, 60, 7)))
    assert track.noise_dbfs == pytest.approx(-60, abs=1)


# What an utterance tells of itself


def play_from(
    sound: Samples,
    sources: dict[int, tuple[int, int]],
    *,
    lost: frozenset[int] = frozenset(),
    packet_ms: int = 100,
) -> tuple[list[Utterance], list[Packet]]:
    """The utterances, and where a timeline of its own puts the packets whose sources are given."""
    track, timeline = Track("ch", AudioFormat(), LAST_WORD, LevelDetector()), Timeline(AudioFormat())
    done: list[Utterance | TrackGap] = []
    placed: list[Packet | Gap] = []
    step = packet_ms * 16
    for number, at in enumerate(range(0, len(sound), step)):
        if number not in lost:
            payload = sound[at : at + step].astype("<i2").tobytes()
            packet = START_MS + number * packet_ms, payload, sources.get(number)
            track.place(*packet)
            done += track.hear(track.decode())
            placed += timeline.push(*packet)
    done += track.flush()
    placed += timeline.flush()
    kept = [piece for piece in placed if isinstance(piece, Packet) and piece.source is not None]
    return [one for one in done if isinstance(one, Utterance)], kept


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(40, 2500)), min_size=1, max_size=8),
    st.sampled_from([20, 100, 500]),
    st.frozensets(st.integers(1, 120), max_size=8),
    st.frozensets(st.integers(0, 120), max_size=8),
)
def test_a_passage_is_the_packets_that_were_kept_under_the_padded_utterance(
    pieces: list[tuple[bool, int]], packet_ms: int, lost: frozenset[int], unkept: frozenset[int]
) -> None:
    sound = np.concatenate([voice(length) if is_voice else noise(length) for is_voice, length in pieces])
    count = -(-len(sound) // (packet_ms * 16))
    sources = {
        number: (8 + number // 3 * 1000, number % 3) for number in range(count) if number not in unkept
    }
    utterances, kept = play_from(sound, sources, lost=lost, packet_ms=packet_ms)
    for utterance in utterances:
        start = (utterance.start_timestamp_ms - START_MS - utterance.lead_ms) * 16
        end = start + utterance.samples.size
        wanted = [
            (packet.position, packet.source)
            for packet in kept
            if packet.position < end and packet.position + packet.sample_count > start
        ]
        if not wanted:
            assert utterance.passage is None
            continue
        assert utterance.passage is not None
        assert (utterance.passage.start, utterance.passage.end) == (start, end)
        told: list[tuple[int, tuple[int, int] | None]] = list(utterance.passage.pieces)
        at = told.index(wanted[0])
        assert told[at : at + len(wanted)] == wanted
        begins_in_a_hole, ends_in_one = wanted[0][0] > start, wanted[-1][0] + packet_ms * 16 < end
        before = [(p.position, p.source) for p in kept if p.position < wanted[0][0]][-1:]
        after = [(p.position, p.source) for p in kept if p.position > wanted[-1][0]][:1]
        assert told[:at] == (before if begins_in_a_hole else [])
        assert told[at + len(wanted) :] in ([], after if ends_in_one else [])


def test_an_utterance_that_nobody_keeps_has_no_passage() -> None:
    _, utterances, _ = play(CALL)
    assert [one.passage for one in utterances] == [None, None]


def test_sources_are_forgotten_with_their_sound() -> None:
    track = Track("ch", AudioFormat(), LAST_WORD, LevelDetector())
    for number in range(1200):
        quiet = noise(100, seed=number).astype("<i2").tobytes()
        track.place(START_MS + number * 100, quiet, (number, 0))
        track.hear(track.decode())
    assert len(track._trail) < 20


def test_an_announced_outage_is_the_gaps_cause() -> None:
    track = Track("ch", AudioFormat(), LAST_WORD, LevelDetector())
    done = []
    for number in (*range(20), *range(60, 80)):
        if number == 60:
            track.timeline.expect_loss(START_MS + 2_000, START_MS + 6_000, "away")
        sound = voice(100).astype("<i2").tobytes()
        track.place(START_MS + number * 100, sound)
        done += track.hear(track.decode())
    done += track.flush()
    assert [one for one in done if isinstance(one, TrackGap)] == [
        TrackGap(START_MS + 2_000, START_MS + 6_000, "away")
    ]
    assert spans([one for one in done if isinstance(one, Utterance)]) == [(0, 2_000), (6_000, 8_000)]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(120, 2200), st.integers(-39, -6)), min_size=1, max_size=6),
    st.frozensets(st.integers(1, 120), max_size=5),
)
def test_loudness_of_every_second_of_the_speech(pieces: list[tuple[int, int]], lost: frozenset[int]) -> None:
    sound = np.concatenate([noise(600), *(voice(length, dbfs=dbfs) for length, dbfs in pieces), noise(700)])
    utterances, _ = play_from(sound, {}, lost=lost)
    assert utterances
    for utterance in utterances:
        lead = utterance.lead_ms * 16
        speech = utterance.samples[lead : lead + utterance.duration_ms * 16]
        assert len(utterance.loudness_by_second) == math.ceil(utterance.duration_ms / 1000)
        for second, loudness in enumerate(utterance.loudness_by_second):
            wanted = level_dbfs(speech[second * 16_000 : (second + 1) * 16_000])
            assert loudness == pytest.approx(wanted, abs=0.001)


def test_a_short_outage_at_the_end_of_a_long_quiet_moves_nothing() -> None:
    """One hole, two gaps in the books, the second of them too short to be a hole of its own."""
    track = Track("ch", AudioFormat(), LAST_WORD, LevelDetector())
    track.timeline.expect_loss(START_MS + 4_000, START_MS + 4_300, "away")
    later = np.concatenate([noise(500), voice(1_000), noise(1_000)])
    for begin_ms, sound in ((0, noise(1_000)), (4_300, later)):
        for at in range(0, len(sound), 320):
            payload = sound[at : at + 320].astype("<i2").tobytes()
            track.place(START_MS + begin_ms + at // 16, payload)
    done = track.hear(track.decode()) + track.flush()
    assert [one for one in done if isinstance(one, TrackGap)] == [
        TrackGap(START_MS + 4_000, START_MS + 4_300, "away")
    ]
    assert spans([one for one in done if isinstance(one, Utterance)]) == [(4_800, 5_800)]


# With the detectors of the settings


def music(seconds: int) -> Samples:
    return (tunes.music(tunes.TUNING_PIECES[0], seconds * 16_000) * 2_600).astype(np.int16)


REAL = np.concatenate(
    [
        noise(700),
        voice(1400),
        noise(800),
        music(17),
        voice(900, pitch_hz=210),
        noise(1200),
        noise(3000, dbfs=-28),
    ]
)


def heard(
    sound: Samples, detector: str, packet_ms: int, lost: frozenset[int] = frozenset()
) -> list[Utterance]:
    settings = VadConfig.model_validate({"detector": detector})
    track = Track("ch", AudioFormat(), settings)
    done: list[Utterance | TrackGap] = []
    step = packet_ms * 16
    for number, at in enumerate(range(0, len(sound), step)):
        if not any(number * packet_ms <= one * 1000 < (number + 1) * packet_ms for one in lost):
            payload = sound[at : at + step].astype("<i2").tobytes()
            track.place(START_MS + number * packet_ms, payload)
            done += track.hear(track.decode())
    done += track.flush()
    return [one for one in done if isinstance(one, Utterance)]


@settings(max_examples=12)
@given(
    st.sampled_from(["both", "webrtc", "silero"]),
    st.sampled_from([40, 100, 260, 500, 1000]),
    st.integers(0, 639),
)
def test_with_real_detectors_cuts_do_not_matter_either(detector: str, packet_ms: int, shift: int) -> None:
    sound = REAL[shift:]
    wanted, got = heard(sound, detector, 20), heard(sound, detector, packet_ms)
    assert spans(got) == spans(wanted)
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(got, wanted, strict=True))


def test_doubts_may_be_settled_one_by_one_in_another_thread() -> None:
    track = Track("ch", AudioFormat(), VadConfig())
    steps: list[Utterance | TrackGap | Doubt] = []
    with ThreadPoolExecutor(1) as threads:

        def walk(some: Iterable[Utterance | TrackGap | Doubt]) -> None:
            for step in some:
                if isinstance(step, Doubt):
                    threads.submit(step.settle).result()
                steps.append(step)

        for number, at in enumerate(range(0, len(REAL), 1600)):
            track.place(START_MS + number * 100, REAL[at : at + 1600].astype("<i2").tobytes())
            walk(track.hear_in_steps(track.decode()))
        walk(track.flush_in_steps())
    assert sum(isinstance(step, Doubt) for step in steps) >= 3, "at 15 s of music, at its end, and the noise"
    utterances = [step for step in steps if isinstance(step, Utterance)]
    assert spans(utterances) == spans(heard(REAL, "both", 100)) != []


NARROW = AudioFormat(Encoding.PCMA, 8_000)


@settings(max_examples=20)
@given(
    st.sampled_from([20, 100, 500]),
    st.frozensets(st.integers(0, 180), max_size=6),
    st.sampled_from([{}, {"padding_ms": 1000, "hangover_ms": 300}, {"longest_s": 5}]),
)
def test_what_comes_at_8_khz_is_heard_so_and_given_as_decoded(
    packet_ms: int, lost: frozenset[int], changes: dict[str, int]
) -> None:
    narrow = REAL[: 12 * 16_000 : 2]
    payloads = encode_g711(narrow, 1, packet_ms * 8, False)
    track, timeline, decoder = Track("ch", NARROW, VadConfig(**changes)), Timeline(NARROW), Decoder(NARROW)
    done: list[Utterance | TrackGap] = []
    pieces: list[Packet | Gap] = []
    for number, payload in enumerate(payloads):
        if number * packet_ms // 100 not in lost:
            track.place(START_MS + number * packet_ms, payload)
            done += track.hear(track.decode())
            pieces += timeline.push(START_MS + number * packet_ms, payload)
    done += track.flush()
    sound = on_the_axis(decoder, [*pieces, *timeline.flush()])
    utterances = [one for one in done if isinstance(one, Utterance)]
    assert utterances
    first_ms = timeline.first_timestamp_ms
    assert first_ms is not None
    for one in utterances:
        start = (one.start_timestamp_ms - first_ms - one.lead_ms) * 16
        assert np.array_equal(one.samples, sound[start : start + one.samples.size])


def on_the_axis(decoder: Decoder, pieces: list[Packet | Gap]) -> Samples:
    """All sound of a track, with nothing in long holes."""
    sounds: list[Samples] = []
    for piece in [*decoder.decode(pieces), *decoder.flush()]:
        if not isinstance(piece, Gap):
            sounds.append(piece)
        elif piece.sample_count > LONGEST_BRIDGED_SAMPLES:
            sounds.append(np.zeros(piece.position + piece.sample_count - sum(map(len, sounds)), np.int16))
    return np.concatenate(sounds)


@pytest.mark.parametrize("detector", ["both", "webrtc"])
def test_hold_music_is_no_utterance(detector: str) -> None:
    assert heard(music(40), detector, 100) == []


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.sampled_from("vmn"), st.integers(100, 2500)), min_size=1, max_size=8),
    st.frozensets(st.integers(0, 20), max_size=3),
)
def test_utterances_are_ordered_disjoint_bounded_and_padded(
    pieces: list[tuple[str, int]], lost: frozenset[int]
) -> None:
    made: dict[str, Callable[[int], Samples]] = {
        "v": lambda length: voice(length),
        "n": lambda length: noise(length),
        "m": lambda length: music(3)[: length * 16],
    }
    sound = np.concatenate([made[kind](length) for kind, length in pieces])
    before = START_MS
    for one in heard(sound, "both", 100, lost):
        assert before <= one.start_timestamp_ms < one.end_timestamp_ms
        assert one.end_timestamp_ms - START_MS <= len(sound) // 16
        assert one.start_timestamp_ms - one.lead_ms >= before, "no sample is heard twice"
        assert one.duration_ms * 16 <= one.samples.size <= 30 * 16_000
        before = one.end_timestamp_ms


def test_the_tracks_quality() -> None:
    track, _, _ = play(CALL, lost=frozenset({5, 6, 7}))
    quality = track.quality
    assert quality.speech_dbfs == pytest.approx(-20, abs=0.3)
    assert quality.snr_db == pytest.approx(40, abs=1.5)
    assert quality.clipped_ratio == 0
    assert quality.lost_ratio == pytest.approx(3 / 60)
    levels = track.levels.dbfs()
    assert np.flatnonzero(np.isnan(levels)).tolist() == [6], "what came fades into the gap"
    assert levels[15] == pytest.approx(-20, abs=4)


@pytest.mark.parametrize("encoding", [Encoding.L16, Encoding.PCMA, Encoding.PCMU])
@pytest.mark.parametrize(("vad", "detector"), [(VadConfig(), None), (LAST_WORD, LevelDetector())])
def test_clipping_is_seen_in_what_came_at_8_khz(
    encoding: Encoding, vad: VadConfig, detector: SpeechDetector | None
) -> None:
    """Heard at 8 kHz or at 16. Resampled, an overdriven voice has little that is flat."""
    loud = np.clip(8 * voice(2_000).astype(np.int32), -32_768, 32_767).astype(np.int16)
    overdriven = np.concatenate([noise(600), loud, noise(900)])[::2]
    if encoding is Encoding.L16:
        payloads = [
            overdriven[at : at + 160].astype("<i2").tobytes() for at in range(0, len(overdriven), 160)
        ]
    else:
        payloads = encode_g711(overdriven, 1, 160, False, law=encoding)
    track = Track("ch", AudioFormat(encoding, 8_000), vad, detector)
    for number, payload in enumerate(payloads):
        track.place(START_MS + number * 20, payload)
        track.hear(track.decode())
    track.flush()
    clipped = clipped_ratio(loud[::2])
    assert clipped > 0.04
    assert track.quality.clipped_ratio == pytest.approx(clipped, abs=0.01)


@pytest.mark.parametrize("rate_hz", [32_000, 48_000])
def test_clipping_is_seen_in_what_came_faster_than_it_is_heard(rate_hz: int) -> None:
    """Whatever it came in; over and over, as long as the track goes on."""
    quiet, loud, pause = (resample(one, rate_hz) for one in (noise(600), voice(2_000), noise(900)))
    loud = np.clip(8 * loud.astype(np.int32), -32_768, 32_767).astype(np.int16)
    overdriven = np.concatenate([quiet, *[loud, pause] * 4])
    told: list[float | None] = []
    for packet_ms in (20, 50, 100):
        size = rate_hz * packet_ms // 1_000
        track = Track("ch", AudioFormat(Encoding.L16, rate_hz), VadConfig())
        for number, at in enumerate(range(0, len(overdriven) // size * size, size)):
            track.place(START_MS + number * packet_ms, overdriven[at : at + size].tobytes())
            track.hear(track.decode())
        track.flush()
        told.append(track.quality.clipped_ratio)
    clipped = clipped_ratio(loud)
    assert clipped > 0.1
    assert told[0] == pytest.approx(clipped, abs=0.01)
    assert told[1:] == [told[0]] * 2


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("overdriven", [0, 1])
def test_of_two_channels_the_one_tells_that_is_clipped_more(rate_hz: int, overdriven: int) -> None:
    """In the mean of both nothing is flat."""
    quiet, spoken = resample(noise(600), rate_hz), resample(voice(2_000), rate_hz)
    loud = np.clip(8 * spoken.astype(np.int32), -32_768, 32_767).astype(np.int16)
    sides = [np.concatenate([quiet, one, quiet, quiet]) for one in (loud, spoken)]
    both = np.stack(sides if overdriven == 0 else sides[::-1], axis=1)
    size = rate_hz // 50
    track = Track("ch", AudioFormat(Encoding.L16, rate_hz, 2), VadConfig())
    for number, at in enumerate(range(0, len(both) // size * size, size)):
        track.place(START_MS + number * 20, both[at : at + size].tobytes())
        track.hear(track.decode())
    track.flush()
    clipped = clipped_ratio(loud)
    assert clipped > 0.04
    assert track.quality.clipped_ratio == pytest.approx(clipped, abs=0.01)
