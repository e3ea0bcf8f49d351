from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import trio

from zccvoice.config import LogConfig
from zccvoice.daemon import log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, with the process' settings restored afterwards."""
    stream = io.StringIO()
    handlers, level = logging.root.handlers[:], logging.root.level
    yield stream
    logging.root.handlers, logging.root.level = handlers, level
    structlog.reset_defaults()


async def test_ids_are_on_every_line_of_a_call_and_of_no_other(lines: io.StringIO) -> None:
    log.configure(LogConfig(format="json"), lines)

    async def call(number: int) -> None:
        log.bind_ids(f"E{number}", f"S{number}")
        for _ in range(3):
            log.get_logger().info("something", number=number)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(call, number)
    log.get_logger().info("nobody's")
    entries = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert len(entries) == 13
    for entry in entries[:-1]:
        assert (entry["engagement_id"], entry["stream_id"]) == (f"E{entry['number']}", f"S{entry['number']}")
    assert "engagement_id" not in entries[-1]


def test_key_value_lines_and_levels(lines: io.StringIO) -> None:
    log.configure(LogConfig(level="warning"), lines)
    log.get_logger().info("not this")
    log.get_logger().warning("two words", stream_id="S 1", count=2)
    (line,) = lines.getvalue().splitlines()
    assert line.startswith("time=")
    assert 'level=warning event="two words"' in line
    assert 'stream_id="S 1"' in line
    assert "count=2" in line


def test_libraries_come_out_in_the_same_form(lines: io.StringIO) -> None:
    log.configure(LogConfig(format="json"), lines)
    logging.getLogger("some.library").warning("take care of %s", "this")
    logging.getLogger("some.library").info("not this")
    (entry,) = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (entry["event"], entry["level"]) == ("take care of this", "warning")


def test_a_line_that_cannot_be_written_is_lost_and_nothing_else(lines: io.StringIO) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        log.configure(LogConfig(), io.TextIOWrapper(full, write_through=True))
        log.get_logger().error("audio is lost")
        logging.getLogger("hypercorn").error("a library has something to say, too")
