"""Keyed fingerprints: recognise a secret again without being able to guess it from the report."""

from __future__ import annotations

from stanch.scanner.model.secret import SecretValue

KEY_SIZE = 32  # bytes
_DOMAIN = b"stanch/fingerprint/v1"


class FingerprintKey:
    """The installation's fingerprint key (32 bytes). Lives in a 0600 file, never in a report."""

    __slots__ = ("_key",)

    def __init__(self, key: SecretValue) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError(f"a fingerprint key has {KEY_SIZE} bytes, not {len(key)}")
        self._key = key

    def fingerprint(self, provider: str, kind: str, identity: SecretValue) -> str:
        """``v1:`` and 32 hex digits over provider, kind and the identifying part.

        Line moves, renames, rebases and repositories do not enter, so one secret is one incident.
        """
        # Loaded late: it takes as long as looking through a small tree, and findings are rare.
        import hashlib  # noqa: PLC0415
        import hmac  # noqa: PLC0415

        mac = hmac.new(self._key.reveal(), digestmod=hashlib.sha256)
        for field in (_DOMAIN, provider.encode(), kind.encode(), identity.reveal()):
            mac.update(len(field).to_bytes(8, "big"))
            mac.update(field)
        return "v1:" + mac.hexdigest()[:32]
