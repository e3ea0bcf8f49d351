"""Recorded demo calls: synthetic voices on a telephone line, with the scenarios that play them.

Made by ``scripts/make_demo_calls.py``, which says what they are and what they are not.
"""

from pathlib import Path


def demo_scenarios() -> list[Path]:
    """The scenario files, for `zccvoice.simulator.scenario.load_scenario`, by name."""
    return sorted(Path(__file__).parent.glob("*.toml"))
