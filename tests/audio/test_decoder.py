from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.encoded import (
    CALL,
    EXACT_FORMATS,
    FORMATS,
    G722,
    OPUS,
    encoded,
    joined,
    name_of,
    placed,
    snr_db,
)
from zccvoice.audio.codecs import opus
from zccvoice.audio.decoder import LONGEST_BRIDGED_SAMPLES, UNDECODABLE, Decoder
from zccvoice.audio.frame import AudioFormat, Encoding, Gap, Packet, Samples

ENCODED = {audio_format: encoded(CALL, audio_format) for audio_format in FORMATS}


def run(
    audio_format: AudioFormat, pieces: list[Packet | Gap], cuts: list[int] | None = None
) -> list[Samples | Gap]:
    """Decoded in runs; a gap is never parted from what follows it, for a timeline does not do that."""
    decoder = Decoder(audio_format)
    done: list[Samples | Gap] = []
    at = 0
    for cut in [*sorted(cuts or []), len(pieces)]:
        if cut > at and not isinstance(pieces[cut - 1], Gap):
            done += decoder.decode(pieces[at:cut])
            at = cut
    return done + decoder.decode(pieces[at:]) + decoder.flush()


@pytest.mark.parametrize("audio_format", FORMATS, ids=name_of)
def test_the_sound_is_as_long_as_the_packets_and_where_it_was(audio_format: AudioFormat) -> None:
    sound = joined(run(audio_format, placed(audio_format, ENCODED[audio_format])))
    assert len(sound) == len(CALL)
    fits = [
        float(np.dot(CALL[400:-400].astype(float), np.roll(sound, by)[400:-400])) for by in range(-40, 41)
    ]
    assert abs(int(np.argmax(fits)) - 40) <= 1, "positions stay true"


@settings(max_examples=60)
@given(st.sampled_from(FORMATS), st.frozensets(st.integers(1, 148), max_size=30), st.data())
def test_cuts_never_change_a_bit_and_gaps_keep_their_place(
    audio_format: AudioFormat, lost: frozenset[int], data: st.DataObject
) -> None:
    pieces = placed(audio_format, ENCODED[audio_format], lost)
    cuts = data.draw(st.lists(st.integers(1, len(pieces)), max_size=10))
    whole, cut = run(audio_format, pieces), run(audio_format, pieces, cuts)
    assert np.array_equal(joined(whole), joined(cut))
    gaps = [piece for piece in cut if isinstance(piece, Gap)]
    assert gaps == [piece for piece in pieces if isinstance(piece, Gap)]
    long = 0
    for begin, stop in holes(lost):
        length = (stop - begin) * 320
        long += length if length > LONGEST_BRIDGED_SAMPLES else 0
    assert len(joined(cut)) + long == len(CALL), "sent = decoded + gaps"


def holes(lost: frozenset[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in sorted(lost):
        if found and found[-1][1] == number:
            found[-1] = found[-1][0], number + 1
        else:
            found.append((number, number + 1))
    return found


@pytest.mark.parametrize("audio_format", EXACT_FORMATS, ids=name_of)
def test_samples_that_arrived_are_not_touched_by_a_loss(audio_format: AudioFormat) -> None:
    whole = joined(run(audio_format, placed(audio_format, ENCODED[audio_format])))
    sound = joined(run(audio_format, placed(audio_format, ENCODED[audio_format], frozenset({50, 51}))))
    reach = Decoder(audio_format).reach_before_samples
    hole = slice(50 * 320 - reach, 52 * 320 + reach)
    assert np.array_equal(np.delete(sound, hole), np.delete(whole, hole))
    edge = 64 + 2 * reach
    assert not sound[50 * 320 + edge : 52 * 320 - edge].any(), "silence"


@pytest.mark.parametrize("audio_format", FORMATS, ids=name_of)
def test_a_hole_does_not_click(audio_format: AudioFormat) -> None:
    t = np.arange(16_000) / 16_000
    tone = (9_000 * np.sin(2 * np.pi * 210 * t)).astype(np.int16)
    payloads = encoded(tone, audio_format)
    sound = joined(run(audio_format, placed(audio_format, payloads, frozenset({25}))))
    whole = joined(run(audio_format, placed(audio_format, payloads)))
    step = np.abs(np.diff(sound[23 * 320 : 28 * 320].astype(int))).max()
    # Opus conceals by itself, and how well it joins is its version's: without it the step would be twelvefold.
    most = 2.0 if audio_format.encoding is Encoding.OPUS else 1.5
    assert step <= most * np.abs(np.diff(whole[23 * 320 : 28 * 320].astype(int))).max()


def test_opus_conceals_a_short_loss_and_not_a_long_one() -> None:
    payloads = ENCODED[OPUS]
    for count, is_heard in ((1, True), (5, True), (6, False)):
        lost = frozenset(range(40, 40 + count))
        sound = joined(run(OPUS, placed(OPUS, payloads, lost)))
        end = (40 + count) * 320 - 104
        assert sound[40 * 320 : 40 * 320 + 160].any(), "it goes on"
        assert bool(sound[end - 200 : end - 70].any()) is is_heard


def test_opus_finds_a_lost_packet_in_the_next_one() -> None:
    lost = frozenset(range(30, 140, 9))
    worst = {}
    for fec in (False, True):
        payloads = encoded(CALL, OPUS, fec=fec)
        whole = joined(run(OPUS, placed(OPUS, payloads)))
        sound = joined(run(OPUS, placed(OPUS, payloads, lost)))
        inside = np.zeros(len(whole), bool)
        for number in lost:
            inside[number * 320 - 104 : (number + 1) * 320 - 104] = True
        worst[fec] = snr_db(whole[inside], sound[inside])
    assert worst[True] > worst[False] + 3


def test_g722_is_itself_again_after_fifteen_packets() -> None:
    whole = joined(run(G722, placed(G722, ENCODED[G722])))
    sound = joined(run(G722, placed(G722, ENCODED[G722], frozenset({40, 41, 42}))))
    assert np.abs(whole[58 * 320 :].astype(int) - sound[58 * 320 :]).max() <= 16
    assert snr_db(whole[58 * 320 :], sound[58 * 320 :]) > 50


@pytest.mark.parametrize("audio_format", FORMATS, ids=name_of)
def test_a_long_hole_is_not_computed_and_costs_nothing_around_it(audio_format: AudioFormat) -> None:
    lost = frozenset(range(60, 90))
    done = run(audio_format, placed(audio_format, ENCODED[audio_format], lost))
    at = [index for index, piece in enumerate(done) if isinstance(piece, Gap)]
    assert len(at) == 30
    before, after = joined(done[: at[0]]), joined(done[at[-1] :])
    assert (len(before), len(after)) == (60 * 320, 60 * 320)
    whole = joined(run(audio_format, placed(audio_format, ENCODED[audio_format])))
    assert snr_db(whole[: 59 * 320], before[: 59 * 320]) > 80


def test_a_payload_that_the_library_refuses_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Decoder(OPUS)
    codec = decoder._codec
    assert isinstance(codec, opus.LibOpusCodec)
    real = codec._decode

    def decode(state: object, payload: object, *more: object) -> int:
        return -4 if payload == ENCODED[OPUS][5] else real(state, payload, *more)

    monkeypatch.setattr(codec, "_decode", decode)
    done = decoder.decode(placed(OPUS, ENCODED[OPUS][:10])) + decoder.flush()
    assert [piece for piece in done if isinstance(piece, Gap)] == [
        Gap(5 * 320, 320, UNDECODABLE, is_in_sound=True)
    ]
    assert len(joined(done)) == 10 * 320
