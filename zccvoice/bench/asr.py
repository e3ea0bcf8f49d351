"""``zccvoice bench asr``: what recognition costs, beside faster-whisper, and how soon text is there.

A queue of calls: 45 % talk on each side, utterances log-normal around 3 s, each the demo clip next in length. All
paths decode the same utterances in one run, in turns, with one thread, the same beam, languages and word times, so
their ratios hold on a busy machine. Latency comes from playing such calls against the CPU times of our batches.

``random-tiny`` and ``random-base`` are weights of Whisper's exact shapes that know nothing (see `random_weights`):
of these the costs are told, and no words.
"""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zccvoice.audio.frame import SAMPLE_RATE_HZ
from zccvoice.bench import BenchResult, Figure, Wanted, percentile
from zccvoice.bench.asr_queue import TALK_RATIO, Arrival, arrivals, clips, draw
from zccvoice.bench.random_weights import SHAPES, weights_for
from zccvoice.config import SpeechConfig
from zccvoice.errors import RecognizerError
from zccvoice.speech.batch import BatchLimits, BatchQueue
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.whisper import WhisperRecognizer, weights_location
from zccvoice.speech.word_errors import WordErrors, word_errors

UTTERANCES = 64
SLICE = 32
"""Utterances that a path decodes before the next path has its turn; as many wait on a machine that is busy."""
LOAD_RATIO = 0.6
PLAYED_S = 8.0
"""Of calls, for the latency."""
REFERENCE, BATCHED = "faster-whisper", "BatchedInferencePipeline"
LADDER, ANY, FULL = "10,15,20,30", "any", "30"
Decode = Callable[[Sequence[RecognizerItem]], list[str]]


@dataclass(slots=True)
class Spent:
    """What a path took, and what it gave."""

    cpu_s: float = 0.0
    texts: list[str] = field(default_factory=list)


def run(*, model: str = "demo", utterances: int = UTTERANCES) -> BenchResult:
    """Measure; takes a minute or two with the demo weights.

    Args:
        model: ``speech.model``, or ``random-tiny`` or ``random-base``.
        utterances: how many each path decodes.

    Raises:
        RecognizerError: the weights cannot be loaded, or fail.
    """
    with weights_for(model) as weights:
        return _measured(weights, utterances, has_words=model not in SHAPES)


def _measured(model: str, utterances: int, *, has_words: bool) -> BenchResult:
    recognizers = {windows: _recognizer(model, windows) for windows in (ANY, LADDER, FULL)}
    queue = draw(clips(), utterances)
    own_paths = {f"ours, {name}": ours(recognizer) for name, recognizer in recognizers.items()}
    own_paths[f"ours, {ANY}"](queue)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    paths: dict[str, Decode] = {**_reference_paths(model), **own_paths}
    spent = in_turns(paths, queue)
    result = BenchResult("asr")
    audio_s = sum(_sound_s(item) for item in queue)
    for name, one in spent.items():
        result.cases[name] = _case(one, spent[REFERENCE], audio_s, has_words=has_words)
    per_cpu_s = audio_s / spent[f"ours, {ANY}"].cpu_s
    told = lags(recognizers[ANY], arrivals(clips(), LOAD_RATIO * per_cpu_s / (2 * TALK_RATIO), PLAYED_S))
    for percent in (50, 95):
        how = f"end of utterance to text at {LOAD_RATIO:.0%} load, windows {ANY}, one worker, CPU time"
        result.figures[f"latency p{percent}"] = Figure(round(percentile(told, percent), 3), "s", how)
    result.figures["peak memory"] = Figure(
        round(peak_mib), "MiB", f"of the process, after windows {ANY} alone"
    )
    result.wanted = [
        Wanted(f"{ANY} windows, times the per-utterance path", 8, _times(spent, ANY), is_least=True),
        Wanted("10 s ladder, times the per-utterance path", 3, _times(spent, LADDER), is_least=True),
        Wanted("latency p95", 5, result.figures["latency p95"].value),
    ]
    if has_words:
        differ = _errors(spent[f"ours, {FULL}"], spent[REFERENCE]).errors
        result.wanted.append(Wanted("words that differ in equal windows", 0, differ))
    return result


def _recognizer(model: str, windows: str) -> WhisperRecognizer:
    return WhisperRecognizer(SpeechConfig(model=model, windows=windows, workers=1, device="cpu"))


def ours(recognizer: WhisperRecognizer, limits: BatchLimits | None = None) -> Decode:
    """Our way to decode a queue: batches as the daemon takes them. It raises what the recognizer tells."""

    def decode(items: Sequence[RecognizerItem]) -> list[str]:
        waiting = _queue(recognizer, limits)
        for place, item in enumerate(items):
            waiting.put(place, f"call {place}", _sound_s(item), 0.0)
        texts: dict[int, str] = {}
        while batch := waiting.take(0.0):
            found = recognizer.transcribe([items[place] for place in batch.items])
            for place, one in zip(batch.items, found, strict=True):
                if isinstance(one, RecognizerError):
                    raise one
                texts[place] = one.text
        return [texts[place] for place in range(len(items))]

    return decode


