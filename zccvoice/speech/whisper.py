"""`Recognizer` on CTranslate2: one set of weights for all calls, utterances of many of them in one pass.

faster-whisper loads the weights, writes prompts and finds words in the attention; the decoding
is CTranslate2's own ``generate``, because it alone takes a prompt, and so a language, for each item. Items that
get the same window and as long a prompt are decoded together, which gives each what it would get by itself. In
windows of 30 s that is what faster-whisper's ``transcribe`` finds in its first pass.

Nothing is carried over from one utterance to the next (``condition_on_previous_text`` is what amplifies loops).
CTranslate2 gives up the GIL while it computes; one thread per worker uses several cores better than several
threads in one worker. On AMD with AVX-512 the environment variable ``CT2_FORCE_CPU_ISA=AVX512``, set before the
start, saves a fifth.

Source: faster-whisper 1.2 `WhisperModel.generate_segments`; CTranslate2 4.8 `models.Whisper`.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.audio.quality import level_dbfs
from zccvoice.config import SpeechConfig
from zccvoice.config.speech import MOST_PROMPT_TOKENS
from zccvoice.errors import ConfigError, RecognizerError
from zccvoice.speech.decoding import Decoding
from zccvoice.speech.features import FRAMES_PER_S, Features, MelBank, log_mel
from zccvoice.speech.packing import transcribe_packed
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.speech.window import LONGEST_S, Windows, windows_for

DEMO_MODEL = "demo"
QUIETEST_DBFS = -60.0
"""Below this level there is nothing to hear, and Whisper would make something up."""
_BEGIN_OF_PATHS = ("/", ".", "~")
"""No name of weights begins so."""


def weights_location(model: str) -> str:
    """What faster-whisper is to load for ``speech.model``: our demo folder, a folder, or a name of its table."""
    if model != DEMO_MODEL:
        return model
    package = Path(__file__).resolve().parent.parent
    for folder in (package.parent / "models" / "demo", package / "models" / "demo"):
        if (folder / "model.bin").is_file():
            return str(folder)
    raise RecognizerError("the demo weights are missing: models/demo/model.bin")


class WhisperRecognizer:
    """One loaded Whisper model."""

    def __init__(self, settings: SpeechConfig) -> None:
        """Load the weights; takes a moment.

        Raises:
            RecognizerError: they are not there, cannot be fetched, or are no Whisper model.
            ConfigError: a prompt has too many tokens.
        """
        self.name = settings.model if settings.model == DEMO_MODEL else Path(settings.model).name
        self._windows = windows_for(settings.windows, any_length=settings.model == DEMO_MODEL)
        self._beam_size = settings.beam_size
        location = weights_location(settings.model)
        if (
            location.startswith(_BEGIN_OF_PATHS) and not Path(location).is_dir()
        ):  # the hub would call it a bad name
            raise RecognizerError(f"speech.model: cannot load {settings.model!r}: there is no such folder")
        try:
            self._model = _load(location, settings)
        except Exception as error:  # faster-whisper, CTranslate2 and the hub raise many kinds
            raise RecognizerError(
                f"speech.model: cannot load {settings.model!r}: {type(error).__name__}: {error}"
            ) from error
        self._mel = MelBank.of(self._model.feature_extractor.mel_filters)
        self._decoding = Decoding(self._model, self.name)
        self._require_short_prompts(settings)
        devices = len(settings.device_index) if self._model.model.device == "cuda" else 1
        self._concurrency = devices * _workers(settings)

    def _require_short_prompts(self, settings: SpeechConfig) -> None:
        prompts = {f"speech.prompts.{name}": one for name, one in settings.prompts.items()}
        counts = {
            where: self._decoding.prompt_token_count(one.text, one.all_hotwords)
            for where, one in {"speech.prompt": settings.prompt, **prompts}.items()
        }
        problems = [
            f"{where}: expected at most {MOST_PROMPT_TOKENS} tokens of {self.name}, got {count}"
            for where, count in counts.items()
            if count > MOST_PROMPT_TOKENS
        ]
        if problems:
            raise ConfigError(problems)

    @property
    def concurrency(self) -> int:
        """Workers of the model, on all devices."""
        return self._concurrency

    @property
    def hardware(self) -> str:
        """What it computes on, and with which numbers: ``cpu, int8_float32``."""
        return f"{self._model.model.device}, {self._model.model.compute_type}"

    @property
    def windows(self) -> Windows:
        """See `Recognizer`."""
        return self._windows

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language that the weights know, Whisper codes."""
        from faster_whisper.tokenizer import _LANGUAGE_CODES

        return tuple(one for one in _LANGUAGE_CODES if self._knows(one))

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
        try:
            return self._detect(utterances, among)
        except Exception as error:  # as below
            raise RecognizerError(f"{type(error).__name__} in detecting a language: {error}") from error

    def _detect(self, utterances: Sequence[Utterance], among: Sequence[str]) -> list[dict[str, float]]:
        """Those that get the same window go through the encoder together."""
        by_window: defaultdict[float, list[int]] = defaultdict(list)
        for place, one in enumerate(utterances):
            by_window[self._windows.size_s(_sound_s(one))].append(place)
        found: dict[int, dict[str, float]] = {}
        for window_s, places in by_window.items():
            encoded = self._encode([utterances[place] for place in places], window_s)
            told = self._model.model.detect_language(encoded)
            found |= {place: _among(dict(one), among) for place, one in zip(places, told, strict=True)}
        return [found[place] for place in range(len(utterances))]

    def transcribe(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
        """See `Recognizer`. But for items that share a window it does not depend on what else is transcribed."""
        return transcribe_packed(items, self._transcribe_each)

    def _transcribe_each(self, items: Sequence[RecognizerItem]) -> list[Transcript | RecognizerError]:
        """A window depends on its item alone."""
        alike: defaultdict[tuple[float, int], list[int]] = defaultdict(list)
        found: dict[int, Transcript | RecognizerError] = {}
        for place, item in enumerate(items):
            if level_dbfs(item.utterance.samples) < QUIETEST_DBFS:
                found[place] = self._silent(item)
            else:
                window_s = self._windows.size_s(_sound_s(item.utterance))
                alike[window_s, len(self._decoding.prompt(item))].append(place)
        for (window_s, _), places in alike.items():
            found |= zip(places, self._together([items[place] for place in places], window_s), strict=True)
        return [found[place] for place in range(len(items))]

    def transcribe_at(self, item: RecognizerItem, temperature: float) -> Transcript:
        """Transcribe one in a full window; above 0 the temperature has the decoder draw what it writes.

        Raises:
            RecognizerError: the recognizer failed on it.
        """
        if level_dbfs(item.utterance.samples) < QUIETEST_DBFS:
            return self._silent(item)
        (found,) = self._together([item], LONGEST_S, temperature)
        if isinstance(found, RecognizerError):
            raise found
        return found

    def _silent(self, item: RecognizerItem) -> Transcript:
        return Transcript("", (), item.language, None, self.name)

    def _together(
        self, items: list[RecognizerItem], window_s: float, temperature: float = 0.0
    ) -> list[Transcript | RecognizerError]:
        try:
            encoded = self._encode([item.utterance for item in items], window_s)
            return [*self._decoding.decode(items, encoded, window_s, self._beam_size, temperature)]
        except Exception as error:  # the edge of one utterance: whatever the libraries raise, the calls go on
            if len(items) > 1:  # one of them is to blame; it is to cost no other
                return [one for item in items for one in self._together([item], window_s, temperature)]
            samples = len(items[0].utterance.samples)
            return [RecognizerError(f"{type(error).__name__} on {samples} samples: {error}")]

    def _encode(self, utterances: Sequence[Utterance], window_s: float) -> Any:
        from faster_whisper.transcribe import get_ctranslate2_storage

        features = np.stack([self._features(one, window_s) for one in utterances])
        # Several GPUs share the work, and the one that decodes need not be the one that encoded.
        return self._model.model.encode(
            get_ctranslate2_storage(features), to_cpu=self._model.model.device == "cuda"
        )

    def _features(self, utterance: Utterance, window_s: float) -> Features:
        return log_mel(utterance.samples, self._mel, round(window_s * FRAMES_PER_S))


def _among(by_token: Mapping[str, float], among: Sequence[str]) -> dict[str, float]:
    likely = {language: by_token.get(f"<|{language}|>", 0.0) for language in among}
    total = sum(likely.values())
    # With no evidence for any of them each is as likely as the others, which counts for none of them.
    return {one: likely[one] / total if total else 1 / len(among) for one in among}


def _load(location: str, settings: SpeechConfig) -> Any:
    import ctranslate2
    import faster_whisper  # a quarter of a second; commands that recognize nothing do not pay it

    on_gpu = settings.device != "cpu" and ctranslate2.get_cuda_device_count() > 0
    usual = "float16" if on_gpu else "int8"
    return faster_whisper.WhisperModel(
        location,
        device=settings.device,
        device_index=settings.device_index if on_gpu else 0,
        compute_type=usual if settings.compute_type == "default" else settings.compute_type,
        cpu_threads=1,
        num_workers=_workers(settings),
    )


def _workers(settings: SpeechConfig) -> int:
    return settings.workers or (os.cpu_count() or 1)


def _sound_s(utterance: Utterance) -> float:
    return len(utterance.samples) / SAMPLE_RATE_HZ
