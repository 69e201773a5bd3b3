"""Private keys as text: the whole block, and whether it parses as what its header says."""

from __future__ import annotations

import base64
import binascii
import re

from stanch.scanner.detectors.candidate import NOT_THIS, Candidate, CheckResult, Disposition
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence, Severity

_LONGEST = 16_384
_END = regex(rb"-----END [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----")
_BASE64 = regex(rb"[A-Za-z0-9+/]{16,}={0,2}")
_LOGGED = regex(rb"[A-Za-z0-9+/]{40,}={0,2}|[A-Za-z0-9+/]{2,}={1,2}")
_ENCRYPTED = regex(rb"ENCRYPTED|Proc-Type: ?4,|bcrypt|aes256-ctr")
_LAYOUT = regex(rb"\\[rnt]|[\s\"'`,>|#*+]|&#\d+;")
_CUT_OFF = regex(rb"(?:[A-Za-z0-9+/=:,\s-]|\\[rn]){0,16384}")
_LEFT_OUT = regex(rb"\.{3}|\xe2\x80\xa6")  # MIIEow...: a text shows how a key begins
_OPENSSH = b"openssh-key-v1\0"
_SEQUENCE = 0x30
_FEWEST = 24
_RSA = regex(rb"(?<![A-Z])[RD]SA PRIVATE")
_SHORTEST_RSA = 200  # characters; not even a key of 512 bits has fewer
_PUTTY_PRIVATE = regex(
    rb"Private-Lines: ?\d{1,3}(?:\\r|\\n|[\r\n])+(?:[A-Za-z0-9+/=]|\\r|\\n|[\r\n]){40,16000}"
)
_PUTTY_ENCRYPTED = regex(rb"Encryption: (?!none)\S")


def check_pem(candidate: Candidate) -> CheckResult:
    """Extends the header to the block's end; accepts indented, escaped, quoted and cut-off keys."""
    data, head = candidate.data, candidate.end
    # Up to the next header, so that a file of nothing but headers is read once, not each time anew.
    window = data[head : head + _LONGEST].partition(b"-----BEGIN ")[0]
    if end := _END.search(window):
        body = window[: end.start()]
        candidate.end = head + end.end()
    else:
        cut = _CUT_OFF.match(window)
        body = cut.group().rstrip(b"-\r\n\t ") if cut else b""
        candidate.end = head + len(body)
    short = sum(map(len, _BASE64.findall(body))) < _SHORTEST_RSA  # whatever joins the lines
    if short and _LEFT_OUT.search(body):
        return CheckResult(fate=Disposition.HARMLESS)
    material = _material(body)
    if len(material) < _FEWEST:
        return NOT_THIS
    if short and _RSA.search(data, candidate.start, head):
        return CheckResult(confidence=Confidence.LOW, reason="cut off")
    if len(set(material)) < _FEWEST:  # `AAAA…` runs are normal in a key, few letters are not
        return CheckResult(fate=Disposition.HARMLESS)
    confidence = Confidence.HIGH if _parses(material) else Confidence.MEDIUM
    sealed = _ENCRYPTED.search(data[candidate.start : head] + body[:200] + material[:200])
    return CheckResult(
        confidence=confidence,
        severity=Severity.MEDIUM if sealed else None,
        reason="parse" if confidence is Confidence.HIGH else "shape",
    )


def check_putty(candidate: Candidate) -> CheckResult:
    """Extends to the private lines; without them the file holds no secret."""
    window = candidate.data[candidate.start : candidate.start + _LONGEST]
    private = _PUTTY_PRIVATE.search(window)
    if private is None:
        return NOT_THIS
    candidate.end = candidate.start + private.end()
    encrypted = _PUTTY_ENCRYPTED.search(window, 0, private.start())
    return CheckResult(severity=Severity.MEDIUM if encrypted else None, reason="parse")


def _material(body: bytes) -> bytes:
    """The base64 of a body without layout, escapes, armour headers and checksum line."""
    lines = re.split(rb"(?:\\r|\\n|[\r\n])+", body)
    kept = b"".join(_LAYOUT.sub(b"", _unprefixed(line)) for line in lines)
    longest = max(_BASE64.findall(kept), key=len, default=b"")
    return bytes(longest)


def _unprefixed(line: bytes) -> bytes:
    """A line without what a logger has put in front of it; nothing of an armour header."""
    if b": " not in line:
        return line
    last = line.split()[-1] if line.split() else b""
    return last if _LOGGED.fullmatch(last) else b""


def _parses(material: bytes) -> bool:
    """DER SEQUENCE, OpenSSH magic or an OpenPGP secret-key packet at the start."""
    try:
        start = base64.b64decode(material[:64])
    except (binascii.Error, ValueError):
        return False
    # RFC 4880 §4.2: bit 7 is always set; tag 5 is a secret key, in old or new form.
    openpgp = start[0] & 0xC0 == 0xC0 and start[0] & 0x3F == 5  # noqa: PLR2004 - as above
    openpgp = openpgp or (start[0] & 0xC0 == 0x80 and (start[0] & 0x3C) >> 2 == 5)  # noqa: PLR2004
    return start[0] == _SEQUENCE or start.startswith(_OPENSSH) or openpgp
