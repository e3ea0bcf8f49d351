"""A rules file is read whole, or every problem of it is told with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zccvoice
from zccvoice.analytics.record import Side
from zccvoice.analytics.rules import Condition, Limit, Phrases, Quantity, Rule, Unit, Window
from zccvoice.analytics.rules_file import LIMITS, WINDOWS, read_rules
from zccvoice.analytics.thresholds import Thresholds
from zccvoice.errors import ConfigError

GREETING = """
[[rule]]
name = "no_greeting"
description = "The agent did not greet."
queues = ["Orders"]
products = ["contact_center"]
languages = ["EN"]
pause_sound_s = 30

[[rule.when]]
any_of = ["thank you for calling", "good morning"]
side = "agent"
first_ms = 15_000
negate = true

[[rule.when]]
silence_above_ms = 20_000
last_percent = 25
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_rules(text, "rules.toml")
    return caught.value.problems


def test_every_key() -> None:
    (rule,) = read_rules(GREETING, "rules.toml")
    assert rule == Rule(
        "no_greeting",
        (
            Condition(
                Phrases(("thank you for calling", "good morning")), Side.AGENT, Window(0, 15_000), negate=True
            ),
            Condition(Limit(Quantity.SILENCE_MS, 20_000), window=Window(-25, None, Unit.PERCENT)),
        ),
        "The agent did not greet.",
        ("Orders",),
        ("contact_center",),
        ("en",),
        30,
    )


def test_the_page_about_rules_tells_every_key() -> None:
    page = (Path(zccvoice.__file__).parents[1] / "docs" / "rules.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (rule,) = read_rules(example, "rules.md")
    assert (rule.queues, rule.pause_sound_s) == (("Orders", "q_4711"), 30)
    assert all(f"`{key}" in page for key in (*LIMITS, *WINDOWS, "any_of", "all_of"))


@pytest.mark.parametrize("least_ms", [1_000, 3_000, 5_000])
def test_the_shortest_silence_is_that_of_the_thresholds_in_force(least_ms: int) -> None:
    thresholds = Thresholds(silence_above_ms=least_ms)
    text = '[[rule]]\nname = "silent"\n[[rule.when]]\nsilence_above_ms = {}\n'
    (rule,) = read_rules(text.format(least_ms), "rules.toml", thresholds)
    assert rule.when == (Condition(Limit(Quantity.SILENCE_MS, least_ms)),)
    with pytest.raises(ConfigError) as caught:
        read_rules(text.format(least_ms - 1), "rules.toml", thresholds)
    assert caught.value.problems == [
        f"rules.toml:4: silence_above_ms: expected a number, {least_ms} to 86400000, got {least_ms - 1}"
    ]


def test_a_file_without_rules_has_none() -> None:
    assert read_rules("", "rules.toml") == ()


def test_all_problems_at_once_each_with_its_line() -> None:
    text = '''# A comment
[[rule]]
name = "one"
descripton = """
name = "a text of several lines"
"""
products = ["phone", "fax"]

[[rule.when]]
silence_above_ms = 10
side = "agent"

[[rule.when]]
any_of = ["refund", "!"]
first_ms = 1
last_ms = 2
side = "robot"

[[rule]]
name = "two"

[[rule]]
[[rule.when]]
talk_speed_above_wpm = 100
negate = 1

[[rule.when]]
hold_above_ms = 1
all_of = ["x"]
between_percent = [50, 110]
'''
    assert problems(text) == [
        "rules.toml:4: descripton: no such key; did you mean description?",
        "rules.toml:7: products: expected some of contact_center, meeting, webinar, video_sdk, phone, got 'fax'",
        "rules.toml:10: silence_above_ms: expected a number, 3000 to 86400000, got 10",
        "rules.toml:11: side: a silence is of no side",
        "rules.toml:14: any_of: expected words, got '!'",
        "rules.toml:16: expected at most one window, got first_ms and last_ms",
        "rules.toml:17: side: expected agent, customer, other, got 'robot'",
        "rules.toml:19: when: expected at least one condition, under [[rule.when]]",
        "rules.toml:22: name: required",
        "rules.toml:23: side: required with a talk speed",
        "rules.toml:25: negate: expected true or false, got 1",
        "rules.toml:28: expected one filter "
        f"(any_of, all_of, {', '.join(LIMITS)}), got all_of and hold_above_ms",
        "rules.toml:30: between_percent: expected two rising numbers, 0 to 100, got [50, 110]",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[rule]\n", "rules.toml: not TOML: "),
        ("rule = 3\n", "rules.toml:1: rule: expected tables, each under [[rule]]"),
        ("\nrules = []\n", "rules.toml:2: rules: no such key; did you mean rule?"),
        ('rule = [{name = "a", when = [{}]}]', "rules.toml:1: expected one filter"),
        (
            '[[rule]]\nname = "a"\nwhen = [{any_of = []}]',
            "rules.toml:3: any_of: expected at least one phrase",
        ),
        (
            '[[rule]]\nname = "a"\nwhen = [{any_of = "refund"}]',
            "rules.toml:3: any_of: expected a list of texts, got 'refund'",
        ),
        (
            '[[rule]]\nname = "a "\nwhen = [{any_of = ["x"]}]',
            "rules.toml:2: name: expected at most 100 printable",
        ),
        (
            '[[rule]]\nname = "a"\nwhen = [{hold_above_ms = nan}]',
            "rules.toml:3: hold_above_ms: expected a number",
        ),
        (
            '[[rule]]\nname = "a"\nwhen = [{hold_above_ms = 1, side = "agent"}]',
            "rules.toml:3: side: a hold is of no side",
        ),
        (
            '[[rule]]\nname = "a"\npause_sound_s = 5\nwhen = [{any_of = ["x"]}]',
            "rules.toml:3: pause_sound_s: expected a number of seconds, 10 to 3600, got 5",
        ),
        (
            '[[rule]]\npause_sound_s = true\nname = "a"\nwhen = [{any_of = ["x"]}]',
            "rules.toml:2: pause_sound_s: expected a number of seconds, 10 to 3600, got True",
        ),
        (
            '[[rule]]\nname = "a"\nwhen = [{any_of = ["x"], last_ms = 0}]',
            "rules.toml:3: last_ms: expected a number above 0",
        ),
    ],
)
def test_what_is_wrong(text: str, problem: str) -> None:
    (only,) = problems(text)
    assert only.startswith(problem)


