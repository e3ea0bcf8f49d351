from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zccvoice
from zccvoice.errors import JournalError, ProtocolError
from zccvoice.rtms.enums import StatusCode, StopReason
from zccvoice.rtms.explanations import (
    Explanation,
    Kind,
    everything,
    explain_api_error,
    explain_end,
    explain_status,
    explanations,
)
from zccvoice.rtms.wording import Whose

ALL = list(everything())
PACKAGE = Path(zccvoice.__file__).parent


def of(kind: Kind) -> dict[int | None, Explanation]:
    return {one.number: one for one in ALL if one.kind is kind}


@pytest.mark.parametrize("reason", StopReason, ids=lambda one: one.name)
def test_every_stop_reason_is_explained(reason: StopReason) -> None:
    by_number, by_name = of(Kind.STOP_REASON)[reason], explain_end(reason.name.lower())
    assert by_number == by_name
    assert by_number.name == reason.name


@pytest.mark.parametrize("status", StatusCode, ids=lambda one: one.name)
def test_every_status_code_is_explained(status: StatusCode) -> None:
    assert explain_status(status) == of(Kind.STATUS_CODE)[status]


def test_the_older_table_is_explained() -> None:
    assert set(of(Kind.OLDER_STATUS_CODE)) == set(range(76))


def heirs(error: type[Exception]) -> list[type[Exception]]:
    """An exception's subclasses, at any depth."""
    found = [one for direct in error.__subclasses__() for one in (direct, *heirs(direct))]
    return [one for one in found if one.__module__ == error.__module__]


@pytest.mark.parametrize(
    "cause",
    ["connection_lost", "connection_failed", "silent", "internal_error", "daemon_down", "shutdown", "unspecified",
     "stopped", "handshake_refused", "forbidden_host", "remote_protocol", "local_protocol", "journal",
     "journal_full", "key_missing", "decode", "config", "superseded"],
)  # fmt: skip
def test_our_own_ends_are_explained(cause: str) -> None:
    found = explain_end(cause)
    assert (found.kind, found.name) == (Kind.END_CAUSE, cause)
    assert "does not know" not in found.happened


def ends_in_the_code() -> set[str]:
    """Every cause that the program itself gives a stream's end, read from its source."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value.value, str)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            cause = node.args[0]
            if called != "StreamEnded" and not (called == "_end" and len(node.args) == 2):
                continue
            if isinstance(cause, ast.Constant) and isinstance(cause.value, str):
                found.add(cause.value)
            elif isinstance(cause, ast.Name) and cause.id in names:
                found.add(names[cause.id])
    return found


def test_every_end_that_the_code_gives_is_explained() -> None:
    found = ends_in_the_code()
    assert found >= {"connection_lost", "daemon_down", "internal_error", "recording_ended"}
    for cause in found:
        assert "does not know" not in explain_end(cause).happened, cause


@pytest.mark.parametrize("error", [*heirs(ProtocolError), JournalError, *heirs(JournalError)])
def test_an_error_that_ends_a_stream_is_explained(error: type[Exception]) -> None:
    name = error.__name__.removesuffix("Error")
    assert "does not know" not in explain_end(re.sub("(?<!^)([A-Z])", r"_\1", name).lower()).happened


def test_every_cause_of_a_gap_is_explained() -> None:
    names = {one.name for one in ALL if one.kind is Kind.GAP_CAUSE}
    ours = {"daemon_down", "connection_lost", "stream_stopped", "disk_full", "damaged_journal"}
    assert names == {"lost_packets", "undecodable", "damaged_recording", *ours}


@pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one.kind.name}-{one.number}-{one.name}")
def test_an_explanation_is_whole_sentences(one: Explanation) -> None:
    for text in (one.happened, one.advice):
        assert text[0].isupper() or text.startswith("zccvoice ")
        assert text.endswith(".")
        assert "  " not in text


def test_the_summary_is_the_first_sentence() -> None:
    assert explain_end("internal_exception").summary == "Something failed inside Zoom."
    assert explain_end("customer_disconnected").summary == "The customer hung up."


@given(st.text(max_size=40))
def test_there_is_always_an_answer(cause: str) -> None:
    assert explain_end(cause).advice
    assert all(one.advice for one in explanations(cause))


@given(st.integers(), st.text(max_size=40))
def test_any_status_is_explained(status: int, reason: str) -> None:
    assert explain_status(status, reason).advice


def test_what_is_not_known_says_so() -> None:
    assert "unknown_99" in explain_end("unknown_99").happened
    assert explain_end("unknown_99").whose is Whose.ZOOM
    assert "status 4711" in explain_status(4711).happened
    assert explanations("no such thing") == []
    assert explain_api_error(5) is None


@pytest.mark.parametrize(
    ("status", "reason", "name"),
    [
        (15, "invalid signature", "INVALID_SIGNATURE"),
        (17, "Duplicate signal request", "DUPLICATE_SIGNAL_REQUEST"),
        (31, "duplicate media connection", "DUPLICATE_MEDIA_DATA_CONNECTION"),
        (15, "", "MEDIA_DATA_ALL_CONNECTION_EXIST"),
        (75, "", "session not found"),
    ],
)
def test_zooms_text_goes_before_its_number(status: int, reason: str, name: str) -> None:
    assert explain_status(status, reason).name == name


def test_a_number_may_mean_several_things() -> None:
    assert [one.kind for one in explanations("26")] == [
        Kind.STOP_REASON,
        Kind.STATUS_CODE,
        Kind.OLDER_STATUS_CODE,
    ]
    assert [one.kind for one in explanations("2310")] == [Kind.API_ERROR]


@pytest.mark.parametrize(
    "asked", ["STOP_BC_STREAMING_NOT_SUPPORTED", "streaming_not_supported", "Streaming not supported", " 26 "]
)
def test_names_in_every_spelling(asked: str) -> None:
    assert explanations(asked)[0].number == 26


def test_ends_and_gaps_share_names() -> None:
    assert [one.kind for one in explanations("daemon_down")] == [Kind.END_CAUSE, Kind.GAP_CAUSE]
