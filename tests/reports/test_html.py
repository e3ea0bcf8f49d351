"""The pages: well formed, escaped, in need of nothing else."""

from __future__ import annotations

import re
import stat
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from zccvoice.analytics.record import CallEvent, Span
from zccvoice.reports.calls import CallReport
from zccvoice.reports.html import call_page, index_page, page_name, write_html
from zccvoice.reports.sound import sound_beside, sound_within
from zccvoice.store.hits import RuleHit

from .build import STARTED, A, C, full, lively, report, unmeasured, utterance, with_more

MADRID = ZoneInfo("Europe/Madrid")
VOID = {"meta", "link", "img", "br", "hr", "input"}
LEAVES = {"rect", "path", "line", "circle"}
"""Of a drawing: without content they are closed in one tag."""
NASTY = '</title><script>alert("1")</script><img src=x onerror=y> & \' {{ 7 * 7 }}'


class Page(HTMLParser):
    """Checks that tags balance, and keeps tags, ids, links and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"an attribute of {tag} twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in LEAVES
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


EVERY_KIND = [
    full(),
    lively(),
    unmeasured(full()),
    report(streams=(), sides=()),
    report(),
    report(utterance(None, 0, 4_000, "mixed"), sides=(None,)),
    report(utterance(A, 0, 400_000, "long"), utterance(C, 2_000, 3_000, None), end_ms=800_000),
    report(streams=(Span(0, 9_000), Span(20_000, 30_000)), events=(CallEvent("stream_paused", 4_000),)),
    report(utterance(A, 0, 4_000, NASTY), queue_name=NASTY, agent_name=NASTY, engagement_id=NASTY),
]


@pytest.mark.parametrize("one", EVERY_KIND)
def test_pages_are_well_formed_and_need_nothing_else(one: CallReport) -> None:
    for text in (call_page(one, MADRID), index_page([one.call], MADRID)):
        page = Page(text)
        names = {tag for tag, _ in page.tags}
        assert not names & {
            "script",
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "image",
            "use",
        }
        assert not re.search(
            r"https?://|@import|url\((?!#)|javascript:|\bon\w+\s*=\s*\"", text.replace(NASTY, "")
        )
        for _, attributes in page.tags:
            assert not any(name.startswith("on") for name in attributes)
            assert not {"src", "srcset", "data", "xlink:href"} & set(attributes)
        policy = next(one["content"] for one in page.all("meta") if "http-equiv" in one)
        assert policy == "default-src 'none'; style-src 'unsafe-inline'"


@pytest.mark.parametrize("one", EVERY_KIND)
def test_links_lead_somewhere(one: CallReport) -> None:
    page = Page(call_page(one, MADRID))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link["href"] == "index.html" or (link["href"] or "").removeprefix("#") in ids
    for used in re.findall(r"url\(#(\w+)\)", "".join(str(a) for _, a in page.tags)):
        assert used in ids


def test_what_was_said_and_named_is_text_and_nothing_else() -> None:
    one = report(utterance(A, 0, 4_000, NASTY), queue_name=NASTY, agent_name=NASTY, engagement_id=NASTY)
    one = replace(one, utterances=(replace(one.utterances[0], display_name=NASTY),))
    for text in (call_page(one), index_page([one.call])):
        assert "<script" not in text
        assert "&lt;script&gt;" in text
        assert NASTY in Page(text).text


def test_the_picture_shows_who_spoke_when() -> None:
    page = Page(call_page(full(), MADRID))
    drawing = page.all("svg")[0]
    assert (drawing["role"], drawing["aria-labelledby"]) == ("img", "picture-title picture-words")
    kinds = [attributes.get("class") or "" for attributes in page.all("rect")]
    assert kinds.count("agent-bar") == 6 + 1  # and one in the legend
    assert kinds.count("agent-bar faint") == 1 + 1
    assert kinds.count("customer-bar open-bar") == 2
    assert (kinds.count("hold"), kinds.count("silence"), kinds.count("gap")) == (2, 2, 2)
    assert len(page.all("path")) == 2  # the interruption, and the legend
    for words in ("Agent 0:09–0:09: Mhm.", "Hold 22 s", "Customer: 1.4 s of audio missing from 1:04"):
        assert words in page.text


def test_a_call_page_has_measures_with_units_and_definitions_and_the_transcript() -> None:
    text = Page(call_page(full(), MADRID)).text
    assert "Monday, 4 May 2026, 10:02 Orders · Lee Agent · engagement-1" in text
    assert "Talk speed 152 wpm 151 wpm Words per minute of the side's own transcribed speech" in text
    assert "Hold 0:22 Time on hold." in text
    assert "1:07 Customer refused: known hallucination 1:12" in text
    assert "0:35 On hold for 22 s" in text
    assert "Times are in CEST" in text


def test_what_is_not_known_is_a_dash_and_never_a_zero() -> None:
    text = Page(call_page(report(utterance(None, 0, 4_000, "mixed"), sides=(None,)), MADRID)).text
    assert "Turns – – Turns of the side" in text
    assert "Agent’s talk share –" in text


def test_a_call_that_was_not_measured_says_so() -> None:
    text = Page(call_page(unmeasured(full()), MADRID)).text
    assert "not measured yet" in text
    assert "This call has not been measured yet." in text
    assert "Have a nice day" in text


def test_a_call_of_which_nothing_was_heard_says_so() -> None:
    text = Page(call_page(report(streams=(), sides=()), MADRID)).text
    assert "Nothing of this call was heard." in text
    assert "Nobody spoke." in text


def test_the_index_lists_calls_by_day_and_links_to_their_pages() -> None:
    before = report(engagement_id="e2", queue_name="Billing")
    before = replace(before, call=replace(before.call, started_at=STARTED - timedelta(days=1)))
    page = Page(index_page([full().call, unmeasured(before).call], MADRID))
    assert [link["href"] for link in page.all("a")] == [page_name("engagement-1"), page_name("e2")]
    assert "Monday, 4 May 2026 10:02 Orders Lee Agent 1:27 54 % 0:06 0:22 1 / 0" in page.text
    assert "Sunday, 3 May 2026 10:02 Billing Lee Agent not measured yet" in page.text
    assert "2 calls, 2026-05-03 10:02 to 2026-05-04 10:02 (CEST) · 1:27 in all" in page.text
    assert Page(index_page([full().call], UTC)).text.count("08:02") == 3


def test_an_index_without_calls() -> None:
    assert "0 calls No calls in this period." in Page(index_page([])).text


def test_damaged_audio_is_seen_at_once() -> None:
    scorecard = full().call.scorecard
    assert scorecard is not None
    call = replace(full().call, scorecard=replace(scorecard, damaged=True, coverage_ratio=0.5))
    assert "1 with damaged audio" in Page(index_page([call])).text
    assert {"class": "flag damaged"} in Page(call_page(replace(full(), call=call))).all("span")


@pytest.mark.parametrize(
    "engagement_id", ["../../etc/passwd", "a/b", "", ".", "A" * 500, "half \ud800", "nul\0"]
)
def test_a_page_name_is_a_plain_file_name(engagement_id: str) -> None:
    assert re.fullmatch(r"call-[0-9a-f]{16}\.html", page_name(engagement_id))


def test_writing_makes_the_folder_an_index_and_a_page_for_each_call(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    index = write_html(iter([full(), report(engagement_id="../e2")]), folder, MADRID)
    assert index == folder / "index.html"
    pages = {"index.html", page_name("engagement-1"), page_name("../e2")}
    assert {path.name for path in folder.iterdir()} == pages
    assert (folder / page_name("engagement-1")).read_text(encoding="utf-8") == call_page(
        full(), MADRID, index="index.html"
    )
    linked = {link["href"] for link in Page(index.read_text(encoding="utf-8")).all("a")}
    assert linked | {"index.html"} == pages
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_pages_that_are_broken_off_are_as_they_were(tmp_path: Path) -> None:
    write_html([full()], tmp_path, MADRID)
    before = {path: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}

    def broken_off() -> Iterator[CallReport]:
        yield full()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_html(broken_off(), tmp_path, UTC)
    index = tmp_path / "index.html"
    assert index.read_text(encoding="utf-8") == before[index]
    assert set(tmp_path.iterdir()) == set(before)


# With its sound


SOUND = sound_within(b"OggS and so on", has_sides=True)


def test_a_page_with_sound_runs_one_script_and_plays_one_sound() -> None:
    text = call_page(lively(), MADRID, sound=SOUND)
    page = Page(text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    policy = next(one["content"] for one in page.all("meta") if "http-equiv" in one)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; media-src data:"
    )
    (audio,) = page.all("audio")
    assert audio["src"] == f"data:audio/ogg;base64,{b64encode(b'OggS and so on').decode()}"
    assert not re.search(r"https?://|@import|url\((?!#)|javascript:|\bon\w+\s*=\s*\"", text)


def test_a_sound_beside_the_page_is_a_file_of_its_folder() -> None:
    page = Page(call_page(full(), MADRID, sound=sound_beside("a call #1.ogg", has_sides=False)))
    assert page.all("audio")[0]["src"] == "a%20call%20%231.ogg"
    assert "media-src 'self' file:" in str(page.all("meta"))
    assert "All sides together." in page.text


def test_utterances_can_be_played_from_the_keyboard_and_found_in_the_picture() -> None:
    page = Page(call_page(full(), MADRID, sound=SOUND))
    spoken = [one for one in page.all("li") if "data-start" in one]
    assert [one["data-start"] for one in spoken] == [str(row.start_ms) for row in full().utterances]
    assert [one["aria-label"] for one in page.all("button")][:2] == ["Play from 0:01", "Play from 0:06"]
    assert {one["href"] for one in page.all("a")} == {f"#{one['id']}" for one in spoken}
    assert sum(one.get("class") == "cursor" for one in page.all("line")) == 1


def test_without_sound_there_is_nothing_to_press() -> None:
    page = Page(call_page(lively(), MADRID))
    assert not {"script", "audio", "button", "select"} & {tag for tag, _ in page.tags}


def test_what_was_said_cannot_end_the_script_or_the_sound() -> None:
    one = report(utterance(A, 0, 4_000, NASTY), queue_name=NASTY, agent_name=NASTY, engagement_id=NASTY)
    text = call_page(with_more(one, hits=(RuleHit(NASTY, 1, 0, 9, None),)), MADRID, sound=SOUND)
    assert text.count("<script") == 1
    assert NASTY in Page(text.replace("<script>", "<style>").replace("</script>", "</style>")).text


def test_loudness_sentiment_and_rules_are_shown_in_picture_and_words() -> None:
    page = Page(call_page(lively(), MADRID))
    assert [one["class"] for one in page.all("path") if "loudness" in (one["class"] or "")] == [
        "loudness agent-bar",
        "loudness customer-bar",
        "loudness agent-bar",  # the legend
    ]
    assert "Customer ▼ −0.8 Hello, yes" in page.text
    assert "Agent · Lee Agent interrupts ▼ −0.1 I am sorry" in page.text
    assert "0:12 Rule matched: order number – “order number”" in page.text
    assert "Rule long hold (revision 1) matched at 0:35: 21500 ms > 20000 ms" in page.text
    for label in ("Loudness, −60 to 0 dBFS", "Sentiment, −1 to +1, good above the line", "Rule matched"):
        assert label in page.text


def test_a_call_without_scores_and_rules_has_no_place_for_them() -> None:
    text = Page(call_page(full(), MADRID)).text
    assert "Sentiment, −1 to +1, good above the line" not in text
    assert "Rules" not in text


def test_a_call_of_two_hours_has_a_page_of_ordinary_size() -> None:
    spoken = [
        utterance((A, C)[n % 2], n * 3_600, n * 3_600 + 3_000, "Some words of it.") for n in range(2_000)
    ]
    text = call_page(with_more(report(*spoken, end_ms=7_200_000)), MADRID)
    assert len(text) < 2_500_000
    assert len(Page(text).all("li")) > 2_000
