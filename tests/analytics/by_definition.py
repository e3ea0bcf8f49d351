"""The measures once more, by their written definitions and nothing else: every millisecond is looked at.

Slow and plain, with no code of the fast implementation but the values that go in. Time is an array with one entry
per millisecond; what the definitions call a stretch is a run of entries.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from zccvoice.analytics.record import CallEvent, CallRecord, Side, SpokenUtterance

Mask = npt.NDArray[np.bool_]
FILLERS_EN = (
    ["uh", "uhh", "uhm", "um", "umm", "er", "erm", "hm", "hmm", "mm", "mmm", "basically"],
    ["you know", "i mean", "sort of", "kind of"],
)
WITHOUT_SPACES = (
    "CJK UNIFIED",
    "HIRAGANA",
    "KATAKANA",
    "THAI CHARACTER",
    "LAO",
    "KHMER",
    "MYANMAR",
    "TIBETAN",
)


@dataclass
class Said:
    """A speech span with its words; None when not all of it was transcribed, or can be counted."""

    side: Side | None
    channel_id: str
    start: int
    end: int
    words: int | None

    @property
    def is_substantive(self) -> bool:
        return self.end - self.start > 700 if self.words is None else self.words > 3


class Clock:
    """Masks over the milliseconds of a call."""

    def __init__(self, record: CallRecord) -> None:
        ends = [span.end_ms for span in record.streams] + [one.end_ms for one in record.utterances]
        ends += [track.open_span.end_ms for track in record.tracks] + [gap.end_ms for gap in record.gaps]
        self.length = max([*ends, *(event.at_ms for event in record.events), 0]) + 1

    def mask(self, *spans: tuple[int, int]) -> Mask:
        found = np.zeros(self.length, np.bool_)
        for start, end in spans:
            found[start:end] = True
        return found


def runs(mask: Mask) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def measured(record: CallRecord) -> dict[str, object]:
    """Every measure by its name."""
    clock = Clock(record)
    heard = [(one.start_ms, one.end_ms) for one in record.utterances]
    tracks = [(one.open_span.start_ms, one.open_span.end_ms) for one in record.tracks]
    is_open = clock.mask(*((one.start_ms, one.end_ms) for one in record.streams), *heard, *tracks)
    spans = speech(record, clock)
    known = {side for side in sides_of(record) if side is not None}
    speaking = {
        key: is_open
        & clock.mask(*((one.start, one.end) for one in spans if (one.side or one.channel_id) == key))
        for key in {one.side or one.channel_id for one in spans}
    }
    over = {"user_end", "transfer_completed", "conference_participant_left"}
    held = told(record.events, clock, is_open, {"user_hold"}, {"user_unhold"} | over)
    paused = told(
        record.events,
        clock,
        is_open,
        {"stream_paused", "session_paused"},
        {"stream_resumed", "session_resumed"},
    )
    missing = {
        channel: clock.mask(*((g.start_ms, g.end_ms) for g in record.gaps if g.channel_id == channel))
        & (is_open & ~held & ~paused)
        for channel in {gap.channel_id for gap in record.gaps}
    }
    observed = is_open & ~held & ~paused
    for mask in missing.values():
        observed = observed & ~mask
    anybody = np.any([*speaking.values(), clock.mask()], axis=0)
    found: dict[str, object] = {}
    found |= times(record, clock, is_open, held, missing, observed, speaking, anybody, known)
    found |= floor(record, spans, known, observed, is_open, speaking, int(str(found["conversation_ms"])))
    found |= words(record, is_open)
    found |= sound(record)
    found |= moods(record, is_open)
    coverage = found["coverage_ratio"]
    found["damaged"] = isinstance(coverage, float) and coverage < 0.98
    found["verdict"] = verdict(record, spans, found)
    return found


def sides_of(record: CallRecord) -> set[Side | None]:
    return {track.side for track in record.tracks} | {one.side for one in record.utterances}


def speech(record: CallRecord, clock: Clock) -> list[Said]:
    """What VAD kept of each track; closer than 300 ms is one."""
    found = []
    for side, channel in {(one.side, one.channel_id) for one in record.utterances}:
        own = [one for one in record.utterances if (one.side, one.channel_id) == (side, channel)]
        mask = clock.mask(*((one.start_ms, one.end_ms) for one in own))
        for start, end in runs(~mask):
            if start > 0 and end < clock.length and end - start < 300:
                mask[start:end] = True
        for start, end in runs(mask):
            parts = [one for one in own if start <= one.start_ms < one.end_ms <= end]
            found.append(Said(side, channel, start, end, words_in([one.text for one in parts])))
    return sorted(found, key=lambda one: (one.start, -one.end, one.channel_id))


def words_in(texts: list[str | None]) -> int | None:
    """What stands between spaces; unknown where a text is, or has letters of which words are not made so."""
    known = [text for text in texts if text is not None]
    is_spaced = not any(unicodedata.name(one, "").startswith(WITHOUT_SPACES) for one in "".join(known))
    return sum(len(text.split()) for text in known) if known == texts and is_spaced else None


def told(events: tuple[CallEvent, ...], clock: Clock, is_open: Mask, on: set[str], off: set[str]) -> Mask:
    """Hold or pause: whose beginning was told and whose end was not, at every moment."""
    mask, who, since = clock.mask(), set[str | None](), 0
    for event in events:
        if who:
            mask[since : event.at_ms] = True
        since = event.at_ms
        if event.name in on:
            who.add(event.channel_id)
        elif event.name in off:
            who = set() if event.channel_id is None else who - {event.channel_id, None}
    if who:
        mask[since:] = True
    return np.logical_and(mask, is_open)


def times(
    record: CallRecord,
    clock: Clock,
    is_open: Mask,
    held: Mask,
    missing: dict[str, Mask],
    observed: Mask,
    speaking: dict[Side | str, Mask],
    anybody: Mask,
    known: set[Side],
) -> dict[str, object]:
    duration = int(is_open.sum())
    talk = {key: int(mask.sum()) for key, mask in speaking.items()}
    total = sum(talk.values())
    of_side = {side: talk.get(side, 0) if side in known else None for side in Side}
    last_word = max((end for _, end in runs(anybody)), default=0)
    holds = [end - start for start, end in runs(held)]
    silences = [end - start for start, end in runs(observed & ~anybody) if end - start > 3_000]
    gaps = [end - start for mask in missing.values() for start, end in runs(mask)]
    of_known = [mask for key, mask in speaking.items() if isinstance(key, Side)]
    at_once = np.sum([*of_known, clock.mask()], axis=0) >= 2
    listened = 0
    for channel in {track.channel_id for track in record.tracks} | set(missing):
        own = [t.open_span for t in record.tracks if t.channel_id == channel]
        listened += int(
            (
                clock.mask(*((span.start_ms, span.end_ms) for span in own))
                | missing.get(channel, clock.mask())
            ).sum()
        )
    agent = of_side[Side.AGENT]
    return {
        "duration_ms": duration,
        "conversation_ms": int(is_open[:last_word].sum()),
        **{f"talk_time_{side.value}_ms": of_side[side] for side in Side},
        "talk_time_total_ms": total,
        "speech_time_ms": int(anybody.sum()),
        "talk_ratio_agent": agent / duration if agent is not None and duration else None,
        "talk_share_agent": agent / total if agent is not None and total else None,
        "hold_time_ms": sum(holds),
        "hold_count": len(holds),
        "longest_hold_ms": max(holds, default=0),
        "silence_time_ms": sum(silences),
        "silence_count": len(silences),
        "longest_silence_ms": max(silences, default=0),
        "dead_air_count": len([one for one in silences if one > 30_000]),
        "non_talk_time_total_ms": sum(holds) + sum(silences),
        "gap_time_ms": sum(gaps),
        "gap_count": len(gaps),
        "coverage_ratio": 1 - sum(gaps) / listened if listened else None,
        "overtalk_time_ms": int(at_once.sum()) if len(known) > 1 else None,
        "overtalk_count": len(runs(at_once)) if len(known) > 1 else None,
    }


def taken_turns(spans: list[Said]) -> tuple[list[Said], list[Said]]:
    """Turns and back-channels."""
    known = [one for one in spans if one.side is not None]
    turns: list[Said] = []
    signals: list[Said] = []
    for number, one in enumerate(known):
        last = turns[-1] if turns else None
        if last is not None and one.side == last.side and one.start - last.end < 3_000:
            turns[-1] = Said(last.side, last.channel_id, last.start, max(last.end, one.end), None)
        elif last is not None and one.side != last.side and listens(one, last, known[number + 1 :]):
            signals.append(one)
        else:
            turns.append(Said(one.side, one.channel_id, one.start, one.end, None))
    return turns, signals


def listens(one: Said, turn: Said, following: list[Said]) -> bool:
    """Short, and within the other's turn, or soon after it with the other going on."""
    if one.is_substantive:
        return False
    if one.end <= turn.end:
        return True
    taken = [other.side != turn.side and other.is_substantive for other in following]
    before = following[: taken.index(True)] if True in taken else following
    again = [other for other in before if other.side == turn.side]
    end = turn.end
    for other in again:
        end = max(end, other.end) if other.start - end < 3_000 and end < one.end else end
    return one.end <= end or (bool(again) and one.start - turn.end <= 1_000)


