"""Keys of web push: a private key is judged by the public one beside it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable

import pytest

from stanch.scanner.detectors.structure.vapid import public_key
from stanch.scanner.model.finding import Match

Scan = Callable[..., list[Match]]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _pair() -> tuple[str, str]:
    """A private key whose look cannot be mistaken, and its public key."""
    while True:
        private = bytes([1]) + secrets.token_bytes(31)
        point = public_key(private)
        text = _text(private)
        if point and text.isalnum() and any(c.isdigit() for c in text):
            return text, _text(point)


def _judged(scan: Scan, text: str) -> tuple[str, str]:
    (finding,) = (m.finding for m in scan(text.encode()) if m.finding.provider == "vapid")
    return finding.confidence.value, finding.reason


@pytest.mark.parametrize("order", [1, -1])
def test_a_key_beside_its_own_public_key_is_sure(scan: Scan, order: int) -> None:
    private, public = _pair()
    lines = [f"VAPID_PRIVATE_KEY={private}", f"VAPID_PUBLIC_KEY={public}"][::order]
    assert _judged(scan, "\n".join(lines)) == ("high", "key pair")


def test_a_key_beside_another_s_public_key_is_doubtful(scan: Scan) -> None:
    private, _ = _pair()
    _, public = _pair()
    text = f'"vapidPrivateKey": "{private}",\n"vapidPublicKey": "{public}"'
    assert _judged(scan, text) == ("low", "not a key pair")


def test_a_subscriber_s_key_says_nothing_of_it(scan: Scan) -> None:
    private, _ = _pair()
    _, browser = _pair()
    text = f'"vapidPrivateKey": "{private}",\n"keys": {{"p256dh": "{browser}"}}'
    assert _judged(scan, text)[0] == "medium"


def test_a_key_alone_stays_what_its_name_says(scan: Scan) -> None:
    assert _judged(scan, f"VAPID_PRIVATE_KEY={_pair()[0]}")[0] == "medium"


@pytest.mark.parametrize("order", [1, -1])
def test_a_pair_needs_no_name_where_web_push_is_set_up(scan: Scan, order: int) -> None:
    both = ", ".join(f"'{key}'" for key in _pair()[::order])
    assert _judged(scan, f"webpush.setVapidDetails('mailto:a@b.internal', {both})")[0] == "high"
    (one, _), (_, other) = _pair(), _pair()
    text = f"webpush.setVapidDetails('mailto:a@b.internal', '{other}', '{one}')"
    assert not [m for m in scan(text.encode()) if m.finding.rule == "vapid-key-pair"]


@pytest.mark.parametrize("size", [0, 31, 33])
def test_another_size_is_no_private_key(size: int) -> None:
    assert public_key(b"\x01" * size) is None


def test_a_number_outside_the_curve_is_no_private_key() -> None:
    assert public_key(bytes(32)) is None
    assert public_key(b"\xff" * 32) is None
