"""``zccvoice doctor``: is everything in order, and what is to be done where it is not?"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import trio

from zccvoice.cli import settings
from zccvoice.doctor.examination import Examination, examine
from zccvoice.doctor.finding import Finding, Verdict, worst
from zccvoice.errors import ConfigError


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        description="Look at settings, credentials, the door from outside, certificate, Zoom's API, database, "
        "clock, disk, master key, rules and weights; say how each is and what to do. Exit status: 1 when "
        "something failed (with --strict also for warnings), else 0.",
    )
    parser.add_argument("--url", help="the webhook endpoint as Zoom knows it: https://your.host/zoom/webhook")
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    settings.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when nothing failed, 1 otherwise."""
    on_finding = (lambda _: None) if options.json else _print
    try:
        config = settings.load(options)
    except ConfigError as error:
        examination = Examination([_wrong_setting(problem) for problem in error.problems])
        for finding in examination.findings[:-1]:
            on_finding(replace(finding, next_step=""))  # it is the same for all, and told once
        on_finding(examination.findings[-1])
    else:
        look = partial(
            examine, config, partial(settings.database, config), url=options.url, on_finding=on_finding
        )
        examination = trio.run(look)
    verdict = worst(examination.findings)
    if options.json:
        document = {"verdict": verdict, "findings": [asdict(one) for one in examination.findings]}
        print(json.dumps(document, ensure_ascii=False))
    status = int(verdict is Verdict.FAILED or (options.strict and verdict is Verdict.WARNING))
    if not examination.is_complete:
        # A thread is still inside a library; the interpreter's orderly end would pull it from under it.
        sys.stdout.flush()
        os._exit(status)
    return status


def _wrong_setting(problem: str) -> Finding:
    return Finding("settings", Verdict.FAILED, problem, "Mend this first; nothing else was looked at.")


def _print(finding: Finding) -> None:
    print(f"{finding.verdict.value:<12} {finding.check:<12} {finding.found}", flush=True)
    if finding.next_step:
        print(f"{'':<25} → {finding.next_step}", flush=True)
