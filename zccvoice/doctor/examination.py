"""All checks, one after the other, each within its time; a defect in one does not end the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import trio

from zccvoice.config import Config
from zccvoice.doctor.clocks import Clocks, check_clock
from zccvoice.doctor.credentials import check_credentials
from zccvoice.doctor.finding import Finding, Verdict
from zccvoice.doctor.measuring import check_settings
from zccvoice.doctor.outside import check_api, check_door
from zccvoice.doctor.rules import check_rules
from zccvoice.doctor.storage import OpenDatabase, check_database, check_disk, check_master_key
from zccvoice.doctor.weights import check_weights
from zccvoice.errors import ZccvoiceError

OnFinding: TypeAlias = Callable[[Finding], None]


@dataclass(slots=True)
class Examination:
    """What was found."""

    findings: list[Finding] = field(default_factory=list)
    is_complete: bool = True
    """Every check came to an end; otherwise a thread may still be at work."""


@dataclass(frozen=True, slots=True)
class _Check:
    name: str
    limit_s: float
    look: Callable[[], Awaitable[list[Finding]]]


async def examine(
    config: Config, open_database: OpenDatabase, *, url: str | None, on_finding: OnFinding
) -> Examination:
    """Look at everything. A thread of a check that ran out of time is left to itself.

    Args:
        config: the settings.
        open_database: the database that they name.
        url: the webhook endpoint as Zoom knows it.
        on_finding: told each finding as soon as it is there.
    """
    clocks = Clocks()
    checks = [
        _Check("settings", 15, _here(check_settings, config)),
        _Check("credentials", 5, _here(check_credentials, config)),
        _Check("door", 15, partial(check_door, config, url)),
        _Check("Zoom's API", 20, partial(check_api, config, clocks)),
        _Check("database", 60, _here(check_database, config, open_database, clocks)),
        _Check("clock", 5, _here(check_clock, clocks)),
        _Check("disk", 30, _here(check_disk, config)),
        _Check("master key", 5, _here(check_master_key, config)),
        _Check("rules", 15, _here(check_rules, config)),
        _Check("weights", 120, _here(check_weights, config)),
    ]
    examination = Examination()
    for check in checks:
        findings = await _within_its_time(check)
        if findings is None:
            examination.is_complete = False
            told = f"did not come to an end within {check.limit_s:g} s"
            step = "Look at what it waits for, and run this again."
            findings = [Finding(check.name, Verdict.FAILED, told, step)]
        for finding in findings:
            on_finding(finding)
        examination.findings += findings
    return examination


async def _within_its_time(check: _Check) -> list[Finding] | None:
    """What it found, None when it ran out of time."""
    with trio.move_on_after(check.limit_s):
        try:
            return await check.look()
        except ZccvoiceError as error:
            return [Finding(check.name, Verdict.FAILED, str(error))]
        except Exception as error:  # the edge of one check; its text may hold anything, so it is not shown
            told = f"could not be looked at: {type(error).__name__}"
            return [Finding(check.name, Verdict.FAILED, told, "File an issue: this is a defect.")]
    return None


def _here(look: Callable[..., list[Finding]], *args: object) -> Callable[[], Awaitable[list[Finding]]]:
    """A check that blocks, in a thread."""
    return partial(trio.to_thread.run_sync, look, *args, abandon_on_cancel=True)
