"""The measures of one engagement, as one value.

This file says what each measure is (the line under a field is its published definition: the store comments
its columns with it, the reports print it) and gathers them. How they are computed is in `timing`, `turns`,
`wording`, `sound` and `sentiment`.

NULL rule: None means *cannot be known* (no such side, no transcript, too few samples); 0 means *known to be
zero*. With one mixed track no side is known, and only what needs no side is defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zccvoice.analytics import sentiment, sound, timing, turns, wording
from zccvoice.analytics.documented import documented
from zccvoice.analytics.record import CallRecord, Side, Span, SpokenUtterance
from zccvoice.analytics.spans import intersection, longest_ms, subtraction, total_ms
from zccvoice.analytics.thresholds import DEFAULTS, Thresholds


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Every measure of one engagement. Times are integer milliseconds on the engagement's clock."""

    duration_ms: int
    """Time a stream of the engagement was open (union over its streams), ms."""
    conversation_ms: int
    """Open time from the start to the last word spoken, ms; 0 when nobody spoke."""
    talk_time_agent_ms: int | None
    """Union of the agent side's speech spans, ms; overlap counts for both sides."""
    talk_time_customer_ms: int | None
    """Union of the customer side's speech spans, ms; overlap counts for both sides."""
    talk_time_other_ms: int | None
    """Union of the speech spans of supervisors and third parties, ms."""
    talk_time_total_ms: int
    """Sum of the talk times of all sides, ms; may exceed the duration."""
    speech_time_ms: int
    """Time in which at least one side speaks, ms."""
    talk_ratio_agent: float | None
    """Talk time of the agent side divided by the duration, 0–1."""
    talk_share_agent: float | None
    """Talk time of the agent side divided by the total talk time, 0–1."""
    hold_time_ms: int
    """Time on hold, ms."""
    hold_count: int
    """Number of holds."""
    longest_hold_ms: int
    """Longest hold, ms."""
    silence_time_ms: int
    """Stretches of more than 3 s in which no side speaks, ms; hold, pause and gap are cut out first."""
    silence_count: int
    """Number of stretches of more than 3 s in which no side speaks."""
    longest_silence_ms: int
    """Longest stretch of more than 3 s in which no side speaks, ms."""
    dead_air_count: int
    """Number of silences of more than 30 s."""
    non_talk_time_total_ms: int
    """Hold time plus silence time, ms."""
    gap_time_ms: int
    """Audio that should have arrived and did not, summed over the tracks, ms."""
    gap_count: int
    """Number of gaps, over all tracks."""
    coverage_ratio: float | None
    """1 − gap time of all tracks divided by the time they were open, 0–1."""

    overtalk_time_ms: int | None
    """Time in which two sides speak at once, ms; raw, no filter."""
    overtalk_count: int | None
    """Number of stretches in which two sides speak at once; raw, no filter."""
    interruptions_agent_count: int | None
    """How often the agent side began to speak (over 3 words) in the middle of another side's utterance."""
    interruptions_customer_count: int | None
    """How often the customer began to speak (over 3 words) in the middle of another side's utterance."""
    interruptions_agent_time_ms: int | None
    """Overlap of the agent side's interruptions with what they interrupted, ms."""
    interruptions_customer_time_ms: int | None
    """Overlap of the customer's interruptions with what they interrupted, ms."""
    backchannels_agent_count: int | None
    """Listening signals by the agent side: at most 3 words, within or right after another side's turn."""
    backchannels_customer_count: int | None
    """Listening signals by the customer: at most 3 words, within or right after another side's turn."""
    turns_agent_count: int | None
    """Turns of the agent side; a back-channel neither is one nor ends one, a pause of 3 s does."""
    turns_customer_count: int | None
    """Turns of the customer; a back-channel neither is one nor ends one, a pause of 3 s does."""
    speaker_switches_per_min: float | None
    """Changes of side between successive turns, per minute of conversation."""
    response_gap_agent_ms_p50: int | None
    """Median time from the end of another side's turn to the agent side's, ms; no overlaps, NULL below 3."""
    response_gap_agent_ms_p90: int | None
    """90th percentile of the time from the end of another side's turn to the agent side's, ms; NULL below 3."""
    response_gap_customer_ms_p50: int | None
    """Median time from the end of another side's turn to the customer's, ms; no overlaps, NULL below 3."""
    response_gap_customer_ms_p90: int | None
    """90th percentile of the time from the end of another side's turn to the customer's, ms; NULL below 3."""
    longest_monologue_agent_ms: int | None
    """Longest turn of the agent side, first word to last word, ms; back-channels do not end it."""
    longest_monologue_customer_ms: int | None
    """Longest turn of the customer, first word to last word, ms; back-channels do not end it."""
    first_response_agent_ms: int | None
    """From the agent's answering to the first agent speech, ms."""

    words_agent_count: int | None
    """Words of the agent side's kept transcripts; NULL where spaces do not part them, as in Chinese."""
    words_customer_count: int | None
    """Words of the customer's kept transcripts; NULL where spaces do not part them, as in Chinese."""
    talk_speed_agent_wpm: float | None
    """Words per minute of the agent side's own transcribed speech; NULL below 20 words, or uncounted."""
    talk_speed_customer_wpm: float | None
    """Words per minute of the customer's own transcribed speech; NULL below 20 words, or uncounted."""
    talk_speed_change_agent_ratio: float | None
    """Talk speed of the agent side in the last third of the call divided by that in the first; 1 is unchanged."""
    talk_speed_change_customer_ratio: float | None
    """Talk speed of the customer in the last third of the call divided by that in the first; 1 is unchanged."""
    questions_agent_count: int | None
    """Sentences of the agent side that end in a question mark."""
    questions_customer_count: int | None
    """Sentences of the customer that end in a question mark."""
    fillers_agent_count: int | None
    """Filler words of the agent side, by the list of the language spoken; NULL where there is no list."""
    fillers_customer_count: int | None
    """Filler words of the customer, by the list of the language spoken; NULL where there is no list."""
    language: str | None
    """The language the call was transcribed in, a Whisper code such as en."""
    language_source: str | None
    """Where the language comes from: configured, detected or zoom."""
    transcript_confidence: float | None
    """exp(mean log probability) of the transcripts, weighted by their length in time, 0–1."""

    loudness_agent_dbfs: float | None
    """Energy mean of the agent side's speech level, dBFS; a full-scale sine is −3.01."""
    loudness_customer_dbfs: float | None
    """Energy mean of the customer's speech level, dBFS; a full-scale sine is −3.01."""
    clipping_agent_ratio: float | None
    """Share of the agent side's speech samples at full scale for 3 or more in a row, 0–1."""
    clipping_customer_ratio: float | None
    """Share of the customer's speech samples at full scale for 3 or more in a row, 0–1."""
    snr_agent_db: float | None
    """Speech level of the agent side minus the 10th percentile of its level outside speech, dB."""
    snr_customer_db: float | None
    """Speech level of the customer minus the 10th percentile of the level outside speech, dB."""
    lost_packets_count: int | None
    """Audio packets that never came, over all tracks."""
    duplicate_packets_count: int | None
    """Audio packets that came more than once, over all tracks."""
    reordered_packets_count: int | None
    """Audio packets that came after a later one, over all tracks."""

    sentiment_agent_score: float | None
    """Sentiment of the agent side's words, −5…+5: mean of the utterances' scores, weighted by their words."""
    sentiment_agent_q1: float | None
    """Sentiment of the agent side's words in the first quarter of the call, −5…+5; NULL without words there."""
    sentiment_agent_q2: float | None
    """Sentiment of the agent side's words in the second quarter of the call, −5…+5; NULL without words there."""
    sentiment_agent_q3: float | None
    """Sentiment of the agent side's words in the third quarter of the call, −5…+5; NULL without words there."""
    sentiment_agent_q4: float | None
    """Sentiment of the agent side's words in the last quarter of the call, −5…+5; NULL without words there."""
    sentiment_agent_shift: float | None
    """Sentiment of the agent side in the last quarter of the call minus that in the first."""
    sentiment_customer_score: float | None
    """Sentiment of the customer's words, −5…+5: mean of the utterances' scores, weighted by their words."""
    sentiment_customer_q1: float | None
    """Sentiment of the customer's words in the first quarter of the call, −5…+5; NULL without words there."""
    sentiment_customer_q2: float | None
    """Sentiment of the customer's words in the second quarter of the call, −5…+5; NULL without words there."""
    sentiment_customer_q3: float | None
    """Sentiment of the customer's words in the third quarter of the call, −5…+5; NULL without words there."""
    sentiment_customer_q4: float | None
    """Sentiment of the customer's words in the last quarter of the call, −5…+5; NULL without words there."""
    sentiment_customer_shift: float | None
    """Sentiment of the customer in the last quarter of the call minus that in the first."""

    verdict: str | None
    """no_contact (fewer than 20 substantive words), sparse (2 min or more, less than 35 % speech), or
    conversation; NULL when what was not understood may hold the missing words."""
    damaged: bool
    """Less than 98 % of the audio arrived: read every other measure with care."""


