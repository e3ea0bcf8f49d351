"""The rules that calls are judged by, and the receiver of their hits. Blocking."""

from __future__ import annotations

import socket
import ssl

import httpx

from zccvoice.config import Config
from zccvoice.config.rules import RuleWebhookConfig
from zccvoice.daemon.settings_in_use import rules_in
from zccvoice.doctor.finding import Finding, Verdict
from zccvoice.errors import ConfigError

PATIENCE_S = 5.0
_RULES, _WEBHOOK = "rules", "rule webhook"


def check_rules(config: Config) -> list[Finding]:
    """The file is there and in order, and the receiver can be reached; nothing is posted to it.

    That the receiver's host is allowed and that there is a secret, the settings themselves require.
    """
    findings = [_file(config)]
    if config.rules.webhook.url:
        findings.append(_receiver(config.rules.webhook, has_rules=config.rules.file is not None))
    return findings


def _file(config: Config) -> Finding:
    path = config.rules.file
    if path is None:
        return Finding(_RULES, Verdict.NOT_CHECKED, "rules.file is not set: calls are judged by none")
    try:
        rules = rules_in(config)
    except ConfigError as error:
        return Finding(_RULES, Verdict.FAILED, "; ".join(error.problems), f"zccvoice rules check {path}")
    if not rules:
        return Finding(_RULES, Verdict.WARNING, f"{path}: holds no rule", "Write one; see docs/rules.md.")
    return Finding(_RULES, Verdict.OK, f"{path}: {len(rules)} rules, in order")


def _receiver(settings: RuleWebhookConfig, *, has_rules: bool) -> Finding:
    url = httpx.URL(settings.url)
    try:
        with socket.create_connection(
            (url.host, url.port or (443 if url.scheme == "https" else 80)), PATIENCE_S
        ) as connection:
            if url.scheme == "https":
                settings.tls_context().wrap_socket(connection, server_hostname=url.host).close()
    except ssl.SSLError as error:
        told = f"{url.host}: no TLS with it: {error.reason or type(error).__name__}"
        return Finding(_WEBHOOK, Verdict.FAILED, told, "Mend its certificate, or set rules.webhook.ca_file.")
    except OSError as error:
        told = f"{url.host}: cannot be reached: {error.strerror or type(error).__name__}"
        step = "Start the receiver, or open the way to it; until then hits wait in the database."
        return Finding(_WEBHOOK, Verdict.FAILED, told, step)
    if not has_rules:
        return Finding(_WEBHOOK, Verdict.WARNING, f"{url.host}: has nothing to get", "Set rules.file.")
    return Finding(_WEBHOOK, Verdict.OK, f"{url.host}: can be reached, and may be posted to")