def floor(
    record: CallRecord,
    spans: list[Said],
    known: set[Side],
    observed: Mask,
    is_open: Mask,
    speaking: dict[Side | str, Mask],
    conversation_ms: int,
) -> dict[str, object]:
    turns, signals = taken_turns(spans)
    changes = [(a, b) for a, b in pairwise(turns) if a.side != b.side]
    both = len(known) > 1
    found: dict[str, object] = {
        "speaker_switches_per_min": len(changes) * 60_000 / conversation_ms
        if both and conversation_ms
        else None,
        "first_response_agent_ms": first_response(record, is_open, speaking.get(Side.AGENT)),
    }
    for side in (Side.AGENT, Side.CUSTOMER):
        cut_in = interruptions(spans, side)
        own = [turn.end - turn.start for turn in turns if turn.side == side]
        gaps = sorted(
            b.start - a.end
            for a, b in changes
            if b.side == side and b.start >= a.end and bool(observed[a.end : b.start].all())
        )
        found |= {
            f"interruptions_{side.value}_count": len(cut_in) if both and side in known else None,
            f"interruptions_{side.value}_time_ms": sum(cut_in.values()) if both and side in known else None,
            f"backchannels_{side.value}_count": sum(one.side == side for one in signals)
            if both and side in known
            else None,
            f"turns_{side.value}_count": len(own) if side in known else None,
            f"longest_monologue_{side.value}_ms": max(own, default=0) if side in known else None,
            f"response_gap_{side.value}_ms_p50": quantile(gaps, 50),
            f"response_gap_{side.value}_ms_p90": quantile(gaps, 90),
        }
    return found