def definitions() -> dict[str, str]:
    """The published definition of every measure by its field name, in order: the line under each field."""
    return documented(Scorecard)


def scorecard(record: CallRecord, thresholds: Thresholds = DEFAULTS) -> Scorecard:
    """Measure one engagement.

    The result depends on nothing else: the same record and thresholds give the same scorecard. Of a call that
    is still going on it is provisional.
    """
    seen = {track.side for track in record.tracks} | {one.side for one in record.utterances}
    sides = {side for side in seen if side is not None}
    by_side = {side: tuple(one for one in record.utterances if one.side is side) for side in Side}
    measures = _time(record, sides, thresholds)
    measures |= _turn_taking(record, sides, measures["conversation_ms"], thresholds)
    open_ = timing.open_time(record)
    call = Span(open_[0].start_ms, open_[-1].end_ms) if open_ else Span(0, 0)
    for side in (Side.AGENT, Side.CUSTOMER):
        known = side in sides
        spoken, tracks = by_side[side], [track for track in record.tracks if track.side is side]
        measures |= {
            f"words_{side}_count": wording.words_count(spoken) if known else None,
            f"talk_speed_{side}_wpm": wording.talk_speed_wpm(spoken, thresholds),
            f"talk_speed_change_{side}_ratio": wording.talk_speed_change_ratio(spoken, call, thresholds),
            f"questions_{side}_count": wording.questions_count(spoken) if known else None,
            f"fillers_{side}_count": wording.fillers_count(spoken, record.language) if known else None,
            f"loudness_{side}_dbfs": sound.loudness_dbfs(spoken),
            f"clipping_{side}_ratio": sound.clipping_ratio(spoken),
            f"snr_{side}_db": sound.snr_db(spoken, tracks),
            **_sentiment(side, spoken, call),
        }
    packets = sound.packet_counts(record.tracks) or (None, None, None)
    coverage = measures["coverage_ratio"]
    return Scorecard(
        **measures,
        language=record.language,
        language_source=record.language_source,
        transcript_confidence=wording.transcript_confidence(record.utterances),
        lost_packets_count=packets[0],
        duplicate_packets_count=packets[1],
        reordered_packets_count=packets[2],
        verdict=_verdict(record, measures["duration_ms"], measures["speech_time_ms"], thresholds),
        damaged=coverage is not None and coverage < thresholds.damaged_below_ratio,
    )


