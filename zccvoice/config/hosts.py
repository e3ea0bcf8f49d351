"""Which servers we connect to: only those that the operator named; and what proves that it is they."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from zccvoice.errors import ForbiddenHostError


def _holds_certificates(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except OSError:  # ssl's own errors are some, too
        raise ValueError(f"expected a file with certificates (PEM), got {path}") from None
    return path


CertificateFile = Annotated[Path, AfterValidator(_holds_certificates)]
"""Certificates (PEM) that servers are checked against, instead of the system's."""


def allow(url: str, allowed_hosts: Iterable[str], schemes: tuple[str, str], setting: str) -> None:
    """Check a URL against a list of hosts.

    Args:
        url: where we are about to connect to.
        allowed_hosts: exact names, or ``*.domain`` for everything below it.
        schemes: the encrypted one, and the other one, which is for loopback addresses alone.
        setting: which setting the list is, for the error.

    Raises:
        ForbiddenHostError: wrong scheme, or a host that is not allowed.
    """
    encrypted, unencrypted = schemes
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise ForbiddenHostError("server URL is not a URL") from None
    if parts.scheme not in schemes or not host or parts.username is not None:
        raise ForbiddenHostError(
            f"expected a {encrypted}:// URL without user name, got scheme {parts.scheme!r}"
        )
    if not any(_matches(host, pattern.lower()) for pattern in allowed_hosts):
        raise ForbiddenHostError(f"host {host!r} is not in {setting}")
    if parts.scheme == unencrypted and not is_loopback(host):
        raise ForbiddenHostError(f"unencrypted {unencrypted}:// is only for loopback addresses, not {host!r}")


def is_loopback(host: str) -> bool:
    """Whether this is a name or an address of this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
