"""``zccvoice db hold`` and ``zccvoice db prune``: what must stay, and what is too old."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zccvoice.cli import settings
from zccvoice.daemon.retention import retain_rows, retain_sound
from zccvoice.store import holds
from zccvoice.store.database import require_current_schema, transaction


def add_to(actions: Any) -> None:
    """Add the actions to the parser of ``zccvoice db``."""
    parser: argparse.ArgumentParser = actions.add_parser(
        "prune",
        help="delete now what is older than the settings of retention allow",
        description="Delete what is older than retention.sound_days, retention.transcripts_days and "
        "retention.calls_days allow, as the daemon does by itself. What is under a legal hold stays.",
    )
    settings.add_arguments(parser)
    parser.set_defaults(run=run_prune)
    parser = actions.add_parser("hold", help="legal holds: calls that must not be deleted")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    one = verbs.add_parser("place", help="keep a call from being deleted")
    one.add_argument("engagement_id", metavar="ID", help="the call; it need not be stored yet")
    one.add_argument("--reason", required=True, help="why")
    one.add_argument("--by", required=True, metavar="WHO", help="who wants it")
    settings.add_arguments(one)
    one.set_defaults(run=run_place)
    one = verbs.add_parser("release", help="lift a hold")
    one.add_argument("number", type=int, help="its number, see list")
    settings.add_arguments(one)
    one.set_defaults(run=run_release)
    one = verbs.add_parser("list", help="show the holds")
    one.add_argument("--all", action="store_true", help="also those that were lifted")
    settings.add_arguments(one)
    one.set_defaults(run=run_list)


def run_prune(options: argparse.Namespace) -> int:
    """0 when nothing too old is left."""
    config = settings.load(options)
    shelf = settings.shelf(config)
    with settings.database(config) as engine:
        require_current_schema(engine)
        journals = retain_sound(config.retention, engine, shelf)
        removed = retain_rows(config.retention, engine)
    size_bytes = sum(one.size_bytes for one in journals)
    rows = ", ".join(f"{name} {count}" for name, count in sorted(removed.items())) or "no rows"
    print(f"removed: {len(journals)} journals ({size_bytes} bytes), {rows}")
    return 0


def run_place(options: argparse.Namespace) -> int:
    """0 when the call is safe."""
    with settings.database(settings.load(options)) as engine:
        require_current_schema(engine)
        with transaction(engine) as connection:
            number = holds.place(connection, options.engagement_id, reason=options.reason, by=options.by)
    print(f"legal hold {number} on {options.engagement_id}")
    return 0


def run_release(options: argparse.Namespace) -> int:
    """0 when the hold was lifted, 1 when there was none."""
    with settings.database(settings.load(options)) as engine:
        require_current_schema(engine)
        with transaction(engine) as connection:
            is_released = holds.release(connection, options.number)
    if not is_released:
        print(f"zccvoice: no legal hold {options.number} is in force", file=sys.stderr)
        return 1
    print(f"legal hold {options.number} is lifted")
    return 0


def run_list(options: argparse.Namespace) -> int:
    """0: a list may be empty."""
    with settings.database(settings.load(options)) as engine:
        require_current_schema(engine)
        with transaction(engine) as connection:
            found = holds.holds(connection, also_released=options.all)
    for hold in found:
        released = f", lifted {hold.released_at:%Y-%m-%d %H:%M}" if hold.released_at else ""
        print(
            f"{hold.legal_hold_id}  {hold.engagement_id}  {hold.placed_at:%Y-%m-%d %H:%M}{released}  "
            f"{hold.placed_by}: {hold.reason}"
        )
    return 0