def _time(record: CallRecord, sides: set[Side], thresholds: Thresholds) -> dict[str, Any]:
    open_ = timing.open_time(record)
    talk = timing.talk_time(record, thresholds)
    talk_ms = {side: total_ms(talk.get(side, [])) if side in sides else None for side in Side}
    talk_total_ms = sum(total_ms(spans) for spans in talk.values())
    speech = timing.speech_time(record, thresholds)
    last_word_ms = speech[-1].end_ms if speech else None
    after = [] if last_word_ms is None else [Span(last_word_ms, max(last_word_ms, open_[-1].end_ms))]
    held = [total_ms(intersection([hold], open_)) for hold in timing.holds(record)]
    silences = timing.silences(record, thresholds)
    silence_ms = total_ms(silences)
    missing = [gap for spans in timing.gaps(record).values() for gap in spans]
    overtalk = timing.overtalk(talk)
    agent_ms, duration_ms = talk_ms[Side.AGENT], total_ms(open_)
    return {
        "duration_ms": duration_ms,
        "conversation_ms": 0 if last_word_ms is None else total_ms(subtraction(open_, after)),
        "talk_time_agent_ms": agent_ms,
        "talk_time_customer_ms": talk_ms[Side.CUSTOMER],
        "talk_time_other_ms": talk_ms[Side.OTHER],
        "talk_time_total_ms": talk_total_ms,
        "speech_time_ms": total_ms(speech),
        "talk_ratio_agent": _ratio(agent_ms, duration_ms),
        "talk_share_agent": _ratio(agent_ms, talk_total_ms),
        "hold_time_ms": sum(held),
        "hold_count": len(held),
        "longest_hold_ms": max(held, default=0),
        "silence_time_ms": silence_ms,
        "silence_count": len(silences),
        "longest_silence_ms": longest_ms(silences),
        "dead_air_count": sum(one.length_ms > thresholds.dead_air_above_ms for one in silences),
        "non_talk_time_total_ms": sum(held) + silence_ms,
        "gap_time_ms": sum(gap.length_ms for gap in missing),
        "gap_count": len(missing),
        "coverage_ratio": timing.coverage_ratio(record),
        "overtalk_time_ms": total_ms(overtalk) if len(sides) > 1 else None,
        "overtalk_count": len(overtalk) if len(sides) > 1 else None,
    }


