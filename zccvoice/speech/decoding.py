"""Encoded windows → transcripts: prompts, tokens, and when each word was spoken.

faster-whisper's own pieces do what concerns Whisper's tokens; what it does one window at a time is done here for
as many as there are.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.speech.features import FRAMES_PER_S
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Evidence, Transcript, Word

TOKENS_PER_S = 15
"""More than anybody says, whatever the script: a decoder that goes round in circles is stopped there."""
_FREE_TOKENS = 16
"""Any window may have some, however short."""
_ALIGNED_TOKENS = 5
"""What the search for words puts around a text: three that begin it, one for no timestamps, the end mark."""
FIRST_TIMESTAMP = 50
"""The text begins within the first second, in steps of 20 ms; OpenAI's value."""
LONGEST_WORD = 2.0
"""In medians of the utterance's words: the attention has a word after a pause begin with the pause."""
DRAWN = 5
"""Texts drawn at a temperature; the likeliest counts, as faster-whisper's ``best_of`` does."""
_BEFORE = "\"'“¿([{-"
_AFTER = "\"'.。,，!！?？:：”)]}、"


class Decoding:
    """What one model makes of sound that it has encoded; safe in several threads at once."""

    def __init__(self, model: Any, name: str) -> None:
        """Around a loaded `faster_whisper.WhisperModel`, whose transcripts are to bear `name`."""
        self._model = model
        self._name = name
        self._tokenizer = functools.cache(self._new_tokenizer)

    def _new_tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        model = self._model
        return Tokenizer(model.hf_tokenizer, model.model.is_multilingual, "transcribe", language)

    def prompt(self, item: RecognizerItem) -> list[int]:
        """Tokens that the decoder starts from: what was said before, and the language."""
        tokenizer = self._tokenizer(item.language)
        before = tokenizer.encode(" " + item.prompt.strip()) if item.prompt else []
        tokens: list[int] = self._model.get_prompt(tokenizer, before, hotwords=item.hotwords)
        return tokens

    def prompt_token_count(self, prompt: str, hotwords: str) -> int:
        """How much of the decoder's text a prompt and hotwords take."""
        tokenizer = self._tokenizer("en")  # the language makes no difference to text
        return sum(len(tokenizer.encode(" " + text.strip())) for text in (prompt, hotwords) if text.strip())

    def decode(
        self,
        items: Sequence[RecognizerItem],
        encoded: Any,
        window_s: float,
        beam_size: int,
        temperature: float,
    ) -> list[Transcript]:
        """Transcribe items whose prompts are equally long.

        Args:
            items: what was encoded, in order.
            encoded: the encoder's output for their windows.
            window_s: length of these.
            beam_size: of the search, at temperature 0.
            temperature: above 0, tokens are drawn.
        """
        results = self.generate(items, encoded, window_s, beam_size, temperature)
        tokens = [result.sequences_ids[0] for result in results]
        words = self._words(items, tokens, encoded, window_s)
        return [
            self._transcript(*one, window_s, temperature)
            for one in zip(items, results, tokens, words, strict=True)
        ]

    def generate(
        self,
        items: Sequence[RecognizerItem],
        encoded: Any,
        window_s: float,
        beam_size: int,
        temperature: float,
    ) -> list[Any]:
        """What the decoder writes for each, as `ctranslate2.models.WhisperGenerationResult`; see `decode`."""
        from faster_whisper.transcribe import get_suppressed_tokens

        prompts = [self.prompt(item) for item in items]
        search: dict[str, Any] = {"beam_size": beam_size, "patience": 1}
        if temperature > 0:
            search = {"beam_size": 1, "num_hypotheses": DRAWN, "sampling_topk": 0}
            search["sampling_temperature"] = temperature
        most = self._most_tokens(len(prompts[0]), window_s)
        results: list[Any] = self._model.model.generate(
            encoded,
            prompts,
            # CTranslate2 writes no more than half of it, nor than what the prompt leaves of it.
            max_length=max(2 * most, most + len(prompts[0]) - 1),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(self._tokenizer(items[0].language), [-1]),
            max_initial_timestamp_index=FIRST_TIMESTAMP,
            **search,
        )
        return results

    def _most_tokens(self, prompt_length: int, window_s: float) -> int:
        """How many a text may have. It goes by the window, not by the sound: the same alone and in a batch."""
        room: int = self._model.max_length - max(prompt_length, _ALIGNED_TOKENS)
        return min(room, _FREE_TOKENS + round(TOKENS_PER_S * window_s))

    def _words(
        self, items: Sequence[RecognizerItem], tokens: Sequence[list[int]], encoded: Any, window_s: float
    ) -> list[tuple[Word, ...]]:
        """Of each item. Words are found for one language at a time: the alignment takes one prompt for all."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, item in enumerate(items):
            places[item.language].append(place)
        found: dict[int, tuple[Word, ...]] = {}
        for language, of_language in places.items():
            tokenizer = self._tokenizer(language)
            spoken = [place for place in of_language if any(one < tokenizer.eot for one in tokens[place])]
            if not spoken:
                continue
            aligned = self._model.find_alignment(
                tokenizer,
                [[one for one in tokens[place] if one < tokenizer.eot] for place in spoken],
                _rows(encoded, spoken, len(items)),
                [_frames(items[place], window_s) for place in spoken],
            )
            found |= {place: _read(items[place], one) for place, one in zip(spoken, aligned, strict=True)}
        return [found.get(place, ()) for place in range(len(items))]

    def _transcript(
        self,
        item: RecognizerItem,
        result: Any,
        tokens: list[int],
        words: tuple[Word, ...],
        window_s: float,
        temperature: float,
    ) -> Transcript:
        from faster_whisper.transcribe import get_compression_ratio

        text = self._text(tokens, item.language)
        most = self._most_tokens(len(self.prompt(item)), window_s)
        average = result.scores[0] * len(tokens) / (len(tokens) + 1)
        return Transcript(
            text=text,
            words=words if text else (),
            language=item.language,
            confidence=math.exp(min(0.0, average)) if text else 0.0,
            model=self._name,
            evidence=Evidence(
                average_log_probability=average,
                no_speech_probability=result.no_speech_prob,
                token_count=len(tokens),
                compression_ratio=get_compression_ratio(text) if text else 0.0,
                temperature=temperature,
                window_s=window_s,
                is_cut=len(tokens) >= most,
            ),
        )

    def _text(self, tokens: list[int], language: str) -> str:
        """Without timestamps; what stands between two of them is a sentence of its own."""
        tokenizer = self._tokenizer(language)
        runs = groupby(tokens, key=lambda token: token < tokenizer.eot)
        sentences = (tokenizer.decode(list(run)).strip() for is_text, run in runs if is_text)
        return " ".join(sentence for sentence in sentences if sentence)


def _rows(encoded: Any, places: list[int], count: int) -> Any:
    """Some of the windows of a batch."""
    if len(places) == count:
        return encoded
    from faster_whisper.transcribe import get_ctranslate2_storage

    return get_ctranslate2_storage(np.asarray(encoded)[places])


def _frames(item: RecognizerItem, window_s: float) -> int:
    sound_s = len(item.utterance.samples) / SAMPLE_RATE_HZ
    return round(min(sound_s, window_s) * FRAMES_PER_S)


def _read(item: RecognizerItem, aligned: list[dict[str, Any]]) -> tuple[Word, ...]:
    from faster_whisper.transcribe import merge_punctuations

    utterance = item.utterance

    def within_speech(seconds: float) -> int:
        # Whisper lets the first word begin and the last one end with the window; the detector knows better.
        return min(max(0, round(seconds * 1000) - utterance.lead_ms), utterance.duration_ms)

    merge_punctuations(aligned, _BEFORE, _AFTER)
    spoken = [one for one in aligned if one["word"].strip()]
    longest = LONGEST_WORD * min(0.7, float(np.median([one["end"] - one["start"] for one in spoken] or [0])))
    return tuple(
        Word(
            text=one["word"].strip(),
            start_ms=within_speech(max(one["start"], one["end"] - longest) if longest else one["start"]),
            end_ms=within_speech(one["end"]),
            probability=float(one["probability"]),
        )
        for one in spoken
    )