def test_a_name_is_taken_once() -> None:
    rule = '[[rule]]\nname = "{}"\n[[rule.when]]\nany_of = ["x"]\n'
    assert problems(rule.format("One") + rule.format("one")) == [
        "rules.toml:6: name: expected one that no other rule has, got 'one' again"
    ]


phrases = st.lists(st.text("aé'\"\\ \n", min_size=1).filter(lambda one: "a" in one), min_size=1, max_size=3)
filters = st.one_of(
    st.builds(Phrases, phrases.map(tuple), st.booleans()),
    st.builds(Limit, st.just(Quantity.SILENCE_MS), st.integers(3_000, 86_400_000).map(float)),
    st.builds(Limit, st.just(Quantity.HOLD_MS), st.floats(0, 86_400_000).map(round).map(float)),
    st.builds(
        Limit, st.just(Quantity.SENTIMENT), st.integers(-50, 50).map(lambda one: one / 10), st.booleans()
    ),
    st.builds(Limit, st.just(Quantity.INTERRUPTIONS_COUNT), st.integers(0, 100).map(float)),
)
windows = st.one_of(
    st.just(Window()),
    st.builds(Window, st.just(0), st.integers(1, 86_400_000)),
    st.builds(Window, st.integers(-100, -1), st.none(), st.just(Unit.PERCENT)),
    st.builds(Window, st.integers(0, 49), st.integers(50, 100), st.just(Unit.PERCENT)),
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any rule that a file can hold."""
    conditions = []
    for filter_ in draw(st.lists(filters, min_size=1, max_size=3)):
        has_side = isinstance(filter_, Phrases) or filter_.quantity not in (
            Quantity.SILENCE_MS,
            Quantity.HOLD_MS,
        )
        side = draw(st.none() | st.sampled_from(Side)) if has_side else None
        conditions.append(Condition(filter_, side, draw(windows), draw(st.booleans())))
    limited = st.lists(st.sampled_from(["en", "de"]), max_size=2).map(tuple)
    queues = draw(st.lists(st.text("Aé\"' ", min_size=1), max_size=2).map(tuple))
    pause_s = draw(st.just(0) | st.integers(10, 3_600))
    return Rule("a rule", tuple(conditions), draw(st.text("é\"'\n#=[")), queues, (), draw(limited), pause_s)


@given(rules())
def test_the_stored_text_of_a_rule_is_the_rule(rule: Rule) -> None:
    """So a stored hit can be explained for ever, and the same content is the same revision."""
    assert read_rules(rule.text, "stored") == (rule,)
