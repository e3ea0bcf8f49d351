"""Prints how good weights for the demo voices are, through faster-whisper itself.

    PYTHONPATH=. python scripts/evaluate_model.py [FOLDER] [--utterances 60] [--json]

Held-out sentences, voices and speaking rates, numbers, the language of 3 s, and sound without words
(`zccvoice.bench.false_alarms`, with nothing before the weights and nothing behind them). Needs the espeak-ng
library; takes some minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from demo_model.line import MODEL_RATE_HZ, Sound
from demo_model.scoring import TRIALS, Heard, Said, Score, Trial, share_right, stretches, utterances_of
from demo_model.sentences import LANGUAGES
from demo_model.synthesis import Synthesizer
from zccvoice.bench.false_alarms import false_alarm_set

ROOT = Path(__file__).parent.parent
TOLD_FROM_S = 3.0
WORDLESS_S = 10


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", nargs="?", default=str(ROOT / "models" / "demo"), help="a folder of weights")
    parser.add_argument("--utterances", type=int, default=60, help="of each set; as many of each language")
    parser.add_argument("--beam-size", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="names of sets, instead of everything")
    parser.add_argument("--json", action="store_true", help="figures for a machine")
    parser.add_argument("--errors", action="store_true", help="tell what was misheard")
    options = parser.parse_args()
    listener = Listener(options.model, options.beam_size, tells_errors=options.errors)
    figures = [
        listener.try_set(trial, options.utterances) for trial in TRIALS if _wanted(trial.name, options.only)
    ]
    result: dict[str, Any] = {"sets": figures}
    if not options.only:
        result["language_ratio"] = listener.language_ratio(options.utterances)
        result["words_where_nobody_speaks"] = listener.invented()
    if options.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        _print(result)
    return 0


def _wanted(name: str, only: list[str]) -> bool:
    return not only or name in only


class Listener:
    """Weights in faster-whisper, on one thread of this machine's CPU."""

    def __init__(self, model: str, beam_size: int, *, tells_errors: bool) -> None:
        from faster_whisper import WhisperModel

        self._model: Any = WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=1)
        self._beam_size, self._tells_errors = beam_size, tells_errors
        self._synthesizer = Synthesizer()

    def try_set(self, trial: Trial, count: int) -> dict[str, Any]:
        """The figures of one set."""
        score, sound_s, cpu_s = Score(trial.name), 0.0, 0.0
        for said in utterances_of(trial, count, self._synthesizer):
            started = time.process_time()
            heard = self._hear(said.sound, said.language)
            cpu_s += time.process_time() - started
            sound_s += len(said.sound) / MODEL_RATE_HZ
            wrong_before = score.errors.errors
            score.count(said, heard)
            if self._tells_errors and score.errors.errors > wrong_before:
                _tell(said, heard)
        return {
            "name": score.name,
            "utterances": score.utterances,
            "word_error_rate": score.errors.rate,
            **{f"word_error_rate_{name}": score.by_language[name].rate for name in LANGUAGES},
            "digit_error_rate": score.by_digit.rate,
            "right_ratio": score.right / score.utterances,
            "start_error_ms": {"median": score.start_error_ms(0.5), "p90": score.start_error_ms(0.9)},
            "real_time_factor": cpu_s / sound_s,
        }

    def language_ratio(self, count: int) -> float:
        """How often the language of 3 s is told rightly."""
        return share_right(
            (language, self._model.detect_language(sound)[0])
            for language, sound in stretches(count, TOLD_FROM_S, self._synthesizer)
        )

    def invented(self) -> dict[str, int]:
        """Words written where nobody speaks, by kind of sound, `WORDLESS_S` seconds of each sound."""
        found: Counter[str] = Counter()
        for number, sound in enumerate(false_alarm_set(WORDLESS_S)):
            samples = sound.samples.astype(np.float32) / np.float32(32_768)
            text = self._hear(samples, LANGUAGES[number % len(LANGUAGES)]).text
            if self._tells_errors and text:
                print(f"{sound.kind}, {sound.name}: {text}", file=sys.stderr)
            found[sound.kind] += len(text.split())
        return dict(found)

    def _hear(self, sound: Sound, language: str) -> Heard:
        segments, _ = self._model.transcribe(
            sound,
            language=language,
            beam_size=self._beam_size,
            temperature=0.0,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        listed = list(segments)
        words = [(word.word, word.start) for segment in listed for word in segment.words or []]
        return Heard("".join(segment.text for segment in listed).strip(), words)


def _tell(said: Said, heard: Heard) -> None:
    print(f"{said.language}: {said.text} | {heard.text}", file=sys.stderr)


def _print(result: dict[str, Any]) -> None:
    console = Console()
    table = Table(title="per cent of words wrong", title_justify="left")
    columns = ("set", "n", "all", *LANGUAGES, "by digit", "right", "start, ms", "CPU s/s")
    for name in columns:
        table.add_column(name, justify="left" if name == "set" else "right")
    for row in result["sets"]:
        languages = (f"{100 * row[f'word_error_rate_{name}']:.1f}" for name in LANGUAGES)
        starts = " / ".join("–" if one is None else f"{one:.0f}" for one in row["start_error_ms"].values())
        table.add_row(
            row["name"],
            str(row["utterances"]),
            f"{100 * row['word_error_rate']:.1f}",
            *languages,
            f"{100 * row['digit_error_rate']:.1f}",
            f"{100 * row['right_ratio']:.0f} %",
            starts,
            f"{row['real_time_factor']:.3f}",
        )
    console.print(table)
    if "language_ratio" in result:
        console.print(f"language of {TOLD_FROM_S:.0f} s: {100 * result['language_ratio']:.1f} % right")
        for kind, words in result["words_where_nobody_speaks"].items():
            console.print(f"{kind}: {words} words invented")


if __name__ == "__main__":
    raise SystemExit(main())
