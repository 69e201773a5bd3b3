"""Who sent it: nobody is believed without a signature under a secret that both sides hold.

Each function raises :class:`Refused` with words for the log. A host that has no secret set sends
its headers empty, or with a signature under the empty key; neither opens anything here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from types import MappingProxyType

from stanch.scanner.model.secret import SecretValue

TOLERANCE = 300.0  # seconds by which a signed time may differ from ours
_PREFIX = b"whsec_"

Headers = Mapping[str, str]
"""Names in lower case."""


class Refused(Exception):  # noqa: N818  # an answer, named as people say it
    """The sender is not who he says, or says nothing of himself."""


def body_signed(headers: Headers, body: bytes, secret: SecretValue, *names: str) -> None:
    """A header of these holds the HMAC-SHA256 of the body in hex, perhaps behind ``sha256=``."""
    given = next((headers[name].strip() for name in names if headers.get(name, "").strip()), "")
    if not given:
        raise Refused(f"there is no {names[0]}")
    made = hmac.new(secret.reveal(), body, hashlib.sha256).hexdigest()
    offered = given.removeprefix("sha256=").lower()
    if not hmac.compare_digest(offered.encode("utf-8", "replace"), made.encode()):
        raise Refused(f"the {names[0]} is not made with our secret")


def token_given(headers: Headers, secret: SecretValue) -> None:
    """GitLab's older way: the secret itself is in a header."""
    given = headers.get("x-gitlab-token", "")
    if not given:
        raise Refused("there is no x-gitlab-token")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), secret.reveal()):
        raise Refused("the x-gitlab-token is not ours")


def message_signed(headers: Headers, body: bytes, secret: SecretValue, now: float) -> None:
    """GitLab's newer way (Standard Webhooks): id, time and body are signed together.

    While a key is exchanged there are several signatures; one of them has to be right.
    """
    number, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split()
    if not number or not given or not at.isdecimal():
        raise Refused("webhook-id, webhook-timestamp or webhook-signature is missing")
    if len(at) > 12 or abs(now - int(at)) > TOLERANCE:  # noqa: PLR2004  # digits of a time
        raise Refused("it was signed at another time than now")
    signed = b".".join((number.encode("utf-8", "replace"), at.encode(), body))
    made = b"v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256"))
    right = [hmac.compare_digest(each.encode("utf-8", "replace"), made) for each in given[:10]]
    if not any(right):
        raise Refused("the webhook-signature is not made with our signing token")


def _key(secret: SecretValue) -> bytes:
    given = secret.reveal()
    try:
        key = base64.b64decode(given.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not given.startswith(_PREFIX) or not key:
        raise Refused("our signing token is none: it begins with whsec_ and goes on in base64")
    return key


BODY_SIGNED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "github": ("x-hub-signature-256",),
        "gitea": ("x-gitea-signature", "x-forgejo-signature", "x-hub-signature-256"),
        "bitbucket": ("x-hub-signature",),
    }
)
"""In which headers hosts put the signature of the body."""

Judge = Callable[[Headers, bytes], None]
"""Raises :class:`Refused`, or returns."""
