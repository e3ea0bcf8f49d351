from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.http_server import Reply, Request, http_server
from zccvoice.config import Config
from zccvoice.doctor.finding import Finding, Verdict
from zccvoice.doctor.rules import check_rules

RULE = '[[rule]]\nname = "greeted"\n[[rule.when]]\nany_of = ["hello"]\n'
SECRET = "s3cret-of-the-receiver"


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(RULE, encoding="utf-8")
    return path


def told(config: Config) -> list[tuple[str, Verdict]]:
    return [(one.check, one.verdict) for one in check_rules(config)]


def receiver(config: Callable[..., Config], file: Path | None, url: str) -> Finding:
    webhook = {"url": url, "secret": SECRET, "allowed_hosts": ("127.0.0.1",), "timeout_s": 1}
    return check_rules(config(rules={"file": file, "webhook": webhook}))[-1]


def test_rules_in_order(settings: Callable[..., Config], rules_file: Path) -> None:
    (found,) = check_rules(settings(rules={"file": rules_file}))
    assert (found.verdict, "1 rules" in found.found) == (Verdict.OK, True)
    assert told(settings()) == [("rules", Verdict.NOT_CHECKED)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [("[[rule]]\nname = 7\n", "name"), ("not toml", "line 1"), (None, "cannot be read")],
)
def test_rules_that_cannot_be_used(
    settings: Callable[..., Config], rules_file: Path, content: str | None, problem: str
) -> None:
    config = settings(rules={"file": rules_file})
    rules_file.unlink()
    if content is not None:
        rules_file.write_text(content, encoding="utf-8")
    (found,) = check_rules(config)
    assert found.verdict is Verdict.FAILED
    assert problem in found.found


def test_a_silence_that_the_measures_do_not_know(settings: Callable[..., Config], rules_file: Path) -> None:
    rules_file.write_text('[[rule]]\nname = "a"\n[[rule.when]]\nsilence_above_ms = 3000\n', encoding="utf-8")
    longer = {"thresholds": {"silence_above_ms": 5_000}}
    (found,) = check_rules(settings(rules={"file": rules_file}, measures=longer))
    assert (found.verdict, "5000 to 86400000" in found.found) == (Verdict.FAILED, True)
    assert told(settings(rules={"file": rules_file})) == [("rules", Verdict.OK)]


def test_no_rule_at_all(settings: Callable[..., Config], rules_file: Path) -> None:
    rules_file.write_text("", encoding="utf-8")
    assert told(settings(rules={"file": rules_file})) == [("rules", Verdict.WARNING)]


def test_a_receiver_is_reached_and_gets_nothing(settings: Callable[..., Config], rules_file: Path) -> None:
    came: list[Request] = []

    def answer(request: Request) -> Reply:
        came.append(request)
        return Reply()

    with http_server(answer) as origin:
        assert receiver(settings, rules_file, origin).verdict is Verdict.OK
        assert receiver(settings, None, origin).verdict is Verdict.WARNING
    gone = receiver(settings, rules_file, origin)
    assert gone.verdict is Verdict.FAILED
    assert "127.0.0.1" in gone.found
    assert SECRET not in str(gone)
    assert came == []
