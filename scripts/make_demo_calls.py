"""Makes the demo calls: recordings and scenarios under ``zccvoice/simulator/demo/``.

    python scripts/make_demo_calls.py            # write clips and scenarios from the lines and takes in demo_calls
    python scripts/make_demo_calls.py --search   # try rates and pitches; print the takes to freeze there
    python scripts/make_demo_calls.py --check    # word error rate of the clips that are there

Build-time only: needs the espeak-ng program and, but for writing, the demo weights in ``models/demo``. Every
line is spoken by espeak-ng and sent through a telephone: 300–3400 Hz, −20 dBFS, light noise, there and back
through G.711 A-law, kept as 8 kHz FLAC.

Be clear about what this shows. The demo weights were trained on synthetic voices and know some 1360 words.
The lines are written in the grammar of their training, with voices and speaking rates of their training, and
``--search`` keeps for every line the take they understand best. So the demo calls lie inside the demo
weights' competence *by selection*: they show that the pipeline works, not how well it hears people. Likewise
the burst of loss in the German call lies at the end of a line; in the middle of one it cost a tenth of that
call's words.
"""

from __future__ import annotations

import argparse
import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from demo_calls import CALLS, DEFAULT_TAKE, TAKES, Call, Hold, Line, lines_of
from demo_model.line import RATE_HZ as LINE_HZ
from demo_model.line import band_limited, g711_round_trip
from demo_model.sentences import spelt
from zccvoice.simulator.sources import RATE_HZ, audible_range, read_sound, resample, synthesise
from zccvoice.speech.word_errors import spoken_words, word_errors

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "zccvoice" / "simulator" / "demo"
LEVEL_DBFS = -20.0
CLIP_NOISE_DBFS = -62.0
LINE_NOISE_DBFS = -58.0
TAIL_MS = 900

RATES_WPM = (165, 160, 170, 155, 175, 150, 145, 140)
PITCHES = {"agent": (50, 55, 45, 60), "consumer": (45, 40, 50, 35, 55)}
PADDINGS_MS = ((240, 240), (205, 300), (280, 245), (165, 400), (320, 320), (255, 500), (190, 190))
"""Line noise before and after a line, as an endpointer might leave it."""

# Sound


