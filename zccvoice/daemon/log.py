"""Structured logs on standard error: ``key=value`` pairs or JSON, one line each.

Ids travel in context variables: what a call's task binds with `bind_ids` is on every line that the task and its
children write. Transcript text, tokens and secrets are never logged.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from zccvoice.config import LogConfig

LIBRARIES = {"hypercorn": logging.WARNING, "trio-websocket": logging.ERROR, "sqlalchemy": logging.WARNING}
"""Libraries that log through the standard library, and the least level we let through."""


def configure(settings: LogConfig, stream: TextIO | None = None) -> None:
    """Set up logging for the process.

    Args:
        settings: form and least level.
        stream: where to; standard error, when None.
    """
    lossy = cast(TextIO, _Lossy(stream or sys.stderr))
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if settings.format == "logfmt":
        renderer = structlog.processors.LogfmtRenderer(
            key_order=["time", "level", "event"], drop_missing=True, bool_as_flag=False
        )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(lossy),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(lossy)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(max(level, logging.WARNING))
    for name, least in LIBRARIES.items():
        logging.getLogger(name).setLevel(max(level, least))


class _Lossy:
    """A stream whose lines are lost when they cannot be written: a full disk of logs ends no call."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def bind_ids(engagement_id: str, stream_id: str) -> None:
    """Put the ids on every line of the current task and the tasks it starts from here on."""
    structlog.contextvars.bind_contextvars(engagement_id=engagement_id, stream_id=stream_id)


def get_logger() -> Any:
    """A logger: ``log.info("what happened", key=value)``."""
    return structlog.get_logger()
