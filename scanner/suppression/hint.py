"""Whether there could be a marker in a file at all, before what reads markers is loaded."""

from __future__ import annotations

#: What every marker has, in lower case: ours, those of detect-secrets, that of gitleaks.
_WORDS = (b"stanch:", b"allowlist", b"whitelist", b"gitleaks:allow")


def has_markers(data: bytes) -> bool:
    """Whether there could be a marker anywhere; false is certain."""
    text = data.lower()
    return any(word in text for word in _WORDS)
