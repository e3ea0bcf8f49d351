"""A bank of synthetic speech on disk: ``.pcm`` files (``int16``, mono, 8 kHz) and ``.jsonl``, what is said there.

Made once and drawn from for the whole training: a sentence takes the synthesizer as long as the training step
that hears it.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from demo_model.line import RATE_HZ, Sound
from demo_model.sentences import any_language, grammar_of, written_at
from demo_model.synthesis import Synthesizer, any_voice

PART_UTTERANCES = 4_000
SHORTEST_S, LONGEST_S = 0.3, 13.0
"""The longest fits a window of 15 s, slowed down and with some quiet before it."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence that is said in the bank."""

    language: str
    text: str
    """As it is to be written."""
    first: int
    """Sample at which it begins in its file."""
    samples: int
    words: list[tuple[int, float]]
    """Position of its first letter in the text, and seconds; both grow."""
    phonemes: list[tuple[str, float]]
    """Mnemonic, and seconds."""


def make_bank(
    folder: Path, utterances: int, seed: int, workers: int, part_utterances: int = PART_UTTERANCES
) -> None:
    """Write as many parts as hold so many utterances, the same from the same seed; what is there already is kept.

    An interruption leaves whole parts, and at most one ``.part`` file per worker, which the next run writes anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    size = min(part_utterances, utterances)
    names = [f"part-{seed}-{number:03d}" for number in range(-(-utterances // size))]
    missing = [folder / name for name in names if not (folder / f"{name}.jsonl").exists()]
    # Each in a new process: the breath of some voices goes on from what the library said before.
    with ProcessPoolExecutor(workers, get_context("spawn"), max_tasks_per_child=1) as pool:
        for number, path in enumerate(pool.map(_make_part, missing, repeat(size)), 1):
            print(f"speech: {path.name} ({number} of {len(missing)})", file=sys.stderr, flush=True)


def _make_part(path: Path, utterances: int) -> Path:
    chance, synthesizer, first = random.Random(path.name), Synthesizer(), 0  # noqa: S311
    unfinished = path.with_suffix(".part")
    with path.with_suffix(".pcm").open("wb") as sounds, unfinished.open("w", encoding="utf-8") as lines:
        for _ in range(utterances):
            utterance, sound = _some_utterance(synthesizer, first, chance)
            np.rint(sound * 32_767).clip(-32_768, 32_767).astype("<i2").tofile(sounds)
            lines.write(json.dumps(asdict(utterance), ensure_ascii=False) + "\n")
            first += len(sound)
    unfinished.rename(path.with_suffix(".jsonl"))
    return path


def _some_utterance(synthesizer: Synthesizer, first: int, chance: random.Random) -> tuple[Utterance, Sound]:
    while True:
        language = any_language(chance)
        sentence = grammar_of(language).for_training(chance)
        said = synthesizer.say(sentence.spoken, any_voice(language, chance))
        if SHORTEST_S <= len(said.sound) / RATE_HZ <= LONGEST_S:
            break
    places = written_at(sentence.written, sentence.spoken, [position for position, _ in said.words])
    words: list[tuple[int, float]] = []
    for place, (_, at_s) in zip(places, said.words, strict=True):
        # espeak-ng may end with a stray event for a word that was there before.
        if place is not None and (not words or place > words[-1][0]):
            words.append((place, round(at_s, 3)))
    phonemes = [(name, round(at_s, 3)) for name, at_s in said.phonemes]
    utterance = Utterance(language, sentence.written, first, len(said.sound), words, phonemes)
    return utterance, said.sound


class Bank:
    """The speech of a folder, to draw from."""

    def __init__(self, folder: Path) -> None:
        """Read what is said; the sound stays on disk.

        Raises:
            FileNotFoundError: there is no bank in the folder.
        """
        parts = sorted(folder.glob("*.jsonl"))
        if not parts:
            raise FileNotFoundError(f"no speech in {folder}: expected .jsonl files with their .pcm")
        self._sounds = [np.memmap(path.with_suffix(".pcm"), np.dtype("<i2"), "r") for path in parts]
        self._places = [(part, one) for part, path in enumerate(parts) for one in _read(path)]
        self._by_language: dict[str, list[int]] = {}
        for number, (_, utterance) in enumerate(self._places):
            self._by_language.setdefault(utterance.language, []).append(number)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> Utterance:
        return self._places[number][1]

    def sound(self, number: int) -> Sound:
        """Of an utterance: ``float32[n]``, mono, 8 kHz."""
        part, utterance = self._places[number]
        samples = self._sounds[part][utterance.first : utterance.first + utterance.samples]
        return samples.astype(np.float32) / np.float32(32_768)

    def any(self, chance: random.Random, language: str | None = None) -> int:
        """The number of some utterance, of this language or of any."""
        return chance.randrange(len(self)) if language is None else chance.choice(self._by_language[language])

    def phoneme_names(self) -> list[str]:
        """Every phoneme that is said, as ``language/mnemonic``."""
        return sorted({f"{one.language}/{name}" for _, one in self._places for name, _ in one.phonemes})


def _read(path: Path) -> Iterator[Utterance]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Utterance(**json.loads(line))