def interruptions(spans: list[Said], side: Side) -> dict[int, int]:
    """When the side cut in, and for how long both then spoke."""
    found: dict[int, int] = {}
    for one in spans:
        if one.side != side or not one.is_substantive:
            continue
        cut = [
            other
            for other in spans
            if other.side not in (side, None)
            and other.is_substantive
            and other.start <= one.start - 500
            and other.end >= one.start + 500
        ]
        if cut:
            overlap = sum(any(o.start <= ms < o.end for o in cut) for ms in range(one.start, one.end))
            found[one.start] = max(found.get(one.start, 0), overlap)
    return found


def first_response(record: CallRecord, is_open: Mask, agent: Mask | None) -> int | None:
    answers = [event.at_ms for event in record.events if event.name == "user_answered"]
    if not answers or agent is None:
        return None
    since = max(min(answers), int(np.flatnonzero(is_open)[0]))
    later = np.flatnonzero(agent[since:])
    return int(later[0]) if later.size else None


def quantile(values: list[int], percent: int) -> int | None:
    """Between the two nearest ranks."""
    if len(values) < 3:
        return None
    place = Fraction(percent * (len(values) - 1), 100)
    below = int(place)
    if below == place:
        return values[below]
    return round(float(values[below] + (place - below) * (values[below + 1] - values[below])))


def words(record: CallRecord, is_open: Mask) -> dict[str, object]:
    found: dict[str, object] = {"language": record.language, "language_source": record.language_source}
    moments = np.flatnonzero(is_open)
    begin, end = (int(moments[0]), int(moments[-1]) + 1) if moments.size else (0, 0)
    third = (end - begin) // 3
    sides = sides_of(record)
    for side in (Side.AGENT, Side.CUSTOMER):
        own = [one for one in record.utterances if one.side == side]
        texts = [one.text for one in own if one.text is not None]
        is_known = side in sides and (not own or bool(texts))
        is_english = {one.language or record.language for one in own if one.text} <= {"en"}
        first, last = speed(own, begin, begin + third), speed(own, end - third, end)
        found |= {
            f"words_{side.value}_count": words_in([*texts]) if is_known else None,
            f"talk_speed_{side.value}_wpm": speed(own, begin, end),
            f"talk_speed_change_{side.value}_ratio": last / first if first and last else None,
            f"questions_{side.value}_count": sum(text.count("?") for text in texts) if is_known else None,
            f"fillers_{side.value}_count": sum(map(fillers, texts)) if is_known and is_english else None,
        }
    rated = [o for o in record.utterances if o.text is not None and o.confidence is not None]
    length = sum(one.end_ms - one.start_ms for one in rated)
    found["transcript_confidence"] = (
        sum((one.confidence or 0) * (one.end_ms - one.start_ms) for one in rated) / length if length else None
    )
    return found