def clip(call: Call, line: Line, take: tuple[int, int]) -> npt.NDArray[np.int16]:
    """One line as it comes out of a telephone: ``int16[n]``, mono, 8 kHz, without quiet at either end."""
    voice = (call.agent if line.who == "agent" else call.consumer)[1]
    spoken = synthesise(spelt(line.text), voice=voice, rate_wpm=take[0], pitch=take[1])
    first, last = audible_range(spoken)
    sound = band_limited(resample(spoken[first:last], LINE_HZ).astype(np.float32))
    sound *= 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(np.square(sound)))
    noise = np.random.default_rng(zlib.crc32(line.text.encode())).standard_normal(len(sound))
    fade = np.minimum(1.0, np.minimum(np.arange(len(sound)), np.arange(len(sound))[::-1]) / (LINE_HZ // 100))
    noisy = (sound + noise * 10 ** (CLIP_NOISE_DBFS / 20)) * fade
    return np.rint(g711_round_trip(np.clip(noisy, -1.0, 1.0).astype(np.float32)) * 32_767).astype(np.int16)


def write_flac(path: Path, samples: npt.NDArray[np.int16]) -> None:
    """``int16[n]``, mono, 8 kHz, as FLAC."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = LINE_HZ
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=LINE_HZ, layout="mono", format="s16")
        stream.options = {"compression_level": "12"}
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


# Scenarios


def write_call(call: Call) -> float:
    """Write the call's clips and its scenario; its length in seconds."""
    folder = DEMO / call.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    speech, holds, ends = [], [], []
    keys = lines_of(call)
    end_ms = start_ms = length_ms = 0
    for entry in call.script:
        if isinstance(entry, Hold):
            hold_ms = end_ms + entry.gap_ms
            end_ms = hold_ms + entry.length_ms
            holds.append(f"[[hold]]\nfrom_ms = {hold_ms}\nto_ms = {end_ms}\n")
            continue
        key, line = next(keys)
        samples = clip(call, line, TAKES.get(key, DEFAULT_TAKE))
        write_flac(DEMO / f"{key}.flac", samples)
        into = line.into
        start_ms = end_ms + line.gap_ms if into is None else start_ms + int(length_ms * into)
        length_ms = len(samples) * 1_000 // LINE_HZ
        end_ms = max(end_ms, start_ms + length_ms)
        ends.append(start_ms + length_ms)
        speech.append(
            f'[[speech]]\nwho = "{line.who}"\nat_ms = {start_ms}\n'
            f"text = {quoted(line.text)}\nsound = {quoted(key + '.flac')}\n"
        )
    duration_ms = (end_ms + TAIL_MS) // 1_000 * 1_000 + 1_000
    (DEMO / f"{call.name}.toml").write_text(
        "\n".join([heading(call, duration_ms), *holds, *speech, faults_of(call, ends)]).rstrip() + "\n",
        encoding="utf-8",
    )
    return duration_ms / 1_000


def heading(call: Call, duration_ms: int) -> str:
    """Everything of a scenario that is not said, held or lost."""
    ends = "user_end" if call.stop_reason == "agent_disconnected" else "consumer_end"
    return f"""# Written by scripts/make_demo_calls.py.
title = {quoted(call.title)}
language = {quoted(call.language)}
seed = {call.seed}
engagement_id = {quoted(f"demo/{call.name}+Zz==")}
duration_ms = {duration_ms}
stop_reason = {quoted(call.stop_reason)}

[queue]
id = {quoted(f"q_demo_{call.name}")}
name = {quoted(call.queue)}

[[participant]]
side = "consumer"
channel_id = {quoted(f"ch-{call.name}-c")}
display_name = {quoted(call.consumer[0])}
user_id = {quoted(f"contact_{call.seed}")}
phone_number = {quoted(f"+155555501{call.seed}")}
voice = {quoted(call.consumer[1])}
noise_dbfs = {LINE_NOISE_DBFS}

[[participant]]
side = "agent"
channel_id = {quoted(f"ch-{call.name}-a")}
display_name = {quoted(call.agent[0])}
user_id = {quoted(f"agent_{call.seed}")}
voice = {quoted(call.agent[1])}
noise_dbfs = {LINE_NOISE_DBFS}

[[event]]
name = "consumer_answered"
at_ms = 0

[[event]]
name = "user_answered"
at_ms = 200

[[event]]
name = {quoted(ends)}
at_ms = {duration_ms - 200}
"""


def faults_of(call: Call, ends_ms: list[int]) -> str:
    """The ``[faults]`` table, with a burst of 600 ms that begins inside a line's last word."""
    burst_ms = ends_ms[call.burst_line] - 250
    table = call.faults.format(burst_ms=burst_ms, burst_end_ms=burst_ms + 600)
    return f"[faults]\n{table}" if table else ""


def quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False)


# What the demo weights make of it


class Listener:
    """The demo weights, as the daemon uses them: language pinned, beam 5."""

    def __init__(self) -> None:
        from faster_whisper import WhisperModel

        self._weights: Any = WhisperModel(str(ROOT / "models" / "demo"), device="cpu", compute_type="int8")

    def hear(self, samples: npt.NDArray[np.int16], language: str, *, before_ms: int, after_ms: int) -> str:
        """The text of ``int16[n]``, mono, 16 kHz, with some of the line's noise around it."""
        before, after = (np.zeros(ms * RATE_HZ // 1_000) for ms in (before_ms, after_ms))
        sound = np.concatenate([before, samples / 32_768, after])
        noise = np.random.default_rng(before_ms).standard_normal(len(sound)) * 10 ** (LINE_NOISE_DBFS / 20)
        segments, _ = self._weights.transcribe(
            (sound + noise).astype(np.float32),
            language=language,
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
        )
        return "".join(segment.text for segment in segments).strip()

    def errors(
        self, samples: npt.NDArray[np.int16], text: str, language: str, *, at_most: int = 1_000
    ) -> list[int]:
        """Wrong words with each of `PADDINGS_MS`; ends early when there are more than `at_most` in all."""
        wrong: list[int] = []
        for before_ms, after_ms in PADDINGS_MS:
            heard = self.hear(samples, language, before_ms=before_ms, after_ms=after_ms)
            wrong.append(word_errors(text, heard).errors)
            if sum(wrong) > at_most:
                break
        return wrong


def search(listener: Listener) -> None:
    """For each line the first take that is understood in every padding, else the one understood best."""
    for call in CALLS:
        for key, line in lines_of(call):
            best, least = DEFAULT_TAKE, 1_000
            for take in ((rate, pitch) for pitch in PITCHES[line.who] for rate in RATES_WPM):
                samples = resample_up(clip(call, line, take))
                wrong = sum(listener.errors(samples, line.text, call.language, at_most=least))
                if wrong < least:
                    best, least = take, wrong
                if not least:
                    break
            note = (
                f"  # {least} of {len(PADDINGS_MS)} x {len(spoken_words(line.text))} words wrong"
                if least
                else ""
            )
            print(f'    "{key}": {best},{note}')


def resample_up(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """``int16[n]``, mono, 8 kHz, to 16 kHz, as reading the clip's file does."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = LINE_HZ
    up = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    return np.concatenate([piece.to_ndarray()[0] for given in (frame, None) for piece in up.resample(given)])


def check(listener: Listener) -> None:
    """Print each call's word error rate, over the clips as they are on disk."""
    for call in CALLS:
        wrong = total = 0
        for key, line in lines_of(call):
            errors = listener.errors(read_sound(DEMO / f"{key}.flac"), line.text, call.language)
            wrong, total = wrong + sum(errors), total + len(errors) * len(spoken_words(line.text))
        count = total // len(PADDINGS_MS)
        print(f"{call.name}: {100 * wrong / total:.1f} % of {count} words wrong (mean over paddings)")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--search", action="store_true", help="look for the best takes and print them")
    parser.add_argument("--check", action="store_true", help="measure the clips that are there")
    options = parser.parse_args()
    if options.search:
        search(Listener())
    elif options.check:
        check(Listener())
    else:
        for call in CALLS:
            print(f"{call.name}: {write_call(call):.0f} s")


if __name__ == "__main__":
    main()
