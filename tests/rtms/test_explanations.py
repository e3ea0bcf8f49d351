from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_every_cause_of_a_gap_is_explained() -> None:
    names = {one.name for one in ALL if one.kind is Kind.GAP_CAUSE}
    ours = {"daemon_down", "connection_lost", "disk_full", "damaged_journal"}
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
