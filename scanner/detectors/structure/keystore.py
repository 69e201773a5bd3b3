"""Key stores (PKCS#12, JKS, JCEKS, BCFKS) and DER private keys, as files or in base64.

The file is the secret. Whether it holds a private key at all, and whether a password that everybody
knows opens it, is told from its structure and its checksum; nothing is ever decrypted.
"""

from __future__ import annotations

import hashlib
import hmac

from stanch.scanner.detectors.candidate import NOT_THIS, Candidate, CheckResult
from stanch.scanner.detectors.structure.der import (
    OBJECT,
    OCTETS,
    SEQUENCE,
    Element,
    children,
    content,
    element_at,
)
from stanch.scanner.detectors.text.base64_text import decoded
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence, Severity

_BINARY = b"\x30\xfe\xce"
_LONGEST = 1 << 20
_RUN = regex(rb"[A-Za-z0-9+/]+(?:(?:\\n|\\r|[\r\n]+[ \t]{0,12})[A-Za-z0-9+/]+)*={0,2}")
_BREAK = regex(rb"\\[nr]|\s+")
_JAVA = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")
_PKCS12 = bytes.fromhex("060b2a864886f70d010c0a01")
_KEY_BAG, _SEALED_BAG = _PKCS12 + b"\1", _PKCS12 + b"\2"
_SEALED_KEY = bytes.fromhex("06092a864886f70d0105")  # PKCS#5
_DIGESTS = {
    bytes.fromhex("2b0e03021a"): "sha1",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
#: Defaults of tools and tutorials.
#: Android's tools make one on every machine, with a password that is the same everywhere.
_DEBUG = b"androiddebugkey"
_DEBUG_FILE = "debug.keystore"
_WELL_KNOWN = ("changeit", "", "changeme", "password", "secret", "123456", "1234")
_MOST_ROUNDS = 20_000  # hostile files ask for billions
_MOST_ENTRIES = 1_000
_PRIVATE, _CERTIFICATE = 1, 2
_SALT_OF_JAVA = b"Mighty Aphrodite"
_DIGEST = 20
_MAC_KEY = 3  # RFC 7292, B.3

OPEN = CheckResult(
    confidence=Confidence.HIGH, severity=Severity.CRITICAL, reason="parse, not encrypted"
)
KNOWN = CheckResult(
    confidence=Confidence.HIGH, severity=Severity.CRITICAL, reason="parse, well-known password"
)
SEALED = CheckResult(confidence=Confidence.HIGH, reason="parse, encrypted")


def check_keystore(candidate: Candidate) -> CheckResult:
    """Extends to the whole store; one that holds only certificates is no secret."""
    store = _content(candidate)
    if _DEBUG in store or candidate.path.endswith(_DEBUG_FILE):
        return CheckResult(confidence=Confidence.LOW, severity=Severity.LOW, reason="debug key")
    if store.startswith(_JAVA):
        return _java(store)
    try:
        whole = element_at(store, 0)
        if whole.tag != SEQUENCE:
            return NOT_THIS
        return _der(store, whole)
    except (ValueError, IndexError, StopIteration):  # cut off, or with fewer parts than it needs
        return CheckResult(confidence=Confidence.LOW, reason="does not parse")


def _content(candidate: Candidate) -> bytes:
    """The store's bytes; moves the candidate's end to their last one, or that of their base64."""
    start = candidate.start
    if candidate.data[start] in _BINARY:
        candidate.end = min(len(candidate.data), start + _LONGEST)
        return candidate.value
    run = _RUN.match(candidate.data, start, start + _LONGEST)
    candidate.end = run.end() if run else candidate.end
    return decoded(_BREAK.sub(b"", candidate.value)) or b""


def _der(store: bytes, whole: Element) -> CheckResult:
    parts = list(children(store, whole))
    first = parts[0]
    if first.tag == SEQUENCE:  # BCFKS, or a private key that is sealed
        return SEALED if _SEALED_KEY in store[first.start : first.start + 32] else NOT_THIS
    if content(store, first) != b"\3":
        return OPEN if len(parts) > 1 else NOT_THIS  # a bare private key, version 0 or 1
    if _KEY_BAG in store:
        return OPEN
    if _SEALED_BAG not in store:
        return CheckResult(confidence=Confidence.LOW, reason="parse, no private key seen")
    known = len(parts) > 2 and _opens(store, parts[1], parts[2])  # noqa: PLR2004  # with a MAC
    return KNOWN if known else SEALED


def _opens(store: bytes, safe: Element, mac: Element) -> bool:
    """Whether the MAC over the store's content is made with a well-known password."""
    info, salt, *rest = children(store, mac)
    algorithm, digest = children(store, info)
    named = next(children(store, algorithm))
    name = _DIGESTS.get(content(store, named)) if named.tag == OBJECT else None
    rounds = int.from_bytes(content(store, rest[0]), "big") if rest else 1
    _, wrapped = children(store, safe)
    octets = next(children(store, wrapped))
    if name is None or not 0 < rounds <= _MOST_ROUNDS or octets.tag != OCTETS:
        return False
    message, wanted = content(store, octets), content(store, digest)
    for password in _WELL_KNOWN:
        secret = _derived(name, password, content(store, salt), rounds)
        if hmac.compare_digest(hmac.digest(secret, message, name), wanted):
            return True
    return False


def _derived(name: str, password: str, salt: bytes, rounds: int) -> bytes:
    """RFC 7292, B.2, for a key as long as the hash: one block."""
    block = hashlib.new(name).block_size
    text = (password + "\0").encode("utf-16-be")
    filled = [(each * block)[: -(-len(each) // block) * block] for each in (salt, text) if each]
    key = bytes([_MAC_KEY]) * block + b"".join(filled)
    for _ in range(rounds):
        key = hashlib.new(name, key).digest()
    return key


def _java(store: bytes) -> CheckResult:
    """Entries are keys, which are always sealed, or certificates of others."""
    body, digest = store[:-_DIGEST], store[-_DIGEST:]
    if not _has_key(body):
        return NOT_THIS
    for password in _WELL_KNOWN:
        salt = password.encode("utf-16-be") + _SALT_OF_JAVA
        if hmac.compare_digest(hashlib.sha1(salt + body, usedforsecurity=False).digest(), digest):
            return KNOWN
    return SEALED


def _has_key(body: bytes) -> bool:
    """Whether one of the entries is a key; certificates in front of it are skipped."""
    versioned = int.from_bytes(body[4:8], "big") > 1
    count, at = int.from_bytes(body[8:12], "big"), 12
    for _ in range(min(count, _MOST_ENTRIES)):
        kind = int.from_bytes(body[at : at + 4], "big")
        if kind != _CERTIFICATE or at >= len(body):
            return kind in (_PRIVATE, 3)  # 3 is a secret key of JCEKS
        at = _after_text(body, at + 4) + 8  # the alias and a date
        at = _after_text(body, at) if versioned else at
        at += 4 + int.from_bytes(body[at : at + 4], "big")
    return False


def _after_text(body: bytes, at: int) -> int:
    return at + 2 + int.from_bytes(body[at : at + 2], "big")
