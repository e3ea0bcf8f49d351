"""What Zoom's numbers and our own causes mean, in plain words: what happened, whose doing it is, what to do.

`explained_ends` and `explained_statuses` hold the texts; this is how to find one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from zccvoice.rtms.enums import StatusCode, StopReason
from zccvoice.rtms.explained_ends import END_CAUSES, GAP_CAUSES, STOP_REASONS
from zccvoice.rtms.explained_statuses import API_ERRORS, OLDER_STATUS_CODES, STATUS_CODES
from zccvoice.rtms.wording import Text, Whose


class Kind(StrEnum):
    """What is explained."""

    STOP_REASON = "stop reason"
    """Zoom's, of a stream's end (RTMS_STOP_REASON)."""
    STATUS_CODE = "status code"
    """Zoom's, in the answer to a handshake (RTMS_STATUS_CODE)."""
    OLDER_STATUS_CODE = "status code, older table"
    """The same, as some of Zoom's servers still number them."""
    API_ERROR = "error of Zoom's REST API"
    END_CAUSE = "end of a stream, by us"
    """In ``end_reason`` of the database and ``cause`` of the log, beside Zoom's stop reasons."""
    GAP_CAUSE = "cause of a gap"
    """In ``reporting.gap``."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One number or name, in plain words."""

    kind: Kind
    number: int | None
    name: str
    """Zoom's name, or ours; of the older table, and of the API, what it stands for."""
    happened: str
    whose: Whose
    advice: str
    """What an operator should do."""

    @property
    def summary(self) -> str:
        """What happened, in the first sentence: for a line in the log."""
        return self.happened.partition(". ")[0].rstrip(".") + "."


_END_PREFIX = "STOP_BC_"
_STATUS_PREFIX = "STATUS_"
_UNKNOWN_REASON = re.compile(r"UNKNOWN_-?[0-9]+")


def explain_end(cause: str) -> Explanation:
    """What a stream's end means, by `StreamEnded.cause` or ``end_reason``; there is always an answer."""
    if (member := StopReason.__members__.get(cause.upper().removeprefix(_END_PREFIX))) is not None:
        return _explanation(Kind.STOP_REASON, member, member.name, STOP_REASONS[member])
    text = END_CAUSES.get(cause)
    if text is None:
        text = Text(
            f"The stream ended with {cause!r}, which this version does not know.",
            Whose.ZOOM if cause.startswith("unknown_") else Whose.US,
            "Look at the log lines of the stream (its ids are on them); if it repeats, update this program.",
        )
    return _explanation(Kind.END_CAUSE, None, cause, text)


def explain_status(status_code: int, reason: str = "") -> Explanation:
    """What a refused handshake means. Zoom's text goes before its number, because two tables of them exist."""
    told = reason.lower()
    if "signature" in told:
        status_code = StatusCode.INVALID_SIGNATURE
    elif "duplicate" in told:
        is_media = "media" in told or "data" in told
        status_code = (
            StatusCode.DUPLICATE_MEDIA_DATA_CONNECTION if is_media else StatusCode.DUPLICATE_SIGNAL_REQUEST
        )
    try:
        known = StatusCode(status_code)
    except ValueError:
        return _older_status(status_code)
    return _explanation(Kind.STATUS_CODE, known, known.name, STATUS_CODES[known])


def explain_api_error(code: int) -> Explanation | None:
    """What an HTTP status or an error code of Zoom's REST API means, if we know."""
    text = API_ERRORS.get(code)
    return None if text is None else _explanation(Kind.API_ERROR, code, str(code), text)


def explanations(asked: str) -> list[Explanation]:
    """Everything that goes by this number or name, in whatever spelling Zoom or we use; may be empty."""
    name = _plain(asked.strip())
    if _UNKNOWN_REASON.fullmatch(name):  # as we write down a reason of Zoom's that we do not know
        return [explain_end(name.lower())]
    return [one for one in everything() if name in (str(one.number), _plain(one.name))]


def everything() -> Iterator[Explanation]:
    """All of them: stop reasons, status codes, the API's errors, our causes."""
    for reason, text in STOP_REASONS.items():
        yield _explanation(Kind.STOP_REASON, reason, reason.name, text)
    for status, text in STATUS_CODES.items():
        yield _explanation(Kind.STATUS_CODE, status, status.name, text)
    for number in OLDER_STATUS_CODES:
        yield _older_status(number)
    for number, text in API_ERRORS.items():
        yield _explanation(Kind.API_ERROR, number, str(number), text)
    yield from _named(Kind.END_CAUSE, END_CAUSES)
    yield from _named(Kind.GAP_CAUSE, GAP_CAUSES)


def _named(kind: Kind, texts: Mapping[str, Text]) -> Iterator[Explanation]:
    for name, text in texts.items():
        yield _explanation(kind, None, name, text)


def _older_status(number: int) -> Explanation:
    name, text = OLDER_STATUS_CODES.get(number, ("unknown", None))
    if text is None:
        text = Text(
            f"Zoom refused a handshake with status {number}, which stands in neither of its tables.",
            Whose.ZOOM,
            "Read the reason that Zoom gave beside it, in the log; if it repeats, ask Zoom with the stream's ids.",
        )
    return _explanation(Kind.OLDER_STATUS_CODE, number, name, text)


def _explanation(kind: Kind, number: int | None, name: str, text: Text) -> Explanation:
    plain_number = None if number is None else int(number)
    return Explanation(kind, plain_number, name, text.happened, text.whose, text.advice)


def _plain(name: str) -> str:
    upper = name.upper().replace(" ", "_").replace("-", "_")
    return upper.removeprefix(_END_PREFIX).removeprefix(_STATUS_PREFIX)
