"""What the transcripts tell without understanding them: words, talk speed, questions, fillers.

Each function takes the utterances of one side. Without any transcript of a side that spoke its words are not
known (None); a side that did not speak said no words (0). How many words there are is not known either (None) as
soon as one of the transcripts is written without spaces: a sum without its words would be none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from zccvoice.analytics.record import Span, SpokenUtterance
from zccvoice.analytics.remembered import remembered
from zccvoice.analytics.spans import intersection, joined, total_ms, union
from zccvoice.analytics.thresholds import Thresholds

FILLERS: dict[str, tuple[str, ...]] = {
    "en": (
        *("uh", "uhh", "uhm", "um", "umm", "er", "erm", "hm", "hmm", "mm", "mmm"),
        *("you know", "i mean", "sort of", "kind of", "basically"),
    ),
    "es": (
        *("eh", "ehh", "ehm", "em", "mm", "mmm", "hm", "hmm"),
        *("o sea", "pues", "digamos", "es decir", "básicamente"),
    ),
    "de": (
        *("äh", "ähh", "ähm", "eh", "ehm", "öh", "öhm", "hm", "hmm", "mm", "mmm"),
        *("sozusagen", "quasi", "irgendwie", "sag ich mal", "sagen wir mal"),
    ),
}
"""Filler words by Whisper language code: sounds of hesitation, and phrases that seldom carry meaning."""

_QUESTION = re.compile(r"""[?؟][?!؟]*(?=["'»”’)\]]*(?:\s|$))|？[？！]*""")


def _is_transcribed(utterances: Sequence[SpokenUtterance]) -> bool:
    return not utterances or any(utterance.text is not None for utterance in utterances)


def words_count(utterances: Sequence[SpokenUtterance]) -> int | None:
    """Words of the kept transcripts; None when the side spoke and there is none, or not all can be counted."""
    if not _is_transcribed(utterances) or any(one.has_uncounted_words for one in utterances):
        return None
    return sum(utterance.word_count or 0 for utterance in utterances)


def talk_speed_wpm(
    utterances: Sequence[SpokenUtterance], thresholds: Thresholds, within: Span | None = None
) -> float | None:
    """Words per minute of the side's own speech; None below ``talk_speed_min_words`` or uncounted.

    Speech without a transcript counts neither as words nor as time. With `within`, only that part of the
    call: of an utterance that reaches over its edge, the same share of the words as of the time.
    """
    transcribed, speech = _transcribed(utterances, thresholds)
    shared = [(one, 1.0 if within is None else _share(one, within)) for one in transcribed]
    if any(share and one.has_uncounted_words for one, share in shared):
        return None
    words = sum((one.word_count or 0) * share for one, share in shared)
    if within is not None:
        speech = intersection(speech, [within])
    return words / (total_ms(speech) / 60_000) if words >= thresholds.talk_speed_min_words else None


def talk_speed_change_ratio(
    utterances: Sequence[SpokenUtterance], call: Span, thresholds: Thresholds
) -> float | None:
    """Talk speed in the last third of the call ÷ that in the first; None when either is.

    Args:
        utterances: of one side.
        call: from the first moment of the call to its last.
        thresholds: ``talk_speed_min_words`` holds for each third.
    """
    third_ms = call.length_ms // 3
    first = talk_speed_wpm(utterances, thresholds, Span(call.start_ms, call.start_ms + third_ms))
    last = talk_speed_wpm(utterances, thresholds, Span(call.end_ms - third_ms, call.end_ms))
    return last / first if first and last else None


@remembered
def _transcribed(
    utterances: Sequence[SpokenUtterance], thresholds: Thresholds
) -> tuple[list[SpokenUtterance], list[Span]]:
    found = [one for one in utterances if one.text is not None and one.end_ms > one.start_ms]
    by_channel: defaultdict[str, list[Span]] = defaultdict(list)
    for one in found:
        by_channel[one.channel_id].append(Span(one.start_ms, one.end_ms))
    below_ms = max(1, thresholds.join_below_ms)
    return found, union(span for spans in by_channel.values() for span in joined(spans, below_ms))


def _share(utterance: SpokenUtterance, within: Span) -> float:
    inside_ms = min(utterance.end_ms, within.end_ms) - max(utterance.start_ms, within.start_ms)
    return max(0, inside_ms) / (utterance.end_ms - utterance.start_ms)


def questions_count(utterances: Sequence[SpokenUtterance]) -> int | None:
    """Sentences that end in a question mark; None as for `words_count`."""
    if not _is_transcribed(utterances):
        return None
    return len(_QUESTION.findall(_together(utterances)))


def fillers_count(utterances: Sequence[SpokenUtterance], language: str | None) -> int | None:
    """Entries of the filler list of the language that was spoken, whole words.

    None when the side spoke and there is no transcript, or no list for one of its languages.

    Args:
        utterances: of one side.
        language: of those that tell none.
    """
    if not _is_transcribed(utterances):
        return None
    by_language: defaultdict[str, list[SpokenUtterance]] = defaultdict(list)
    for one in utterances:
        if one.text:
            by_language[one.language or language or ""].append(one)
    if any(spoken not in FILLERS for spoken in by_language or [language]):
        return None
    return sum(len(_fillers(spoken).findall(_together(own).lower())) for spoken, own in by_language.items())


def _together(utterances: Sequence[SpokenUtterance]) -> str:
    """All texts as one, for one search is faster than many; what stands between parts words and sentences."""
    return "\n|\n".join(["", *(one.text for one in utterances if one.text)])


@cache
def _fillers(language: str) -> re.Pattern[str]:
    entries = sorted(FILLERS[language], key=len, reverse=True)
    choices = "|".join(r"\s+".join(map(re.escape, entry.split())) for entry in entries)
    # A hyphen joins: the first half of "uh-huh" and "mm-hmm" is no filler. That each begins with a character that
    # is no part of a word lets the search skip words; it is there, before the first text too.
    return re.compile(rf"[^\w'’-](?:{choices})(?![\w'’-])")


def transcript_confidence(utterances: Sequence[SpokenUtterance]) -> float | None:
    """Mean of the transcripts' confidence weighted by their length in time, 0–1; None without any."""
    rated = [
        (one.confidence, one.end_ms - one.start_ms)
        for one in utterances
        if one.text is not None and one.confidence is not None and one.end_ms > one.start_ms
    ]
    if not rated:
        return None
    return sum(confidence * length_ms for confidence, length_ms in rated) / sum(length for _, length in rated)
