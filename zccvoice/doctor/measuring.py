"""Settings that are right by themselves, and of no use to what works with them. Blocking."""

from __future__ import annotations

from zccvoice.config import Config
from zccvoice.daemon.settings_in_use import problems_in_measuring
from zccvoice.doctor.finding import Finding, Verdict

_CHECK = "settings"


def check_settings(config: Config) -> list[Finding]:
    """Thresholds, lexicons, and the events that begin and end pauses of the sound."""
    step = "Mend it: the daemon does not start with it."
    problems = problems_in_measuring(config)
    if problems:
        return [Finding(_CHECK, Verdict.FAILED, problem, step) for problem in problems]
    return [Finding(_CHECK, Verdict.OK, "in order")]
