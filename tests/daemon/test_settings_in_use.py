"""What only the users of settings can tell is told at once, with the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from zccvoice.cli import main
from zccvoice.config import Config, RedactionConfig
from zccvoice.daemon.settings_in_use import all_problems, problems_in_measuring
from zccvoice.rtms.event_names import is_event_name

WRONG = """
[measures.thresholds]
silence_abov_ms = 4000
dead_air_above_ms = -1

[sentiment]
lexicons = "nowhere"

[redaction]
pause_events = ["stream_paused", "userhold"]
resume_events = ["Stream_Resumed"]

[database]
url = "mysql://x/y"
"""


def test_serve_tells_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zccvoice.toml").write_text(WRONG)
    assert main(["serve"]) == 2
    fields = [line.split(":")[1].strip() for line in capsys.readouterr().err.splitlines()]
    assert fields == [
        "door.secret_token",
        "zoom.client_id",
        "zoom.client_secret",
        "measures.thresholds.silence_abov_ms",
        "measures.thresholds.dead_air_above_ms",
        "sentiment.lexicons",
        "redaction.pause_events",
        "redaction.resume_events",
        "database.url",
    ]
    assert list(tmp_path.iterdir()) == [tmp_path / "zccvoice.toml"]


def test_rules_are_named_as_the_setting_that_they_are() -> None:
    problems = all_problems(Config.model_validate({"rules": {"file": "/nowhere/rules.toml"}}))
    assert problems[-1] == "rules.file: /nowhere/rules.toml: cannot be read: No such file or directory"


def test_the_shipped_settings_are_in_order() -> None:
    assert problems_in_measuring(Config()) == []


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("user_hold", True),
        ("stream_paused", True),
        ("one_session_paused", True),
        ("media_connection_interrupted", True),
        ("unknown_30", True),
        ("phone_event_12", True),
        ("session_unknown_9", True),
        ("userhold", False),
        ("USER_HOLD", False),
        ("stream_held", False),
        ("unknown_", False),
        ("", False),
    ],
)
def test_names_of_events(name: str, is_one: bool) -> None:
    assert is_event_name(name) is is_one
    config = Config(redaction=RedactionConfig(pause_events=(name,)))
    assert bool(problems_in_measuring(config)) is not is_one
