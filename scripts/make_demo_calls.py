"""Makes the demo calls: recordings and scenarios under ``zccvoice/simulator/demo/``.

    python scripts/make_demo_calls.py            # write clips and scenarios from the lines and takes below
    python scripts/make_demo_calls.py --search   # try rates and pitches; print the takes to freeze below
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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import numpy.typing as npt

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

Who = Literal["consumer", "agent"]


@dataclass(frozen=True)
class Line:
    """One utterance, placed after what came before or into it."""

    who: Who
    text: str
    gap_ms: int = 500
    """After the end of everything before."""
    into: float | None = None
    """Instead: begin this far (0–1) into the line before."""


@dataclass(frozen=True)
class Hold:
    """The agent puts the consumer on hold."""

    length_ms: int
    gap_ms: int = 400


@dataclass(frozen=True)
class Call:
    """One demo call."""

    name: str
    title: str
    language: str
    seed: int
    queue: str
    agent: tuple[str, str]
    """Name and espeak-ng voice."""
    consumer: tuple[str, str]
    stop_reason: str
    script: tuple[Line | Hold, ...]
    faults: str = ""
    """TOML of the ``[faults]`` table; ``{burst_ms}`` lies in the line `burst_line`."""
    burst_line: int = 0


CALLS = (
    Call(
        name="orders",
        title="A delivery that never arrived",
        language="en",
        seed=11,
        queue="Orders",
        agent=("Linda Baker", "en-us+f2"),
        consumer=("Robert Walker", "en-us+m4"),
        stop_reason="customer_disconnected",
        script=(
            Line(
                "agent", "Thank you for calling Northwind, my name is Linda, how can I help you today?", 900
            ),
            Line("consumer", "Hi, my name is Robert Walker and I am calling about my order.", 700),
            Line("consumer", "I have been waiting for two weeks and the delivery never arrived.", 700),
            Line("consumer", "My order number is 483920.", 600),
            Line("agent", "Please stay on the line while I check your order.", 500),
            Hold(6_300),
            Line("agent", "Thank you for holding, I have found your order.", 700),
            Line("consumer", "I called three times already and nobody called me back.", 400),
            Line(
                "agent", "I am very sorry about the delivery, I understand how upset you must be.", into=0.62
            ),
            Line("agent", "Um, let me check, one moment please.", 600),
            Line("agent", "You will receive a refund of fifty dollars within five business days.", 3_400),
            Line("consumer", "Fine.", into=0.5),
            Line("agent", "Is there anything else I can do for you today?", 650),
            Line("consumer", "No, that is all, thank you so much.", 800),
            Line("agent", "Have a great day, goodbye.", 350),
        ),
    ),
    Call(
        name="factura",
        title="Un pago que nadie autorizó",
        language="es",
        seed=12,
        queue="Facturación",
        agent=("Lucía Serrano", "es+Andrea"),
        consumer=("Jorge Torres", "es+m4"),
        stop_reason="customer_disconnected",
        script=(
            Line(
                "agent",
                "Gracias por llamar a Energía Solar, mi nombre es Lucía, ¿en qué puedo ayudarle?",
                800,
            ),
            Line("consumer", "Hola, me llamo Jorge Torres y llamo por mi factura.", 650),
            Line("agent", "¿Me puede dar su número de cuenta, por favor?", 500),
            Line("consumer", "Mi número de cuenta es el 439071.", 900),
            Line("agent", "Espere en la línea mientras reviso su cuenta.", 450),
            Line("agent", "Gracias por su paciencia, ya encontré su contrato.", 3_400),
            Line("consumer", "Ya llamé tres veces y nadie me devolvió la llamada.", 500),
            Line("agent", "Lamento mucho lo de la factura, entiendo que esté molesto.", into=0.6),
            Line("consumer", "Yo no autoricé este pago.", 700),
            Line("agent", "Recibirá un reembolso de cincuenta euros en tres días.", 900),
            Line("consumer", "Sí, perfecto.", into=0.4),
            Line("agent", "¿Hay algo más en lo que pueda ayudarle hoy?", 800),
            Line("consumer", "No, eso es todo, muchas gracias.", 600),
            Line("agent", "Que tenga un buen día, hasta luego.", 350),
        ),
    ),
    Call(
        name="router",
        title="Ein Router auf einer schlechten Leitung",
        language="de",
        seed=13,
        queue="Technik",
        agent=("Anna Schmidt", "de+f2"),
        consumer=("Peter Fischer", "de+m4"),
        stop_reason="agent_disconnected",
        script=(
            Line(
                "agent",
                "Danke für Ihren Anruf bei Metro Telefon, mein Name ist Anna, wie kann ich Ihnen helfen?",
                900,
            ),
            Line("consumer", "Hallo, mein Name ist Fischer und ich rufe wegen meiner Garantie an.", 600),
            Line("consumer", "Ich habe ein Problem mit dem Router, die Leitung bricht immer ab.", 700),
            Line("agent", "Das tut mir sehr leid, ich kann Sie gut verstehen.", 450),
            Line("agent", "Haben Sie den Router schon neu gestartet?", 700),
            Line("consumer", "Ich habe immer noch das gleiche Problem, ich kann mich nicht anmelden.", 800),
            Line(
                "agent",
                "Ziehen Sie den Stecker, warten Sie zehn Sekunden und stecken Sie ihn wieder ein.",
                600,
            ),
            Line("consumer", "Jetzt geht es, vielen Dank.", 4_200),
            Line("agent", "Kann ich sonst noch etwas für Sie tun?", 500),
            Line("consumer", "Nein, das ist alles, vielen Dank für Ihre Hilfe.", 750),
            Line("agent", "Einen schönen Tag noch, auf Wiederhören.", 300),
        ),
        faults="lost = [\n"
        '  {{ who = "consumer", ratio = 0.03 }},\n'
        '  {{ who = "agent", ratio = 0.03 }},\n'
        '  {{ who = "consumer", from_ms = {burst_ms}, to_ms = {burst_end_ms} }},\n'
        "]\n"
        'duplicated = [{{ who = "agent", ratio = 0.02 }}]\n'
        'swapped = [{{ who = "consumer", ratio = 0.02 }}]\n'
        "misspelt_participant_info = true\n",
        burst_line=5,
    ),
)

TAKES: dict[str, tuple[int, int]] = {
    "orders/01": (165, 50),
    "orders/02": (165, 45),
    "orders/03": (165, 45),
    "orders/04": (160, 45),
    "orders/05": (165, 50),
    "orders/06": (165, 50),
    "orders/07": (165, 45),
    "orders/08": (175, 55),
    "orders/09": (165, 50),
    "orders/10": (165, 50),
    "orders/11": (165, 45),
    "orders/12": (165, 50),
    "orders/13": (165, 45),
    "orders/14": (165, 50),
    "factura/01": (165, 50),
    "factura/02": (165, 45),
    "factura/03": (165, 50),
    "factura/04": (165, 45),
    "factura/05": (165, 50),
    "factura/06": (165, 50),
    "factura/07": (165, 45),
    "factura/08": (165, 50),
    "factura/09": (165, 45),
    "factura/10": (165, 50),
    "factura/11": (165, 45),
    "factura/12": (165, 50),
    "factura/13": (165, 45),
    "factura/14": (165, 50),
    "router/01": (165, 50),
    "router/02": (165, 45),
    "router/03": (165, 45),
    "router/04": (165, 50),
    "router/05": (165, 50),
    "router/06": (165, 45),
    "router/07": (165, 50),
    "router/08": (165, 45),
    "router/09": (165, 50),
    "router/10": (165, 45),
    "router/11": (165, 50),
}
"""Speaking rate and pitch by ``call/line number``, as found by ``--search``."""

RATES_WPM = (165, 160, 170, 155, 175, 150, 145, 140)
PITCHES = {"agent": (50, 55, 45, 60), "consumer": (45, 40, 50, 35, 55)}
PADDINGS_MS = ((240, 240), (205, 300), (280, 245), (165, 400), (320, 320), (255, 500), (190, 190))
"""Line noise before and after a line, as an endpointer might leave it."""

DEFAULT_TAKE = (165, 50)


def lines_of(call: Call) -> Iterator[tuple[str, Line]]:
    """The call's utterances with their keys."""
    spoken = (entry for entry in call.script if isinstance(entry, Line))
    return ((f"{call.name}/{number:02d}", line) for number, line in enumerate(spoken, 1))


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
