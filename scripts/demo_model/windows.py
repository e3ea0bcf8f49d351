"""Windows to train on: one or several utterances on a line, the tokens to write, and what is known of each.

Three lengths: a few utterances' own, which cost least; 15 s; and 30 s, as faster-whisper has them. One window in
eight has nobody speaking, one in eight a text before it, half have timestamps.
"""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from demo_model.bank import Bank, Utterance
from demo_model.line import MODEL_RATE_HZ, RATE_HZ, Sound, resample, through_line
from demo_model.sentences import LANGUAGES
from demo_model.tokenizer import TIMESTAMP_S
from demo_model.wordless import wordless_sound
from zccvoice.speech.features import FRAMES_PER_S, WINDOW, Features, MelBank, log_mel

IGNORED = -100
"""In targets: whatever the net says here is right."""
MELS = 80
MIDDLE_FRAMES, LONGEST_FRAMES = 1_500, 3_000
WORDLESS_RATIO, PROMPTED_RATIO, TIMED_RATIO, PACKED_RATIO = 0.12, 0.12, 0.5, 0.5
LENGTHS = ("own", "middle", "longest")
LENGTH_SHARES = (84, 8, 8)
_SAMPLES_PER_FRAME = RATE_HZ // FRAMES_PER_S
_PLACES_PER_S = FRAMES_PER_S // 2
"""Of the encoder's output."""
_ROOM_FRAMES = 80
"""Around an utterance, about."""
_STRETCH = 0.07

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """An utterance in a window."""

    utterance: Utterance
    start_s: float
    end_s: float
    speed: float
    """That it is played at."""

    def at_s(self, second: float) -> float:
        """When what the utterance has at this second is heard."""
        return self.start_s + second / self.speed


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of a line."""

    sound: Sound
    """``float32[n]``, mono, 8 kHz."""
    placed: list[Placed]
    """Nothing where nobody speaks."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """What the decoder is given, and what it is to say next."""

    given: list[int]
    wanted: list[int]
    spoken: list[tuple[int, float, float]]
    """A place in `wanted`, and from when to when the word is heard that it belongs to."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Windows of one length."""

    features: Features
    """``float32[batch, 80, frames]``"""
    given: Integers
    wanted: Integers
    """``int64[batch, tokens]``, the latter `IGNORED` where nothing is wanted."""
    phonemes: Integers
    """``int64[batch, frames / 2]``: 0 is none; `IGNORED` behind the sound."""
    spoken: npt.NDArray[np.bool_]
    """``bool[batch, tokens, frames / 2]``: while the word of the token is heard; nowhere for tokens of no word."""
    cpu_s: float
    """That it took to make."""

    @property
    def seconds(self) -> float:
        """Of sound, padding included."""
        return len(self.features) * int(self.features.shape[2]) / FRAMES_PER_S


