"""Payloads that no codec ever wrote: refused or decoded, never anything else.

``FUZZ_PAYLOADS=100000 pytest tests/audio/test_fuzz.py -s`` for many, with figures.
"""

from __future__ import annotations

import os
import resource
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from tests.audio.encoded import CALL, FORMATS, encoded, joined, name_of
from zccvoice.audio.decoder import Decoder
from zccvoice.audio.frame import AudioFormat, Gap
from zccvoice.audio.timeline import Timeline
from zccvoice.errors import DecodeError
from zccvoice.simulator.encoders import in_rtp

COUNT = int(os.environ.get("FUZZ_PAYLOADS", "1500"))
MOST_GROWTH_MIB = 60


def mutated(payloads: list[bytes], count: int) -> Iterator[bytes]:
    """Good payloads with flipped bits, cut, lengthened, joined, put together anew, or nothing but noise."""
    random = np.random.default_rng(9)
    for _ in range(count):
        payload = bytearray(payloads[random.integers(len(payloads))])
        match random.integers(8):
            case 0:
                pass
            case 1 | 2:
                for at in random.integers(0, len(payload), random.integers(1, 9)):
                    payload[at] ^= 1 << int(random.integers(8))
            case 3:
                del payload[random.integers(len(payload)) :]
            case 4:
                payload += random.bytes(int(random.integers(1, 20_000)))
            case 5:
                payload[:2] = random.bytes(2)  # where Opus and RTP say what follows
            case 6:
                other = payloads[random.integers(len(payloads))]
                payload[random.integers(len(payload)) :] = other[random.integers(len(other)) :]
            case _:
                payload = bytearray(random.bytes(int(random.integers(0, 2_000))))
        yield bytes(payload)


@pytest.mark.parametrize("is_rtp", [False, True], ids=["bare", "rtp"])
@pytest.mark.parametrize("audio_format", FORMATS, ids=name_of)
def test_any_payload_is_sound_or_refused(audio_format: AudioFormat, is_rtp: bool) -> None:
    payloads = encoded(CALL, audio_format)
    if is_rtp:
        payloads = in_rtp(payloads, 4, 960)
        audio_format = AudioFormat(
            audio_format.encoding, audio_format.rate_hz, audio_format.channel_count, is_rtp=True
        )
    timeline, decoder = Timeline(audio_format), Decoder(audio_format)
    counts: Counter[str] = Counter()
    heard, before = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, payload in enumerate(mutated(payloads, COUNT)):
        try:
            placed = timeline.push(1_781_000_000_000 + number * 20, payload)
        except DecodeError as error:
            counts["refused"] += 1
            told = str(error)
        else:
            told = ""
        if told:
            assert payload[:8].hex() in told or is_rtp, "of RTP it is what is inside"
            continue
        for piece in (pieces := decoder.decode(placed)):
            counts["undecodable"] += isinstance(piece, Gap) and piece.is_in_sound
        counts["decoded"] += 1
        heard += sum(len(piece) for piece in pieces if not isinstance(piece, Gap))
    rest = [*decoder.decode(timeline.flush()), *decoder.flush()]
    heard += len(joined([*rest, np.empty(0, np.int16)]))
    growth_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"\n{name_of(audio_format)}{' rtp' if is_rtp else ''}: {dict(counts)}, {growth_mib:.1f} MiB more",
        end="",
    )
    assert heard == timeline.position, "sent = decoded + gaps: no hole here is long"
    assert counts["refused"]
    assert counts["decoded"] > COUNT / 8
    assert not counts["undecodable"], "what looks right to us is right to the library"
    assert growth_mib < MOST_GROWTH_MIB
