"""Report → a folder of web pages: an index of calls, and one page per call with a picture of who spoke when.

The pages need nothing else: no font, no image, no network, and no script but the one that plays a call's sound in
step with its transcript; a policy in each forbids everything else. They follow the reader's light or dark setting
and can be printed. Everything that was said or named is escaped.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from functools import cache, partial
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from zccvoice.reports import figures, picture, transcript
from zccvoice.reports.calls import CallReport
from zccvoice.reports.figures import Figure
from zccvoice.reports.measures import GROUPS, flags
from zccvoice.reports.private_file import private_file
from zccvoice.reports.sound import PageSound
from zccvoice.store.reads import CallRow

INDEX = "index.html"
_TEMPLATES = Path(__file__).parent / "templates"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_html(reports: Iterable[CallReport], folder: Path, tz: tzinfo | None = None) -> Path:
    """Write an index of the calls and a page for each, every one whole or as it was, and its owner's alone.

    Args:
        reports: the calls in the order of the index; each is held only while its page is written.
        folder: where to; made if it is not there. Pages of the same calls are replaced, others stay.
        tz: the reader's time zone; None is this machine's.

    Returns:
        The path of the index.

    Raises:
        OSError: a page cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    calls: list[CallRow] = []
    for report in reports:
        with private_file(folder / page_name(report.call.engagement_id)) as page:
            page.write(call_page(report, tz, index=INDEX).encode())
        calls.append(report.call)
    with private_file(folder / INDEX) as index:
        index.write(index_page(calls, tz).encode())
    return folder / INDEX


def page_name(engagement_id: str) -> str:
    """The file name of a call's page. An engagement id may hold anything, so it is not the id itself."""
    return f"call-{sha256(engagement_id.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}.html"


def index_page(calls: Sequence[CallRow], tz: tzinfo | None = None) -> str:
    """The page that lists the calls and links to theirs."""
    moments = sorted(call.started_at for call in calls if call.started_at is not None)
    measured = [call.scorecard for call in calls if call.scorecard is not None]
    return render(
        "index.html.j2",
        tz,
        moments[-1] if moments else None,
        calls=calls,
        days=[
            (name, list(of_day))
            for name, of_day in groupby(calls, lambda call: figures.day(call.started_at, tz))
        ],
        first=moments[0] if moments else None,
        last=moments[-1] if moments else None,
        total_ms=sum(scorecard.duration_ms for scorecard in measured),
        damaged_count=sum(scorecard.damaged for scorecard in measured),
    )


def call_page(
    report: CallReport, tz: tzinfo | None = None, *, sound: PageSound | None = None, index: str | None = None
) -> str:
    """The page of one call.

    Args:
        report: the call.
        tz: the reader's time zone; None is this machine's.
        sound: what it plays.
        index: the page that it belongs to, a file in the same folder.
    """
    return render(
        "call.html.j2",
        tz,
        report.call.started_at,
        policy=_POLICY if sound is None else _playing_policy(sound),
        index=index,
        sound=sound,
        script=_player(),
        call=report.call,
        scorecard=report.call.scorecard,
        groups=GROUPS,
        picture=picture.picture(report),
        drawing=picture,
        lines=transcript.lines(report),
        sides=transcript.SIDES,
    )


def _playing_policy(sound: PageSound) -> str:
    """The one script may run, and the one sound be played."""
    script = b64encode(sha256(_player().encode()).digest()).decode("ascii")
    source = "data:" if sound.is_within else "'self' file:"
    return f"{_POLICY}; script-src 'sha256-{script}'; media-src {source}"


@cache
def _player() -> str:
    """The script, which is ours alone: nothing of a call is in it."""
    return (_TEMPLATES / "player.js").read_text(encoding="utf-8")


def render(template: str, tz: tzinfo | None, moment: datetime | None, **values: object) -> str:
    """A template with its values; `moment` tells how the time zone is called."""
    return (
        _environment()
        .get_template(template)
        .render(
            **{"policy": _POLICY, **values},
            clock=partial(figures.clock, tz=tz),
            day=partial(figures.day, tz=tz),
            time_of_day=partial(figures.time_of_day, tz=tz),
            zone=figures.zone(moment, tz) if moment else "local time",
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "duration": figures.duration,
        "share": figures.share,
        "signed": figures.signed,
        "written": figures.written,
    }
    environment.globals |= {"Figure": Figure, "flags": flags, "page_name": page_name}
    return environment