def _queue(recognizer: WhisperRecognizer, limits: BatchLimits | None = None) -> BatchQueue[int]:
    settings = SpeechConfig()
    usual = BatchLimits(settings.batch, settings.batch_s, settings.late_after_s)
    return BatchQueue(recognizer.windows, limits or usual)


def _reference_paths(model: str) -> dict[str, Decode]:
    import faster_whisper

    loaded: Any = faster_whisper.WhisperModel(
        weights_location(model), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1
    )
    alike = {"beam_size": SpeechConfig().beam_size, "word_timestamps": True, "without_timestamps": False}

    def each(items: Sequence[RecognizerItem]) -> list[str]:
        return [
            _text(
                loaded.transcribe(
                    _sound(item),
                    language=item.language,
                    temperature=0.0,
                    condition_on_previous_text=False,
                    **alike,
                )[0]
            )
            for item in items
        ]

    def batched(items: Sequence[RecognizerItem]) -> list[str]:
        """It takes one language at a time, and sound in one piece with the places to cut it at."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, item in enumerate(items):
            places[item.language].append(place)
        texts: dict[int, str] = {}
        for language, of_language in places.items():
            sounds = [_sound(items[place]) for place in of_language]
            ends = np.cumsum([len(sound) for sound in sounds]) / SAMPLE_RATE_HZ
            cuts = [{"start": start, "end": end} for start, end in zip([0.0, *ends], ends, strict=False)]
            segments, _ = faster_whisper.BatchedInferencePipeline(loaded).transcribe(
                np.concatenate(sounds),
                language=language,
                batch_size=SpeechConfig().batch,
                clip_timestamps=cuts,
                vad_filter=False,
                **alike,
            )
            spoken: defaultdict[int, list[Any]] = defaultdict(list)
            for segment in segments:
                middle = (segment.start + segment.end) / 2
                spoken[min(int(np.searchsorted(ends, middle)), len(ends) - 1)].append(segment)
            texts |= {place: _text(spoken[i]) for i, place in enumerate(of_language)}
        return [texts[place] for place in range(len(items))]

    return {REFERENCE: each, BATCHED: batched}


def in_turns(paths: dict[str, Decode], queue: Sequence[RecognizerItem]) -> dict[str, Spent]:
    """What each path makes of the queue, and the CPU time that it takes; a slice of it at a time."""
    spent = {name: Spent() for name in paths}
    for begin in range(0, len(queue), SLICE):
        for name, decode in paths.items():
            before = time.process_time()
            spent[name].texts += decode(queue[begin : begin + SLICE])
            spent[name].cpu_s += time.process_time() - before
    return spent


def _case(spent: Spent, reference: Spent, audio_s: float, *, has_words: bool) -> dict[str, float | None]:
    return {
        "audio s / CPU s": round(audio_s / spent.cpu_s, 1),
        "call s / CPU s": round(audio_s / (2 * TALK_RATIO) / spent.cpu_s, 1),
        "times": round(reference.cpu_s / spent.cpu_s, 1),
        "word errors": round(_errors(spent, reference).rate, 4) if has_words else None,
    }


def _errors(spent: Spent, reference: Spent) -> WordErrors:
    pairs = zip(reference.texts, spent.texts, strict=True)
    return sum((word_errors(wanted, got) for wanted, got in pairs), WordErrors(0, 0))


def _times(spent: dict[str, Spent], windows: str) -> float:
    return round(spent[REFERENCE].cpu_s / spent[f"ours, {windows}"].cpu_s, 1)


def lags(recognizer: WhisperRecognizer, coming: Sequence[Arrival]) -> list[float]:
    """Of each utterance, seconds from its end to its text, when one worker spends its CPU time on what waits."""
    waiting = _queue(recognizer)
    now, seen, found = 0.0, 0, list[float]()
    while seen < len(coming) or len(waiting):
        if not len(waiting):
            now = max(now, coming[seen].at_s)
        while seen < len(coming) and coming[seen].at_s <= now:
            waiting.put(seen, coming[seen].call, _sound_s(coming[seen].item), coming[seen].at_s)
            seen += 1
        batch = waiting.take(now)
        assert batch is not None
        before = time.process_time()
        recognizer.transcribe([coming[place].item for place in batch.items])
        now += time.process_time() - before
        found += [now - coming[place].at_s for place in batch.items]
    return found


def _sound_s(item: RecognizerItem) -> float:
    return len(item.utterance.samples) / SAMPLE_RATE_HZ


def _sound(item: RecognizerItem) -> Any:
    return item.utterance.samples.astype(np.float32) / 32_768


def _text(segments: Any) -> str:
    return " ".join(segment.text.strip() for segment in segments).strip()
