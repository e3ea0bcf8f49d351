"""The example file that operators copy."""

from __future__ import annotations

import re
from pathlib import Path

import zccvoice
from zccvoice.config import Config, load

EXAMPLE = Path(zccvoice.__file__).parents[1] / "zccvoice.example.toml"


def test_every_line_of_it_is_a_setting(tmp_path: Path) -> None:
    """Those that are commented out, too."""
    secret = tmp_path / "secret"
    secret.write_text("a-secret-of-some-length", encoding="utf-8")
    text = re.sub(r"^# (?=\[|\w+ = )", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path = tmp_path / "zccvoice.toml"
    path.write_text(re.sub(r"/etc/zccvoice/\w+", str(secret), text), encoding="utf-8")
    config = load(path)
    assert [app.products for app in config.signing_apps] == [("video_sdk",), ()]
    assert config.zoom.api.client_secret.get_secret_value() == "a-secret-of-some-length"
    assert config.rules.webhook.allowed_hosts == ("crm.example.test",)
    assert config.missing_for_serve() == []


def test_as_it_is_it_names_no_file_but_the_secrets_that_zoom_gives() -> None:
    names = re.findall(r"^(\w+_file) =", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert names == ["secret_token_file", "client_secret_file"]


def test_every_section_is_in_it() -> None:
    """So that a new one is found by whoever copies the file."""
    headers = re.findall(r"^(?:# )?\[+(\w+)", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(Config.model_fields) == set(headers)
