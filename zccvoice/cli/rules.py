"""``zccvoice rules``: check a rules file, try it on stored calls, apply it to them."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from sqlalchemy import Engine

from zccvoice.analytics.rules import Rule
from zccvoice.analytics.rules_file import load_rules
from zccvoice.analytics.rules_matching import Evidence, Listener
from zccvoice.analytics.thresholds import Thresholds, thresholds_with
from zccvoice.cli import settings
from zccvoice.cli.periods import moment
from zccvoice.errors import ConfigError
from zccvoice.store import reads, removals
from zccvoice.store.database import require_current_schema, transaction
from zccvoice.store.rules import EndedCall, ended_calls, judge, rule_book


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "rules", description="Check a file of rules, try it on stored calls, or store what matches in them."
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    one = actions.add_parser("check", help="is a rules file in order?")
    one.add_argument("file", type=Path, metavar="FILE")
    settings.add_arguments(one)
    one.set_defaults(run=run_check)
    one = actions.add_parser(
        "test",
        help="what would match stored calls, and why; changes nothing",
        description="Judge the stored calls of a period by the rules of a file, and show every hit with its "
        "place in the call. Nothing is stored and nobody is told.",
    )
    one.add_argument("file", type=Path, metavar="FILE")
    _add_period(one)
    one.add_argument("--rule", action="append", metavar="NAME", help="only this one; may be given again")
    one.add_argument("--json", action="store_true", help="print one JSON document instead")
    one.set_defaults(run=run_test)
    one = actions.add_parser(
        "apply",
        help="write the hits of stored calls",
        description="Judge the stored calls of a period and store the hits, in place of those that rules of the "
        "same names had. Nobody is told of them.",
    )
    one.add_argument("file", type=Path, nargs="?", metavar="FILE", help="default: rules.file of the settings")
    _add_period(one)
    one.set_defaults(run=run_apply)


def _add_period(parser: argparse.ArgumentParser) -> None:
    settings.add_arguments(parser)
    parser.add_argument(
        "--since",
        type=moment,
        required=True,
        metavar="WHEN",
        help="a day or time in local time (2026-05-01), or an age (7d, 12h)",
    )
    parser.add_argument("--until", type=moment, metavar="WHEN", help="the same; not included")


def run_check(options: argparse.Namespace) -> int:
    """0 when nothing is wrong with it."""
    config = settings.load(options)
    rules = load_rules(options.file, thresholds_with(config.measures.thresholds))
    for rule in rules:
        print(rule.name)
        for condition in rule.when:
            print(f"    {condition}")
    print(f"{options.file}: {len(rules)} rules, in order", file=sys.stderr)
    return 0


@dataclass(frozen=True, slots=True)
class JudgedCall:
    """What a rule set makes of one call."""

    call: EndedCall
    hits: dict[str, tuple[Evidence, ...]]
    """By the rule's name: where it matched."""
    unknown: list[str] = field(default_factory=list)
    """Rules of which it cannot be known."""


def run_test(options: argparse.Namespace) -> int:
    """0, also when nothing matches."""
    config = settings.load(options)
    thresholds = thresholds_with(config.measures.thresholds)
    rules = _chosen(load_rules(options.file, thresholds), options.rule or [])
    with settings.database(config) as engine:
        require_current_schema(engine)
        calls = _calls(engine, options)
        judged = [
            one for call in _with_bar(calls) if (one := _judged(engine, call, rules, thresholds)) is not None
        ]
    if options.json:
        print(json.dumps(_document(rules, judged), ensure_ascii=False, indent=2))
    else:
        _print(rules, judged)
    _tell_pruned(len(calls) - len(judged))
    return 0


def run_apply(options: argparse.Namespace) -> int:
    """0 when all are judged."""
    config = settings.load(options)
    path = options.file or config.rules.file
    if path is None:
        raise ConfigError(["rules.file: required, or a FILE"])
    thresholds = thresholds_with(config.measures.thresholds)
    rules = load_rules(path, thresholds)
    matched = pruned = 0
    with settings.database(config) as engine:
        require_current_schema(engine)
        with transaction(engine) as connection:
            book = rule_book(connection, rules)
        calls = _calls(engine, options)
        for call in _with_bar(calls):
            with transaction(engine) as connection:
                if not removals.lock_living(connection, call.engagement_id):
                    continue
                record = reads.call_record(connection, call.engagement_id)
                if removals.is_pruned(connection, record):  # the hits that it has stay
                    pruned += 1
                    continue
                now = datetime.now(UTC)
                matched += judge(connection, record, book, now, thresholds=thresholds, announces=False) > 0
    judged = len(calls) - pruned
    print(f"{judged} calls judged by {len(rules)} rules; {matched} of them have hits", file=sys.stderr)
    _tell_pruned(pruned)
    return 0


