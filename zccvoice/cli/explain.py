"""``zccvoice explain``: Zoom's numbers and our causes in plain words."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from zccvoice.rtms.explanations import Explanation, explanations


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "explain",
        description="What happened, whose doing it is, and what to do: for Zoom's stop reasons, "
        "status codes (both of "
        "its tables) and API errors, for end_reason in reporting.call and cause in reporting.gap; "
        "by number or name.",
    )
    parser.add_argument("asked", metavar="NUMBER|NAME", help="such as 26, or customer_disconnected")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when it is known, 1 otherwise."""
    found = explanations(options.asked)
    if options.json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False))
    elif found:
        print("\n\n".join(map(_told, found)))
    if not found:
        print(
            f"zccvoice: expected a number or name of Zoom's or ours, got {options.asked!r}", file=sys.stderr
        )
        return 1
    return 0


def _told(one: Explanation) -> str:
    number = "" if one.number is None or one.name == str(one.number) else f" {one.number}"
    return (
        f"{one.kind.value}{number}: {one.name}\n"
        f"  what happened   {one.happened}\n"
        f"  whose doing     {one.whose.value}\n"
        f"  what to do      {one.advice}"
    )
