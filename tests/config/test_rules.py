"""Where hits go is somebody the operator named, and knows the secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tls import Authority
from zccvoice.config import Config, load
from zccvoice.config.rules import RuleWebhookConfig
from zccvoice.errors import ConfigError, ForbiddenHostError

WHOLE: dict[str, Any] = {
    "url": "https://crm.example.test/hits",
    "secret": "0123456789abcdef",
    "allowed_hosts": ["*.example.test"],
}


def problems(**webhook: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(None, rules={"webhook": {**WHOLE, **webhook}})
    return caught.value.problems


def test_nothing_is_configured_by_default() -> None:
    config = Config()
    assert config.rules.file is None
    assert config.rules.webhook.url == ""


def test_a_whole_one() -> None:
    config = load(None, rules={"file": "rules.toml", "webhook": WHOLE})
    assert config.rules.file == Path("rules.toml")
    config.rules.webhook.allow()
    assert "0123456789abcdef" not in repr(config)


@pytest.mark.parametrize(
    ("webhook", "problem"),
    [
        ({"allowed_hosts": []}, "url: host 'crm.example.test' is not in rules.webhook.allowed_hosts"),
        (
            {"url": "http://crm.example.test"},
            "url: unencrypted http:// is only for loopback addresses, not 'crm.example.test'",
        ),
        (
            {"url": "ftp://crm.example.test"},
            "url: expected a https:// URL without user name, got scheme 'ftp'",
        ),
        (
            {"url": "https://u:p@crm.example.test"},
            "url: expected a https:// URL without user name, got scheme 'https'",
        ),
        ({"url": "https://[crm"}, "url: it is not a URL"),
        ({"secret": "short"}, "secret: expected at least 16 characters with a url"),
        ({"secret": ""}, "secret: expected at least 16 characters with a url"),
    ],
)
def test_what_is_wrong(webhook: dict[str, Any], problem: str) -> None:
    assert problems(**webhook) == [f"rules.webhook.{problem}"]


def test_a_secret_may_be_in_a_file_and_never_shows(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("a-long-enough-secret\n", encoding="utf-8")
    whole = {name: value for name, value in WHOLE.items() if name != "secret"}
    config = load(None, rules={"webhook": {**whole, "secret_file": str(path)}})
    assert config.rules.webhook.secret.get_secret_value() == "a-long-enough-secret"


def test_loopback_needs_no_encryption() -> None:
    RuleWebhookConfig.model_validate(
        {**WHOLE, "url": "http://127.0.0.1:9000/", "allowed_hosts": ["127.0.0.1"]}
    ).allow()


def test_it_is_checked_again_before_it_is_used() -> None:
    """A value that was made without validation is no way around the list."""
    with pytest.raises(ForbiddenHostError, match="is not in"):
        RuleWebhookConfig.model_construct(url="https://other.test", allowed_hosts=("crm.test",)).allow()


def test_certificates(tmp_path: Path) -> None:
    assert problems(ca_file=str(tmp_path / "no")) == [
        f"rules.webhook.ca_file: expected a file with certificates (PEM), got {tmp_path / 'no'}"
    ]
    ca_file = Authority().write(tmp_path / "ca.pem")
    load(None, rules={"webhook": {**WHOLE, "ca_file": str(ca_file)}}).rules.webhook.tls_context()