def speed(own: list[SpokenUtterance], begin: int, end: int) -> float | None:
    """Words a minute between two moments; each millisecond of an utterance has its share of the words."""
    count, times = 0.0, set[int]()
    by_channel = {one.channel_id for one in own}
    for channel in by_channel:
        spoken = [one for one in own if one.channel_id == channel and one.text is not None]
        mask = np.zeros(max((one.end_ms for one in spoken), default=0) + 1, np.bool_)
        for one in spoken:
            mask[one.start_ms : one.end_ms] = True
            inside = len(range(max(begin, one.start_ms), min(end, one.end_ms)))
            own_count = words_in([one.text])
            if inside and own_count is None:
                return None
            count += (own_count or 0) * inside / (one.end_ms - one.start_ms)
        for start, stop in runs(~mask):
            if start > 0 and stop < len(mask) and stop - start < 300:
                mask[start:stop] = True
        times |= {int(ms) for ms in np.flatnonzero(mask[begin:end])}
    return None if count < 20 - 1e-9 else count * 60_000 / len(times)


def fillers(text: str) -> int:
    said = [word.strip(".,?!").lower() for word in text.split()]
    pairs = [" ".join(two) for two in pairwise(said)]
    return sum(word in FILLERS_EN[0] for word in said) + sum(pair in FILLERS_EN[1] for pair in pairs)


def sound(record: CallRecord) -> dict[str, object]:
    found: dict[str, object] = {}
    for side in (Side.AGENT, Side.CUSTOMER):
        own = [one for one in record.utterances if one.side == side]
        level = energy([(one.loudness_dbfs, one.end_ms - one.start_ms) for one in own])
        tracks = [track for track in record.tracks if track.side == side]
        noise = energy([(track.noise_dbfs, track.open_span.length_ms) for track in tracks])
        clipped = [(o.clipped_ratio, o.end_ms - o.start_ms) for o in own if o.clipped_ratio is not None]
        length = sum(ms for _, ms in clipped)
        found |= {
            f"loudness_{side.value}_dbfs": level,
            f"snr_{side.value}_db": level - noise if level is not None and noise is not None else None,
            f"clipping_{side.value}_ratio": sum(r * ms for r, ms in clipped) / length if length else None,
        }
    for kind in ("lost", "duplicate", "reordered"):
        counts = [getattr(track, f"{kind}_packets") for track in record.tracks]
        found[f"{kind}_packets_count"] = sum(counts) if counts else None
    return found


def moods(record: CallRecord, is_open: Mask) -> dict[str, object]:
    """Of each side, of the whole call and of its quarters: every word has the score of its utterance."""
    found: dict[str, object] = {}
    moments = np.flatnonzero(is_open)
    begin, length = (int(moments[0]), int(moments[-1]) + 1 - int(moments[0])) if moments.size else (0, 0)
    for side in (Side.AGENT, Side.CUSTOMER):
        own = [one for one in record.utterances if one.side == side and one.sentiment is not None]
        quarters = []
        for quarter in range(4):
            first = begin + Fraction(length * quarter, 4)
            after = begin + Fraction(length * (quarter + 1), 4)
            quarters.append(mood([one for one in own if first <= one.start_ms < after]))
        found[f"sentiment_{side.value}_score"] = mood(own)
        found |= {f"sentiment_{side.value}_q{n}": value for n, value in enumerate(quarters, 1)}
        begun, ended = quarters[0], quarters[3]
        found[f"sentiment_{side.value}_shift"] = None if begun is None or ended is None else ended - begun
    return found


def mood(spoken: list[SpokenUtterance]) -> float | None:
    rated = [one for one in spoken if one.text is not None]
    if words_in([one.text for one in rated]) is None:
        return None
    scores = [one.sentiment or 0 for one in rated for _ in (one.text or "").split()]
    return 5 * sum(scores) / len(scores) if scores else None


def energy(levels: list[tuple[float | None, int]]) -> float | None:
    known = [(math.pow(10, level / 10), ms) for level, ms in levels if level is not None]
    length = sum(ms for _, ms in known)
    return 10 * math.log10(sum(power * ms for power, ms in known) / length) if length else None


def verdict(record: CallRecord, spans: list[Said], found: dict[str, object]) -> str | None:
    texts = [one.text for one in record.utterances if one.text is not None]
    if record.utterances and not texts:
        return None
    signals = taken_turns(spans)[1]
    said = [
        one
        for one in record.utterances
        if not any(o.channel_id == one.channel_id and o.start <= one.start_ms < o.end for o in signals)
    ]
    count = sum(words_in([one.text]) or 0 for one in said)
    unknown = sum(one.end_ms - one.start_ms for one in said if words_in([one.text]) is None)
    duration, spoken = int(str(found["duration_ms"])), int(str(found["speech_time_ms"]))
    if count < 20:  # three words may be said in 700 ms
        return None if unknown and count + Fraction(unknown * 3, 700) >= 20 else "no_contact"
    return "sparse" if duration >= 120_000 and spoken * 100 < 35 * duration else "conversation"
