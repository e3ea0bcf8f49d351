"""The three HMACs of RTMS: webhook, URL-validation challenge and handshake; and the token of the Video SDK's API.

The three are HMAC-SHA256 in lower-case hex. Sources: Zoom "Using webhooks" (verify with x-zm-signature, validate
your webhook endpoint) and "Realtime Media Streams" (signature of the handshakes).
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode

FRESHNESS_S = 300
"""A webhook whose timestamp is further from our clock than this is refused (replay protection)."""


TOKEN_S = 600
"""How long a token for the Video SDK's API is good."""


def _hmac_hex(key: str, message: bytes) -> str:
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def handshake_signature(client_id: str, client_secret: str, instance_id: str, stream_id: str) -> str:
    """The ``signature`` of messages 1 and 3: keyed by the secret over ``client_id,instance_id,stream_id``.

    `instance_id` is the engagement id, meeting UUID or session id of the started webhook, verbatim.
    """
    return _hmac_hex(client_secret, f"{client_id},{instance_id},{stream_id}".encode())


def encrypted_token(secret_token: str, plain_token: str) -> str:
    """The answer to ``endpoint.url_validation``."""
    return _hmac_hex(secret_token, plain_token.encode())


def video_sdk_token(api_key: str, api_secret: str, now_s: float) -> str:
    """What the REST API of the Video SDK lets us in with: a JSON Web Token (RFC 7519) in HS256, for ten minutes.

    Source: Zoom "Video SDK API", authorization with API key and API secret.
    """
    issued_s = int(now_s) - 30  # Zoom's clock may be behind ours
    claims = {"iss": api_key, "iat": issued_s, "exp": issued_s + TOKEN_S}
    head = ".".join(_base64url(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = hmac.new(api_secret.encode(), head.encode(), hashlib.sha256).digest()
    return f"{head}.{_base64url(signature)}"


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def webhook_signature(secret_token: str, timestamp: str, body: bytes) -> str:
    """The ``x-zm-signature`` of a webhook: over the raw body, never over JSON written anew."""
    return "v0=" + _hmac_hex(secret_token, b"v0:" + timestamp.encode() + b":" + body)


def is_webhook_signed(secret_token: str, timestamp: str, body: bytes, signature: str) -> bool:
    """Whether `signature` is right, in constant time."""
    expected = webhook_signature(secret_token, timestamp, body)
    return hmac.compare_digest(expected.encode(), signature.encode())


def is_fresh(timestamp: str, now_s: float) -> bool:
    """Whether an ``x-zm-request-timestamp`` (Unix seconds; 13 digits are taken as ms) is near `now_s`."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 13:
        return False
    seconds = int(timestamp) / (1000 if len(timestamp) == 13 else 1)
    return abs(now_s - seconds) <= FRESHNESS_S