def _turn_taking(
    record: CallRecord, sides: set[Side], conversation_ms: int, thresholds: Thresholds
) -> dict[str, Any]:
    taken = turns.turn_taking(record, thresholds)
    interruptions = turns.interruptions(record, thresholds)
    observed = timing.observed_time(record)
    agent_speech = timing.talk_time(record, thresholds).get(Side.AGENT, [])
    both, minutes = len(sides) > 1, conversation_ms / 60_000
    measures: dict[str, Any] = {
        "speaker_switches_per_min": turns.speaker_switches(taken.turns) / minutes
        if both and minutes
        else None,
        "first_response_agent_ms": turns.first_response_ms(record, agent_speech),
    }
    for side in (Side.AGENT, Side.CUSTOMER):
        known = side in sides
        by_side = [one for one in interruptions if one.side is side]
        signals = sum(one.side is side for one in taken.backchannels)
        gaps_ms = turns.response_gaps_ms(taken.turns, side, observed)
        p50, p90 = turns.percentiles(gaps_ms, thresholds.response_gap_min_count)
        measures |= {
            f"interruptions_{side}_count": len(by_side) if known and both else None,
            f"interruptions_{side}_time_ms": sum(one.overlap_ms for one in by_side)
            if known and both
            else None,
            f"backchannels_{side}_count": signals if known and both else None,
            f"turns_{side}_count": sum(turn.side is side for turn in taken.turns) if known else None,
            f"response_gap_{side}_ms_p50": p50,
            f"response_gap_{side}_ms_p90": p90,
            f"longest_monologue_{side}_ms": turns.longest_monologue_ms(taken.turns, side) if known else None,
        }
    return measures


def _sentiment(side: Side, spoken: Sequence[SpokenUtterance], call: Span) -> dict[str, float | None]:
    quarters = sentiment.quarter_scores(spoken, call)
    first, last = quarters[0], quarters[-1]
    return {
        f"sentiment_{side}_score": sentiment.side_score(spoken),
        **{f"sentiment_{side}_q{number}": score for number, score in enumerate(quarters, 1)},
        f"sentiment_{side}_shift": None if first is None or last is None else last - first,
    }


def _ratio(part: int | None, whole: int) -> float | None:
    return None if part is None or whole == 0 else part / whole


def _verdict(record: CallRecord, duration_ms: int, speech_ms: int, thresholds: Thresholds) -> str | None:
    if record.utterances and all(one.text is None for one in record.utterances):
        return None
    backchannels = turns.turn_taking(record, thresholds).backchannels
    signals = [one for signal in backchannels for one in signal.utterances]
    words = _known_words(record.utterances) - _known_words(signals)
    if words < thresholds.no_contact_below_words:
        unknown_ms = _unknown_ms(record.utterances) - _unknown_ms(signals)
        missing = thresholds.no_contact_below_words - words
        return None if _may_hold(unknown_ms, missing, thresholds) else "no_contact"
    if duration_ms >= thresholds.sparse_from_ms and speech_ms < thresholds.sparse_below_ratio * duration_ms:
        return "sparse"
    return "conversation"


def _known_words(utterances: Sequence[SpokenUtterance]) -> int:
    return sum(one.word_count or 0 for one in utterances)


def _unknown_ms(utterances: Sequence[SpokenUtterance]) -> int:
    """Speech of which nobody knows the words, or how many they are."""
    return sum(one.end_ms - one.start_ms for one in utterances if one.word_count is None)


def _may_hold(unknown_ms: int, words: int, thresholds: Thresholds) -> bool:
    """Whether so many words may have been said in speech of which they are not known.

    Not its share decides: some seconds are much of a short call and little of a long one, and hold the same words
    in both. How fast words come at most, back-channels tell: the longest is taken to have as many as one may have.
    By the shipped thresholds 20 words take 4.7 s.
    """
    fits = unknown_ms * thresholds.backchannel_max_words >= words * thresholds.backchannel_max_ms
    return unknown_ms > 0 and fits
