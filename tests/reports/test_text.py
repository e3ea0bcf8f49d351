"""The tables on a terminal."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from zccvoice.reports.calls import CallReport, CallsReport
from zccvoice.reports.text import FILE_WIDTH, print_call, print_calls, print_transcript

from .build import A, full, report, unmeasured, utterance

MADRID = ZoneInfo("Europe/Madrid")


class Terminal(io.StringIO):
    """A terminal that keeps what it is told to show."""

    def isatty(self) -> bool:
        return True


def calls_text(*reports: CallReport, file: io.StringIO | None = None) -> str:
    file = file or io.StringIO()
    print_calls(CallsReport(None, None, tuple(one.call for one in reports)), file, MADRID)
    return file.getvalue()


def call_text(one: CallReport, file: io.StringIO | None = None) -> str:
    file = file or io.StringIO()
    print_call(one, file, MADRID)
    return file.getvalue()


def row(text: str, containing: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if containing in line)
    return line.split()


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_call_is_a_row_with_the_chief_measures() -> None:
    cells = " ".join(row(calls_text(full()), "Orders"))
    assert cells == ("2026-05-04 10:02 Orders Lee Agent 1:27 54% 0:06 0:22 1 / 0 0:10 / 0:09 152 / 151 99.1%")


def test_what_is_not_known_is_a_dash() -> None:
    mixed = report(utterance(None, 0, 5_000, "hello"), sides=(None,), queue_name=None, agent_name=None)
    cells = " ".join(row(calls_text(mixed), "2026-05-04"))
    assert cells == "2026-05-04 10:02 – – 1:00 – 0:55 0:00 – / – – / – – / – 100% no contact"
    assert "not measured yet" in calls_text(unmeasured(full()))


def test_moments_have_their_zone() -> None:
    assert row(call_text(full()), "Started")[1:] == ["2026-05-04", "10:02", "CEST"]
    assert "Started: Europe/Madrid." in calls_text(full())
    file = io.StringIO()
    print_calls(CallsReport(None, None, (full().call,)), file, UTC)
    assert "Started: UTC." in file.getvalue()


def test_no_calls() -> None:
    assert calls_text() == "No calls.\n"


def test_a_file_is_wide_and_without_colour() -> None:
    text = calls_text(full())
    assert "\x1b" not in text
    assert 80 < max(map(len, text.splitlines())) <= FILE_WIDTH


@pytest.mark.parametrize("width", [72, 80, 100, 120, 200])
def test_a_table_keeps_to_the_width_and_cuts_off_no_number(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = calls_text(full(), report(queue_name="A queue with a name that never ends, or hardly ever does"))
    assert max(map(len, text.splitlines())) <= width
    assert {"2026-05-04", "10:02", "1:27", "54%", "99.1%"} <= set(text.split())
    assert text.count("…") == ("Queue" in text)  # of the long name and nothing else
    assert ("Monologue" in text.split("\n")[1]) == (width > 110)


@pytest.mark.parametrize("show", [call_text, lambda one, file: calls_text(one, file=file)])
def test_colour_is_for_terminals_without_no_color(
    show: Callable[[CallReport, io.StringIO], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flagged = replace(full(), call=report().call)
    assert "\x1b[33m" in show(flagged, Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[33m" not in show(flagged, Terminal())


def test_one_call_shows_every_group_and_the_transcript() -> None:
    text = call_text(full())
    assert row(text, "Talk time  ") == ["Talk", "time", "0:28", "0:24", "0:52", "min:s"]
    assert row(text, "Talk speed  ") == ["Talk", "speed", "152", "151", "wpm"]
    assert row(text, "Loudness") == ["Loudness", "−22.0", "−27.5", "dBFS"]
    assert row(text, "Goodbye") == ["1:24", "Agent", "Have", "a", "nice", "day.", "Goodbye."]
    assert "refused: known hallucination" in text
    assert "Thanks for watching" not in text
    assert "failed: RecognizerError" in text


def test_who_has_no_side_has_a_name() -> None:
    said = replace(utterance(None, 0, 5_000, "hello"), display_name="Ana")
    unknown = utterance(None, 6_000, 9_000, "yes")
    file = io.StringIO()
    print_transcript(report(said, unknown, sides=(None,)), file)
    assert row(file.getvalue(), "hello") == ["0:00", "Ana", "hello"]
    assert row(file.getvalue(), "yes") == ["0:06", "Unknown", "yes"]


def test_a_call_that_was_not_measured_still_has_its_transcript() -> None:
    text = call_text(unmeasured(full()))
    assert "Talk time" not in text
    assert "not measured yet" in text
    assert "Goodbye" in text


def test_markup_and_control_characters_in_words_and_names_do_nothing() -> None:
    words = "my card [card] is [bold]fine[/bold] :smile: \x1b[31mred\x07"
    text = call_text(report(utterance(A, 0, 900, words), queue_name="Q\x1b]0;x\x07"))
    assert "my card [card] is [bold]fine[/bold] :smile:  [31mred" in text
    assert "\x1b" not in text
    assert "\x07" not in text
