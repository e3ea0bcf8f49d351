"""What is wrong with settings that only their users can tell, all of it at once."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from zccvoice.analytics.rules import Rule
from zccvoice.analytics.rules_file import load_rules
from zccvoice.analytics.sentiment.scoring import load_scorers
from zccvoice.analytics.thresholds import thresholds_with
from zccvoice.config import Config
from zccvoice.errors import ConfigError, StoreError
from zccvoice.rtms.event_names import EVENT_NAMES, is_event_name
from zccvoice.store.database import connect


def problems_in_measuring(config: Config) -> list[str]:
    """Thresholds, lexicons and names of events that are none; one line each."""
    return [
        *_problems(lambda: thresholds_with(config.measures.thresholds)),
        *_problems(lambda: load_scorers(config.sentiment.lexicons)),
        *_unknown_events(config),
    ]


def all_problems(config: Config) -> list[str]:
    """Everything for which a daemon would not start: what is missing, and what is wrong; one line each."""
    measuring = problems_in_measuring(config)
    rules = [] if measuring else _problems(lambda: rules_in(config))  # their file is read with the thresholds
    return [*config.missing_for_serve(), *measuring, *rules, *_problems(lambda: _look_at_url(config))]


def rules_in(config: Config) -> tuple[Rule, ...]:
    """The configured rules; none where no file is.

    Raises:
        ConfigError: all that is wrong with them, each with its line.
    """
    if config.rules.file is None:
        return ()
    thresholds = thresholds_with(config.measures.thresholds)
    try:
        return load_rules(config.rules.file, thresholds)
    except ConfigError as error:
        raise ConfigError([f"rules.file: {problem}" for problem in error.problems]) from None


def _problems(look: Callable[[], object]) -> list[str]:
    try:
        look()
    except ConfigError as error:
        return error.problems
    return []


def _unknown_events(config: Config) -> list[str]:
    """A misspelt event would never come, and the sound be kept that was to be left out."""
    redaction = config.redaction
    named = {"pause_events": redaction.pause_events, "resume_events": redaction.resume_events}
    return [
        f"redaction.{field}: Zoom has no event {name!r}{_meant(name)}"
        for field, names in named.items()
        for name in names
        if not is_event_name(name)
    ]


def _meant(name: str) -> str:
    right = next(iter(get_close_matches(name.lower(), EVENT_NAMES, n=1)), "")
    return f"; did you mean {right}?" if right else ""


def _look_at_url(config: Config) -> None:
    if config.database.url is None:
        return
    try:
        connect(config.database.url.get_secret_value()).dispose()  # it has not connected yet
    except StoreError as error:
        raise ConfigError([f"database.url: {error}"]) from None