class Windows:
    """Makes batches from a bank; the same ones from the same seed."""

    def __init__(self, bank: Bank, tokenizer: Any, mel: MelBank, seed: int) -> None:
        self._bank, self._tokenizer, self._mel = bank, tokenizer, mel
        self._chance = random.Random(seed)  # noqa: S311
        self._noise = np.random.default_rng(seed)
        names = ["", *bank.phoneme_names()]
        self._phonemes = {name: number for number, name in enumerate(names)}
        self._zero = self._token("<|0.00|>")

    def batch(self, frames: int, *, own_length_only: bool) -> Batch:
        """About so many frames of windows; `own_length_only`: none longer than what is said in it."""
        started = time.process_time()
        length = "own" if own_length_only else self._chance.choices(LENGTHS, LENGTH_SHARES)[0]
        if length == "own":
            windows = self._alike(frames)
            longest = max(len(window.sound) for window in windows) // _SAMPLES_PER_FRAME + 2
            window_frames = longest + self._chance.choice([0, 0, 30, 100])
            window_frames += window_frames % 2
        else:
            window_frames = MIDDLE_FRAMES if length == "middle" else LONGEST_FRAMES
            count = max(3, frames // window_frames)
            windows = [
                self._window(window_frames, self._chance.random() < PACKED_RATIO) for _ in range(count)
            ]
        return self._batch(windows, window_frames, started)

    def _alike(self, frames: int) -> list[Window]:
        """Windows of about one length, so that little is padding."""
        length = {number: self._bank[number].samples // _SAMPLES_PER_FRAME for number in self._some(frames)}
        drawn = sorted(length, key=length.__getitem__)
        taken: list[int] = []
        for number in drawn[self._chance.randrange(len(drawn) * 3 // 4 or 1) :]:
            if taken and (len(taken) + 1) * (length[number] + _ROOM_FRAMES) > frames:
                break
            taken.append(number)
        return [self._window(MIDDLE_FRAMES, False, number) for number in taken]

    def _some(self, frames: int) -> list[int]:
        """Utterances of several batches."""
        return [self._bank.any(self._chance) for _ in range(max(16, frames // 100))]

    def _window(self, frames: int, is_packed: bool, first: int | None = None) -> Window:
        chance, room = self._chance, frames * _SAMPLES_PER_FRAME
        number = self._bank.any(chance) if first is None else first
        language = self._bank[number].language
        if chance.random() < WORDLESS_RATIO:
            length = min(room, max(4_000, self._bank[number].samples + chance.randint(0, 8_000)))
            return Window(wordless_sound(length, self._noise, self._bank.sound(number)), [])
        sound, placed, at = np.zeros(room, np.float32), list[Placed](), chance.randint(0, 2_400)
        while True:
            speed = chance.uniform(1 - _STRETCH, 1 + _STRETCH)
            spoken = _stretched(self._bank.sound(number), speed)
            if placed and at + len(spoken) > room:
                break
            end = min(room, at + len(spoken))
            sound[at:end] += spoken[: end - at] * np.float32(10 ** chance.uniform(-0.15, 0.15))
            placed.append(Placed(self._bank[number], at / RATE_HZ, end / RATE_HZ, speed))
            if not is_packed or chance.random() < 0.12:
                break
            at = end + chance.randint(800, 12_000)
            number = self._bank.any(chance, language)
        end = min(room, round(placed[-1].end_s * RATE_HZ) + chance.randint(0, 4_800))
        return Window(sound[:end], placed)

    def _batch(self, windows: list[Window], frames: int, started: float) -> Batch:
        features = np.zeros((len(windows), MELS, frames), np.float32)
        places = frames // 2
        phonemes = np.zeros((len(windows), places), np.int64)
        tokens = [self._tokens(window.placed) for window in windows]
        width = max(len(one.given) for one in tokens)
        given = np.full((len(windows), width), self._token("<|endoftext|>"))
        wanted = np.full((len(windows), width), IGNORED)
        spoken = np.zeros((len(windows), width, places), np.bool_)
        for row, (window, one) in enumerate(zip(windows, tokens, strict=True)):
            features[row], heard_frames = self._features(window, frames)
            given[row, : len(one.given)], wanted[row, : len(one.wanted)] = one.given, one.wanted
            for place, from_s, to_s in one.spoken:
                spoken[row, place, int(from_s * _PLACES_PER_S) : int(to_s * _PLACES_PER_S) + 1] = True
            self._tell_phonemes(phonemes[row], window.placed)
            phonemes[row, heard_frames // 2 + 1 :] = IGNORED
        return Batch(features, given, wanted, phonemes, spoken, time.process_time() - started)

    def _features(self, window: Window, frames: int) -> tuple[Features, int]:
        """Of the window on some line, and how many frames have sound: either quiet follows, or zeros."""
        sound = window.sound
        if self._chance.random() < 0.3:
            sound = np.pad(sound, (0, max(0, frames * _SAMPLES_PER_FRAME - len(sound))))
        if window.placed:
            sound = through_line(sound, self._noise)
        up = resample(sound, RATE_HZ, MODEL_RATE_HZ)
        found = log_mel(np.rint(up * 32_767).clip(-32_768, 32_767).astype(np.int16), self._mel, frames)
        heard = min(frames, len(sound) // _SAMPLES_PER_FRAME)
        if self._chance.random() < 0.25:
            band = self._chance.randrange(68)
            found[band : band + self._chance.randint(2, 12), :heard] = found[:, :heard].mean()
        return found, heard

    def _tell_phonemes(self, row: Integers, placed: list[Placed]) -> None:
        for one in placed:
            names, times = zip(*one.utterance.phonemes, strict=True)
            for name, from_s, to_s in zip(names, times, (*times[1:], None), strict=True):
                start, end = one.at_s(from_s), one.end_s if to_s is None else one.at_s(to_s)
                number = self._phonemes[f"{one.utterance.language}/{name}"]
                row[int(start * _PLACES_PER_S) : int(end * _PLACES_PER_S)] = number

    def _tokens(self, placed: list[Placed]) -> Tokens:
        language = placed[0].utterance.language if placed else self._chance.choice(LANGUAGES)
        is_timed = self._chance.random() < TIMED_RATIO
        line = [self._token(f"<|{name}|>") for name in ("startoftranscript", language, "transcribe")]
        if not is_timed:
            line.append(self._token("<|notimestamps|>"))
        start = len(line)
        spoken: list[tuple[int, float, float]] = []
        if placed:
            for one in placed:
                self._write(one, line, spoken, is_timed=is_timed)
        elif is_timed:
            line.append(self._zero)
        line.append(self._token("<|endoftext|>"))
        wanted = [IGNORED] * (start - 1) + line[start:]
        wanted[0] = line[1] if placed else self._token("<|nospeech|>")
        before = self._text_before(language)
        return Tokens(
            before + line[:-1],
            [IGNORED] * len(before) + wanted,
            [(len(before) + place, from_s, to_s) for place, from_s, to_s in spoken],
        )

    def _text_before(self, language: str) -> list[int]:
        if self._chance.random() >= PROMPTED_RATIO:
            return []
        other = self._bank[self._bank.any(self._chance, language)]
        return [self._token("<|startofprev|>"), *self._encoded(other.text).ids]

    def _write(
        self, one: Placed, line: list[int], spoken: list[tuple[int, float, float]], *, is_timed: bool
    ) -> None:
        """Append an utterance's tokens, and tell when the word of each is heard."""
        words = one.utterance.words
        positions = [position for position, _ in words]
        times = [one.at_s(at_s) for _, at_s in words] + [one.end_s]
        if is_timed:
            line.append(self._stamp(one.start_s))
        encoded = self._encoded(one.utterance.text)
        for token, (_, end) in zip(encoded.ids, encoded.offsets, strict=True):
            # Offsets count the space in front and end behind the last letter.
            word = max(0, bisect_right(positions, end - 2) - 1)
            if words:
                spoken.append((len(line) - 1, times[word], times[word + 1]))
            line.append(token)
        if is_timed:
            line.append(self._stamp(one.end_s))

    def _encoded(self, text: str) -> Any:
        return self._tokenizer.encode(f" {text}", add_special_tokens=False)

    def _stamp(self, second: float) -> int:
        return self._zero + round(second / TIMESTAMP_S)

    def _token(self, content: str) -> int:
        number: int = self._tokenizer.token_to_id(content)
        return number


def _stretched(sound: Sound, speed: float) -> Sound:
    places = np.arange(0, len(sound) - 1, speed)
    return np.asarray(np.interp(places, np.arange(len(sound)), sound), np.float32)


def mel_bank() -> MelBank:
    """The filters that faster-whisper has for weights of 80 mel bands."""
    from faster_whisper.feature_extractor import FeatureExtractor

    filters: Any = FeatureExtractor.get_mel_filters(MODEL_RATE_HZ, WINDOW, MELS)
    return MelBank.of(filters.astype(np.float32))
