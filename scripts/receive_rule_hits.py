"""A receiver of rule hits, to copy from: ``python scripts/receive_rule_hits.py --port 9000``.

It needs nothing but the standard library. The secret is in RULE_WEBHOOK_SECRET, and rules.webhook.secret is the
same. Every hit is printed once, as a line of JSON; what is not signed with the secret is refused.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import os
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer

TOLERANCE_S = 300
"""Older posts are refused: somebody may have recorded and repeated them."""
LARGEST_BYTES = 65_536


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str, now_s: float) -> bool:
    """Whether a post was signed with the secret, and lately."""
    timestamp = headers.get("Zccvoice-Timestamp", "")
    if not timestamp.isdecimal() or abs(now_s - int(timestamp)) > TOLERANCE_S:
        return False
    signed = timestamp.encode() + b"." + body
    expected = "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), headers.get("Zccvoice-Signature", "").encode())


class Receiver(BaseHTTPRequestHandler):
    """Answers posts."""

    secret = ""
    seen: set[str] = set()  # noqa: RUF012  # of the program, which has one receiver
    """Ids of what came: a hit may come twice. A real receiver keeps them where a restart does not lose them."""

    def do_POST(self) -> None:
        """Take a hit."""
        length = min(int(self.headers.get("content-length") or 0), LARGEST_BYTES)
        body = self.rfile.read(length)
        if not is_genuine(dict(self.headers.items()), body, self.secret, time.time()):
            self.send_error(401)
            return
        delivery_id = self.headers["Zccvoice-Delivery"]
        if delivery_id not in self.seen:
            self.seen.add(delivery_id)
            print(body.decode(), flush=True)
        self.send_response(204)
        self.end_headers()


def main() -> None:
    """Receive until Ctrl-C."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--port", type=int, default=9000)
    options = parser.parse_args()
    Receiver.secret = os.environ.get("RULE_WEBHOOK_SECRET", "")
    if not Receiver.secret:
        sys.exit("RULE_WEBHOOK_SECRET: required")
    HTTPServer(("127.0.0.1", options.port), Receiver).serve_forever()


if __name__ == "__main__":
    main()
