"""The numbers in the definitions of the measures, as data: a changed one can be told from a changed call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from zccvoice.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Every threshold of the measures, with the shipped default."""

    join_below_ms: int = 300
    """Speech spans of one track closer than this are one."""
    silence_above_ms: int = 3_000
    """A stretch in which nobody speaks counts as silence when it is longer than this."""
    dead_air_above_ms: int = 30_000
    """A silence longer than this is dead air."""
    backchannel_max_words: int = 3
    """An utterance of more words is substantive."""
    backchannel_max_ms: int = 700
    """An utterance of which nobody knows how many words it has is substantive when it is longer than this."""
    backchannel_within_ms: int = 1_000
    """A back-channel after the other side's turn begins no later than this after the turn's end."""
    turn_pause_ms: int = 3_000
    """A pause of this length or longer between two utterances of a side ends its turn."""
    interrupted_for_ms: int = 500
    """Who is interrupted has been speaking for at least this long."""
    interrupted_until_ms: int = 500
    """Who is interrupted goes on speaking for at least this long."""
    response_gap_min_count: int = 3
    """Percentiles of response gaps need this many gaps."""
    talk_speed_min_words: int = 20
    """Talk speed needs this many words."""
    no_contact_below_words: int = 20
    """Fewer substantive words than this in total: nobody was reached."""
    sparse_from_ms: int = 120_000
    """Only an engagement of this length or longer can be sparse."""
    sparse_below_ratio: float = 0.35
    """An engagement with a smaller share of speech than this is sparse."""
    damaged_below_ratio: float = 0.98
    """A smaller coverage than this flags the engagement as damaged."""


DEFAULTS = Thresholds()
"""What is measured with when nothing else is said."""


def thresholds_with(changes: Mapping[str, float]) -> Thresholds:
    """The shipped thresholds but for these.

    Raises:
        ConfigError: there is no such threshold, or it cannot have this value; names ``measures.thresholds``.
    """
    known = asdict(DEFAULTS)
    problems, changed = [], dict[str, float]()
    for name, value in changes.items():
        where = f"measures.thresholds.{name}"
        if name not in known:
            problems.append(f"{where}: there is no such threshold; there are {', '.join(known)}")
        elif isinstance(known[name], int) and not (value >= 0 and float(value).is_integer()):
            problems.append(f"{where}: expected a whole number from 0, got {value:g}")
        elif isinstance(known[name], float) and not 0 <= value <= 1:
            problems.append(f"{where}: expected a number from 0 to 1, got {value:g}")
        else:
            changed[name] = type(known[name])(value)
    if problems:
        raise ConfigError(problems)
    return replace(DEFAULTS, **changed)  # type: ignore[arg-type]
