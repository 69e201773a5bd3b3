"""Values that somebody has encrypted on purpose: without another key they open nothing."""

from __future__ import annotations

from stanch.scanner.detectors.text.regex_cache import regex

_HEADS = (
    rb"ENC\[[A-Z0-9_]{2,20},",  # SOPS, eyaml
    rb"ENCRYPTED\[",  # Cirrus CI
    rb"EJ\[\d:",  # EJSON
    rb"encrypted:[A-Za-z0-9+/=]{20}",  # dotenvx
    rb"\$ANSIBLE_VAULT;",
    rb"ENC\([^()\s]{8,}\)",  # Jasypt
    rb"\{cipher\}",  # Spring Cloud Config
    rb"\{(?:AES|3DES|AES-?256)\}",  # WebLogic
    rb"vault:v\d{1,4}:[A-Za-z0-9+/=]{16}",  # Vault's transit engine
    rb"AQ[IE]CAH[A-Za-z0-9+/]{20}",  # AWS KMS
    rb"CiQA[A-Za-z0-9+/]{40}",  # Google KMS
    rb"(?i:01000000d08c9ddf0115d1118c7a00c04fc297eb)",  # DPAPI, also as PowerShell exports it
    rb"AQAAANCMnd8BFdERjHoAwE",
    rb"76492d1116743f0423413b16050a5345",
    rb"gAAAAA[A-Za-z0-9_-]{60,}",  # Fernet
    rb"U2FsdGVkX1",  # openssl
    rb"age-encryption\.org/|YWdlLWVuY3J5cHRpb24|-----BEGIN AGE ENCRYPTED",
    rb"-----BEGIN PGP MESSAGE",
    rb"eyJpdiI6I",  # Laravel
    rb"\{AQAAABAAAA[A-Za-z0-9+/=]{20,}\}",  # Jenkins
    rb"[A-Za-z0-9+/=]{8,}--[A-Za-z0-9+/]{16}--[A-Za-z0-9+/]{22}==",  # Rails' credentials
)
_HEAD = regex(rb"\s*(?:%b)" % b"|".join(_HEADS))
#: `AgB…` of a SealedSecret: a length, an RSA block, and what it seals.
_SEALED_SECRET = regex(rb"Ag[AB][A-Za-z0-9+/]{380,}={0,2}")
#: What stands within is a part of one such value: `iv:` and `tag:` behind SOPS' `data:`.
_OPENS = (b"ENC[", b"EJ[")


def is_encrypted(value: bytes) -> bool:
    """Whether the value says in front how it was encrypted."""
    return bool(_HEAD.match(value) or _SEALED_SECRET.fullmatch(value.strip(b"\"'")))


def is_within_encrypted(front: bytes) -> bool:
    """Whether what stands in front on the line has begun such a value and not ended it."""
    return any(front.rfind(mark) > front.rfind(b"]") for mark in _OPENS)
