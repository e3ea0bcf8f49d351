from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import trio
from sqlalchemy import Engine
from trio.testing import MockClock

from zccvoice.config import Config
from zccvoice.doctor import examination
from zccvoice.doctor.examination import examine
from zccvoice.doctor.finding import Finding, Verdict


def no_database() -> AbstractContextManager[Engine]:
    raise RuntimeError("s3cret")


async def test_everything_is_looked_at_and_a_defect_is_one_finding(
    settings: Callable[..., Config],
) -> None:
    config, told = settings(database={"url": "postgresql://x/y"}), list[Finding]()
    with trio.fail_after(60):
        examined = await examine(config, no_database, url=None, on_finding=told.append)
    assert examined.findings == told
    assert examined.is_complete
    verdicts = {one.check: one.verdict for one in told}
    assert verdicts == {
        "settings": Verdict.OK,
        "credentials": Verdict.OK,
        "door": Verdict.NOT_CHECKED,
        "Zoom's API": Verdict.NOT_CHECKED,
        "database": Verdict.FAILED,
        "clock": Verdict.NOT_CHECKED,
        "disk": Verdict.OK,
        "disk speed": Verdict.OK,
        "master key": Verdict.NOT_CHECKED,
        "rules": Verdict.NOT_CHECKED,
        "weights": Verdict.WARNING,
    }
    assert "could not be looked at: RuntimeError" in [one.found for one in told]
    assert "s3cret" not in str(told)


async def test_none_can_hang(
    settings: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async def hang(*_: object) -> list[Finding]:
        await trio.sleep_forever()
        raise AssertionError

    def at_once(look: Callable[..., list[Finding]], *_: object) -> object:
        async def nothing() -> list[Finding]:
            return []

        return nothing

    monkeypatch.setattr(examination, "check_door", hang)
    monkeypatch.setattr(examination, "check_api", hang)
    monkeypatch.setattr(examination, "_here", at_once)
    examined = await examine(settings(), no_database, url=None, on_finding=lambda _: None)
    assert [(one.check, one.verdict) for one in examined.findings] == [
        ("door", Verdict.FAILED),
        ("Zoom's API", Verdict.FAILED),
    ]
    assert "within 15 s" in examined.findings[0].found
    assert not examined.is_complete
