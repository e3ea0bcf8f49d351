"""`Recognizer` on faster-whisper: one set of weights for all calls.

Each utterance is decoded on its own, in a 30 s window, with the language pinned. Nothing is carried over from
one utterance to the next (``condition_on_previous_text`` is what amplifies loops). What is doubtful is for the
`guard` to say, and whether it is decoded again. CTranslate2 gives up the GIL while it computes; one thread per
worker uses several cores better than several threads in one worker.

Source: faster-whisper 1.2 `WhisperModel`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.audio.quality import level_dbfs
from zccvoice.config import SpeechConfig
from zccvoice.errors import RecognizerError
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Evidence, Transcript, Utterance, Word

DEMO_MODEL = "demo"
QUIETEST_DBFS = -60.0
"""Below this level there is nothing to hear, and Whisper would make something up."""


def weights_location(model: str) -> str:
    """What faster-whisper is to load for ``speech.model``: our demo folder, a folder, or a name of its table."""
    if model != DEMO_MODEL:
        return model
    package = Path(__file__).resolve().parent.parent
    for folder in (package.parent / "models" / "demo", package / "models" / "demo"):
        if (folder / "model.bin").is_file():
            return str(folder)
    raise RecognizerError("the demo weights are missing: models/demo/model.bin")


def _most_tokens(item: RecognizerItem, sample_count: int) -> int:
    """A decoder that goes round in circles is stopped: beyond what anybody says, where the guard sees it."""
    room = 210 if item.prompt or item.hotwords else 440
    return min(room, 16 + 15 * sample_count // SAMPLE_RATE_HZ)


class WhisperRecognizer:
    """One loaded Whisper model."""

    def __init__(self, settings: SpeechConfig) -> None:
        """Load the weights; takes a moment.

        Raises:
            RecognizerError: they are not there, cannot be fetched, or are no Whisper model.
        """
        import faster_whisper  # a quarter of a second; commands that recognize nothing do not pay it

        self.name = settings.model if settings.model == DEMO_MODEL else Path(settings.model).name
        self._concurrency = settings.workers or (os.cpu_count() or 1)
        self._beam_size = settings.beam_size
        location = weights_location(settings.model)
        try:
            self._model: Any = faster_whisper.WhisperModel(
                location,
                device=settings.device,
                compute_type=settings.compute_type,
                cpu_threads=1,
                num_workers=self._concurrency,
            )
        except Exception as error:  # faster-whisper, CTranslate2 and the hub raise many kinds
            raise RecognizerError(
                f"speech.model: cannot load {settings.model!r}: {type(error).__name__}: {error}"
            ) from error

    @property
    def concurrency(self) -> int:
        """Workers of the model."""
        return self._concurrency

    def require_languages(self, languages: frozenset[str]) -> None:
        """See `Recognizer`."""
        unknown = sorted(one for one in languages if not self._knows(one))
        if unknown:
            raise RecognizerError(f"language: the weights {self.name!r} do not know {', '.join(unknown)}")

    def _knows(self, language: str) -> bool:
        if not self._model.model.is_multilingual:
            return language == "en"
        return self._model.hf_tokenizer.token_to_id(f"<|{language}|>") is not None

    def detect_language(
        self, utterances: Sequence[Utterance], among: Sequence[str]
    ) -> list[dict[str, float]]:
        """See `Recognizer`."""
        return [self._detect(one, among) for one in utterances]

    def _detect(self, utterance: Utterance, among: Sequence[str]) -> dict[str, float]:
        try:
            _, _, told = self._model.detect_language(utterance.samples.astype(np.float32) / 32_768)
        except Exception as error:  # as below
            raise RecognizerError(f"{type(error).__name__} in detecting a language: {error}") from error
        likely = {language: probability for language, probability in told if language in among}
        total = sum(likely.values())
        return {language: likely.get(language, 0.0) / total for language in among} if total else {}

    def transcribe(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
        """See `Recognizer`."""
        found: list[Transcript | RecognizerError] = []
        for item in items:
            try:
                found.append(self.transcribe_at(item, 0.0))
            except RecognizerError as error:
                found.append(error)
        return found

    def transcribe_at(self, item: RecognizerItem, temperature: float) -> Transcript:
        """Transcribe one in a full window; above 0 the temperature has the decoder draw what it writes.

        Raises:
            RecognizerError: the recognizer failed on it.
        """
        utterance, language = item.utterance, item.language
        if level_dbfs(utterance.samples) < QUIETEST_DBFS:
            return Transcript("", (), language, 0.0, self.name)
        audio = utterance.samples.astype(np.float32) / 32_768
        try:
            segments, _ = self._model.transcribe(
                audio,
                language=language,
                beam_size=self._beam_size,
                temperature=temperature,
                max_new_tokens=_most_tokens(item, len(audio)),
                initial_prompt=item.prompt,
                hotwords=item.hotwords,
                compression_ratio_threshold=None,  # what to believe is the guard's to say
                log_prob_threshold=None,
                no_speech_threshold=None,
                condition_on_previous_text=False,
                word_timestamps=True,
                vad_filter=False,
            )
            return self._read(list(segments), utterance, language)
        except (
            Exception
        ) as error:  # the edge of one utterance: whatever the libraries raise, the call goes on
            raise RecognizerError(f"{type(error).__name__} on {len(audio)} samples: {error}") from error

    def _read(self, segments: list[Any], utterance: Utterance, language: str) -> Transcript:
        def within_speech(seconds: float) -> int:
            # Whisper lets the first word begin and the last one end with the window; the detector knows better.
            return min(max(0, round(seconds * 1000) - utterance.lead_ms), utterance.duration_ms)

        words = tuple(
            Word(
                text=word.word.strip(),
                start_ms=within_speech(word.start),
                end_ms=within_speech(word.end),
                probability=float(word.probability),
            )
            for segment in segments
            for word in segment.words or ()
        )
        length = sum(segment.end - segment.start for segment in segments)
        log_probability: float = sum(
            segment.avg_logprob * (segment.end - segment.start) for segment in segments
        )
        return Transcript(
            text=" ".join(segment.text.strip() for segment in segments).strip(),
            words=words,
            language=language,
            confidence=math.exp(min(0.0, log_probability / length)) if length > 0 else 0.0,
            model=self.name,
            evidence=Evidence(
                average_log_probability=float(log_probability / length) if length > 0 else 0.0,
                no_speech_probability=float(max((one.no_speech_prob for one in segments), default=0.0)),
                token_count=sum(len(one.tokens) for one in segments),
                compression_ratio=float(max((one.compression_ratio for one in segments), default=0.0)),
                temperature=float(max((one.temperature for one in segments), default=0.0)),
                window_s=30.0,
            ),
        )
