from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zccvoice.config import load
from zccvoice.errors import ConfigError


def problems(**sections: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(None, **sections)
    return caught.value.problems


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"door": {"port": "x"}}, "door.port: expected a whole number, got 'x'"),
        ({"door": {"port": 70_000}}, "door.port: expected at least 0 and at most 65535, got 70000"),
        ({"door": {"path": "x"}}, "door.path: expected a text that matches ^/, got 'x'"),
        ({"door": {"prot": 1}}, "door.prot: no such setting; did you mean door.port?"),
        ({"door": 5}, "door: expected a table, got a number"),
        ({"dor": {}}, "dor: no such setting; did you mean door?"),
        ({"zoom": {"send_rate_ms": 30}}, "zoom.send_rate_ms: expected a multiple of 20, got 30"),
        (
            {"zoom": {"handshake_timeout_s": "soon"}},
            "zoom.handshake_timeout_s: expected a number, got 'soon'",
        ),
        (
            {"zoom": {"handshake_timeout_s": 0}},
            "zoom.handshake_timeout_s: expected more than 0 and at most 60, got 0",
        ),
        ({"zoom": {"allowed_hosts": "a,b"}}, "zoom.allowed_hosts: expected a list, got 'a,b'"),
        ({"zoom": {"allowed_hosts": [5]}}, "zoom.allowed_hosts.0: expected a text, got 5"),
        ({"zoom": {"apps": [{"client_id": ""}]}}, "zoom.apps.0.client_id: required"),
        ({"zoom": {"apps": [{"client_id": "x", "client_secret": ""}]}}, "zoom.apps.0.client_secret: required"),
        ({"zoom": {"apps": [{"client_id": "x", "client_secert": "s3cret", "client_secret": "x"}]}},
         "zoom.apps.0.client_secert: no such setting; did you mean zoom.apps.0.client_secret?"),
        ({"zoom": {"apps": [{"client_id": "x", "client_secret": "x", "products": ["voice"]}]}},
         "zoom.apps.0.products.0: expected 'contact_center', 'meeting', 'webinar', 'video_sdk' or 'phone', "
         "got 'voice'"),
        ({"journal": {"sync": "perhaps"}}, "journal.sync: expected true or false, got 'perhaps'"),
        ({"language": {"queues": {"Orders": "English"}}},
         "language.queues.Orders: expected a text that matches ^(detect|[a-z]{2,3})$, got 'english'"),
        ({"journal": {"master_key": ""}},
         "journal.master_key: expected at least 16 characters, or no such setting at all"),
        ({"door": {"host": ""}}, "door.host: required"),
        ({"journal": {"budget_gib": -1}}, "journal.budget_gib: expected at least 0 and at most 1000000, got -1"),
        ({"redaction": {"masks": {"crd": "[Karte]"}}},
         "redaction.masks.crd: expected 'email', 'iban', 'card', 'national_id', 'security_code', 'phone' or "
         "'name', got 'crd'"),
        ({"recognizer": {"host": ""}}, "recognizer.host: required"),
        ({"path": {"foo": 1}}, "path: no such setting"),
        ({"retention": {"sound_days": 0, "calls_days": 9, "transcripts_days": 1}},
         "retention.sound_days: expected 1 to calls_days (9), got 0"),
        ({"log": {"level": "x" * 200}},
         f"log.level: expected 'debug', 'info', 'warning' or 'error', got {('x' * 200)!r:.60}…"),
    ],
)  # fmt: skip
def test_every_problem_is_in_our_words(sections: dict[str, Any], problem: str) -> None:
    assert problem in problems(**sections)


@pytest.mark.parametrize(
    "sections",
    [
        {"door": {"secret_token": 12345}},
        {"door": {"secret_token": ["12345"]}},
        {"zoom": {"client_secret": {"x": "12345"}}},
        {"zoom": {"apps": ["12345"]}},
        {"zoom": {"apps": "12345"}},
        {"zoom": "12345"},
        {"database": {"url": 12345}},
        {"journal": {"master_key": 12345, "master_kye": "12345"}},
        {"journal": {"master_key": "12345"}},
        {"speech": {"remote": {"api_key": "12345 67890"}}},
    ],
)
def test_no_secret_shows(sections: dict[str, Any]) -> None:
    assert "12345" not in "\n".join(problems(**sections))


def test_files_that_cannot_be_read_do_not_hide_other_problems(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe s3cret")
    found = problems(
        door={"secret_token_file": str(tmp_path / "binary"), "port": "x"},
        zoom={"client_secret_file": "/nowhere/secret"},
    )
    assert found == [
        "door.port: expected a whole number, got 'x'",
        f"door.secret_token_file: cannot read {tmp_path / 'binary'}: it is not UTF-8 text",
        "zoom.client_secret_file: cannot read /nowhere/secret: No such file or directory",
    ]
