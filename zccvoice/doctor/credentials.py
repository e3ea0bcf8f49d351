"""Are the credentials there, and can they be what they are to be? Says nothing of what they are."""

from __future__ import annotations

from collections.abc import Iterator

from zccvoice.config import AppCredentials, Config
from zccvoice.doctor.finding import Finding, Verdict

SHORTEST = 8
"""Zoom's ids, secrets and tokens have 20 characters and more."""
_CHECK = "credentials"
_WHERE = "Copy it again from the app's page in the Zoom App Marketplace, without quotes and spaces."


def check_credentials(config: Config) -> list[Finding]:
    """Everything that the daemon cannot do without, and what looks wrong about it."""
    findings = [
        Finding(_CHECK, Verdict.FAILED, problem, "zccvoice serve does not start without it.")
        for problem in config.missing_for_serve()
    ]
    for app in config.signing_apps:
        findings += [Finding(_CHECK, Verdict.FAILED, problem, _WHERE) for problem in _problems(app)]
    if findings:
        return findings
    ids = ", ".join(app.client_id for app in config.signing_apps)
    return [Finding(_CHECK, Verdict.OK, f"present, and shaped as they should be: {ids}")]


def _problems(app: AppCredentials) -> Iterator[str]:
    whose = f"of app {app.client_id[:40]!r}"
    texts = {
        "client id": app.client_id,
        "client secret": app.client_secret.get_secret_value(),
        "secret token": app.secret_token.get_secret_value(),
    }
    for name, text in texts.items():
        if text and not (text.isascii() and text.isprintable() and not set(text) & set(" \"'")):
            yield f"the {name} {whose} has spaces, quotes or characters that Zoom does not use"
        elif text and len(text) < SHORTEST:
            yield f"the {name} {whose} is shorter than {SHORTEST} characters"
    present = [text for text in texts.values() if text]
    if len(set(present)) < len(present):
        yield f"two of client id, client secret and secret token {whose} are the same"
