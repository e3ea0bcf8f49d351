"""Prints what a recognizer makes up where nobody speaks, before and behind the guard.

    PYTHONPATH=. python scripts/measure_false_alarms.py [--model FOLDER] [--language de] [--seconds 60]

Each sound of the false-alarm set (`zccvoice.bench.false_alarms`) goes the way of a call: detector, endpointer,
guard, recognizer, guard. Ends with 1 when so more than one word is invented in ten minutes. "forced" is the same
without detector and endpointer: what the guard does alone.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.bench.false_alarms import MINUTE, Tally, WordlessSound, false_alarm_set, forced_from, found_in
from zccvoice.config import SpeechConfig, load
from zccvoice.errors import RecognizerError
from zccvoice.speech.guard import Guard
from zccvoice.speech.guarded import GuardedRecognizer
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.speech.whisper import WhisperRecognizer

WANTED_PER_10_MIN = 1.0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a recognizer makes up where nobody speaks.")
    parser.add_argument("--model", default="demo", help="weights, as speech.model")
    parser.add_argument("--language", default="en", help="language that is pinned")
    parser.add_argument("--seconds", type=int, default=60, help="length of each sound")
    parser.add_argument("--forced-seconds", type=int, default=15, help="of each sound, without a detector")
    parser.add_argument("--words", action="store_true", help="tell the words that were kept")
    options = parser.parse_args()
    speech = load(None, speech={"model": options.model, "beam_size": 1}).speech
    trial = Trial(speech, options.language, tells_words=options.words)
    found: dict[str, list[Tally]] = defaultdict(list)
    forced: dict[str, list[Tally]] = defaultdict(list)
    for sound in false_alarm_set(options.seconds):
        found[sound.kind].append(trial.run(sound, found_in(sound, speech.vad)))
        start = replace(sound, given=sound.given[: options.forced_seconds * SAMPLE_RATE_HZ])
        forced[sound.kind].append(trial.run(start, forced_from(start)))
    invented = _print("as in a call", found)
    _print("forced", forced)
    return int(invented > WANTED_PER_10_MIN)


class Trial:
    """A recognizer alone, and behind its guard."""

    def __init__(self, settings: SpeechConfig, language: str, *, tells_words: bool = False) -> None:
        self._alone = WhisperRecognizer(settings)
        self._guard = Guard(settings.guard)
        self._guarded = GuardedRecognizer(self._alone, self._guard, self._alone.transcribe_at)
        self._language = language
        self._tells_words = tells_words

    def run(self, sound: WordlessSound, utterances: Sequence[Utterance]) -> Tally:
        """What becomes of a sound that was cut into these."""
        items = [RecognizerItem(one, self._language) for one in utterances]
        tally = Tally(minutes=len(sound.given) / MINUTE, utterances=len(items))
        for item, found in zip(items, self._alone.transcribe(items), strict=True):
            words = _words(found)
            tally.words_before += len(words)
            if self._guard.gate(item.utterance) is not None:
                tally.gated += 1
            elif words:
                kept = _words(judged := self._guarded.judge(item, found))
                tally.words_kept += len(kept)
                if kept and self._tells_words:
                    print(f"{sound.kind}, {sound.name}: {judged}", file=sys.stderr)
        return tally


def _words(found: Transcript | RecognizerError) -> list[str]:
    """Those that count."""
    return [] if isinstance(found, RecognizerError) or found.refusal else found.text.split()


def _print(title: str, by_kind: dict[str, list[Tally]]) -> float:
    """One table; returns the words invented in ten minutes of all of it."""
    table = Table(title=title, title_justify="left")
    for name in ("sound", "min", "utterances", "given", "words before guard", "words kept", "per 10 min"):
        table.add_column(name, justify="left" if name == "sound" else "right")
    rows = {kind: Tally().merge(tallies) for kind, tallies in by_kind.items()}
    total = rows["all"] = Tally().merge(rows.values())
    for kind, tally in rows.items():
        table.add_row(
            kind,
            f"{tally.minutes:.0f}",
            str(tally.utterances),
            str(tally.utterances - tally.gated),
            str(tally.words_before),
            str(tally.words_kept),
            f"{tally.invented_per_10_min:.2f}",
        )
    Console().print(table)
    return total.invented_per_10_min


if __name__ == "__main__":
    raise SystemExit(main())