def _chosen(rules: Sequence[Rule], names: Sequence[str]) -> list[Rule]:
    if unknown := set(names) - {rule.name for rule in rules}:
        raise ConfigError([f"--rule {name}: the file has no such rule" for name in sorted(unknown)])
    return [rule for rule in rules if not names or rule.name in names]


def _calls(engine: Engine, options: argparse.Namespace) -> list[EndedCall]:
    with transaction(engine) as connection:
        return ended_calls(connection, options.since, options.until)


def _with_bar(calls: Sequence[EndedCall]) -> Iterator[EndedCall]:
    console = Console(stderr=True)
    yield from track(calls, "Judging", console=console, transient=True, disable=not console.is_terminal)


def _tell_pruned(count: int) -> None:
    if count:
        print(f"{count} calls: what was said is no longer kept", file=sys.stderr)


def _judged(
    engine: Engine, call: EndedCall, rules: Sequence[Rule], thresholds: Thresholds
) -> JudgedCall | None:
    """None where what was said is no longer kept."""
    with transaction(engine) as connection:
        record = reads.call_record(connection, call.engagement_id)
        if removals.is_pruned(connection, record):
            return None
    listener = Listener(record, thresholds)
    findings = {rule.name: listener.judge(rule, call.origin) for rule in rules}
    hits = {name: finding.evidence for name, finding in findings.items() if finding.holds}
    return JudgedCall(call, hits, [name for name, finding in findings.items() if finding.holds is None])


def _print(rules: Sequence[Rule], judged: Sequence[JudgedCall]) -> None:
    for one in judged:
        if one.hits:
            print(f"{_started(one.call)}  {one.call.origin.queue_name or '-'}  {one.call.engagement_id}")
        for name, places in one.hits.items():
            print(f"    {name}")
            for place in places:
                span = f"{_time(place.start_ms)} to {_time(place.end_ms)}"
                print(f"        {span}  {place.side or 'call':8}  {place.why}")
    width = max((len(rule.name) for rule in rules), default=0)
    matched, unknown = _counts(judged)
    print(f"{'rule':{width}}  {'matched':>8}  {'not known':>9}  {'calls':>8}")
    for rule in rules:
        count = sum(rule.is_for(one.call.origin) for one in judged)
        print(f"{rule.name:{width}}  {matched[rule.name]:8}  {unknown[rule.name]:9}  {count:8}")


def _started(call: EndedCall) -> str:
    """When it began, in this machine's time zone."""
    return "-" if call.started_at is None else call.started_at.astimezone().strftime("%Y-%m-%d %H:%M")


def _counts(judged: Sequence[JudgedCall]) -> tuple[Counter[str], Counter[str]]:
    return (
        Counter(name for one in judged for name in one.hits),
        Counter(name for one in judged for name in one.unknown),
    )


def _document(rules: Sequence[Rule], judged: Sequence[JudgedCall]) -> dict[str, Any]:
    matched, unknown = _counts(judged)
    return {
        "rules": [
            {
                "rule": rule.name,
                "calls_count": sum(rule.is_for(one.call.origin) for one in judged),
                "matched_count": matched[rule.name],
                "unknown_count": unknown[rule.name],
            }
            for rule in rules
        ],
        "calls": [
            {
                "engagement_id": one.call.engagement_id,
                "started_at": None if one.call.started_at is None else one.call.started_at.isoformat(),
                "queue_name": one.call.origin.queue_name,
                "hits": {name: [asdict(place) for place in places] for name, places in one.hits.items()},
                "unknown": one.unknown,
            }
            for one in judged
            if one.hits or one.unknown
        ],
    }


def _time(position_ms: int) -> str:
    seconds, ms = divmod(max(position_ms, 0), 1000)
    return f"{seconds // 60}:{seconds % 60:02}.{ms:03}"
