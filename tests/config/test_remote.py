"""Recognition servers that can be asked, and keys that can be sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zccvoice.config import load
from zccvoice.errors import ConfigError

EXPECTED = "speech.remote.servers: expected http:// or https:// URLs without user name"


def problems(**sections: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(None, **sections)
    return caught.value.problems


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://u:geheim@gpu.test", f"{EXPECTED}, got one with an @"),
        ("https://u:1/geheim@gpu.test", f"{EXPECTED}, got one with an @"),
        ("http://[::1", f"{EXPECTED}, got something that is not a URL"),
        ("https://gpu.test:geheim", f"{EXPECTED}, got something that is not a URL"),
        ("ftp://gpu.test/geheim", f"{EXPECTED}, got scheme 'ftp' and host 'gpu.test'"),
        ("https:///geheim", f"{EXPECTED}, got scheme 'https' and host None"),
        (
            "http://gpu.test/geheim",
            "speech.remote.servers: http:// to 'gpu.test' is not encrypted; may_be_unencrypted = true allows it",
        ),
    ],
)
def test_of_a_url_that_cannot_be_asked_only_the_host_shows(url: str, problem: str) -> None:
    assert problems(speech={"remote": {"servers": [url]}}) == [problem]


@pytest.mark.parametrize("key", ["sk 1", "sk-1\r\nx: y", "sk-\u0440", "\tsk-1", "sk-1\x7f", " "])
def test_a_key_that_no_header_takes(key: str) -> None:
    expected = "expected printable ASCII without blanks or line breaks"
    assert problems(speech={"remote": {"api_key": key}}, recognizer={"api_key": key}) == [
        f"speech.remote.api_key: {expected}",
        f"recognizer.api_key: {expected}",
    ]


def test_the_last_line_break_of_a_keys_file_is_none_of_the_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1\n", encoding="utf-8")
    remote = load(None, speech={"remote": {"api_key_file": str(tmp_path / "key")}}).speech.remote
    assert remote.api_key.get_secret_value() == "sk-1"
