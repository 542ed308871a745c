"""Web Push: RFC 8030 with its messages encrypted (RFC 8291) and its sender named (RFC 8292, VAPID)."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from services.publish.transports import Letter, Outcome, Place
from services.publish.transports.posting import PER_HOST, Post, host_of, post_once

# A push service keeps a message so long for a browser that is not there: older news is none.
TTL_S = 12 * 3600
# A signature is valid for 12 hours, half of what is allowed, for clocks that are wrong; it is used for one.
VALID_S = 12 * 3600
USED_S = 3600
# 4,096 bytes less encryption's own (RFC 8291 section 4).
MOST_BYTES = 3990
FLASH = 1
MOST_ORIGINS = 100


def key_from(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The VAPID key that belongs to a secret of 32 bytes: always the same, since a new one would end every push."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    return ec.derive_private_key(int.from_bytes(secret, "big") % (order - 1) + 1, ec.SECP256R1())


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    """The public half as browsers want it: the uncompressed point, base64url without padding."""
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """Bytes of base64url without padding. Raises ValueError."""
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)


def fault_of_keys(p256dh: str, auth: str) -> str | None:
    """What is wrong with a browser's keys; None when nothing is."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_text(p256dh))
    except ValueError:
        return "p256dh should be a point of P-256 in base64url"
    try:
        fits = len(from_text(auth)) == 16
    except ValueError:
        fits = False
    return None if fits else "auth should be 16 bytes in base64url"


class WebPush:
    """The transport of Web Push. key: VAPID's; contact: mailto: or https:, whom a push service may ask."""

    places = PER_HOST

    def __init__(self, post: Post, key: ec.EllipticCurvePrivateKey, contact: str) -> None:
        self._post = post
        self._vapid = Vapid02(private_key=key)
        self._contact = contact
        self._signed: dict[str, tuple[float, str]] = {}

    def place(self, letter: Letter) -> Place:
        """The push service's host."""
        return Place(host_of(letter.to))

    async def attempt(self, letters: Sequence[Letter]) -> Outcome:
        """Send one message to one browser."""
        (letter,) = letters
        content = json.loads(letter.body)
        try:
            body = encrypt(shown(letter, content), letter.keys or {})
        except (ValueError, KeyError, http_ece.ECEException) as error:
            return Outcome(None, f"the browser's keys cannot be used: {error}", refused=True, why="unusable")
        urgent = content["urgency"] <= FLASH or letter.type in {"article.killed", "article.retracted"}
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_S),
            "Urgency": "high" if urgent else "normal",
            # Of an article's messages that wait for a browser only the newest is kept: 16 bytes in 22 characters.
            "Topic": base64.urlsafe_b64encode(letter.article_id.bytes).rstrip(b"=").decode(),
            "Authorization": self._authorization(letter.to),
            "User-Agent": "Rotative",
        }
        return await post_once(self._post, letter.to, body, headers)

    def _authorization(self, endpoint: str) -> str:
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        now = time.time()
        until, text = self._signed.get(origin, (0.0, ""))
        if until < now:
            claims = {"aud": origin, "exp": int(now) + VALID_S, "sub": self._contact}
            text = self._vapid.sign(claims)["Authorization"]
            if len(self._signed) >= MOST_ORIGINS:
                self._signed.clear()
            self._signed[origin] = (now + USED_S, text)
        return text


def shown(letter: Letter, content: Mapping[str, Any]) -> bytes:
    """What the service worker shows, as JSON; shortened until it fits."""
    message = {
        "event": letter.type,
        "tag": str(letter.article_id),
        "title": content["headline"],
        "body": content["note"] or content["summary"],
        "url": content["url"],
        "lang": content["language"],
    }
    raw = json.dumps(message, ensure_ascii=False).encode()
    if len(raw) > MOST_BYTES:
        message["body"] = ""
        raw = json.dumps(message, ensure_ascii=False).encode()
    return raw


def encrypt(message: bytes, keys: Mapping[str, Any]) -> bytes:
    """The message for whoever has the browser's private key, with a key and a salt of its own."""
    encrypted: bytes = http_ece.encrypt(
        message,
        salt=os.urandom(16),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=from_text(keys["p256dh"]),
        auth_secret=from_text(keys["auth"]),
        version="aes128gcm",
    )
    return encrypted
