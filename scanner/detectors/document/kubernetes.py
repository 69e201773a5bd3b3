"""Kubernetes Secrets: every value of ``data`` and ``stringData``, as kubectl would read them.

What sealed and external secrets hold is no such mapping, so they need no exception. Values that
point elsewhere, that another key opens, or that are public by their kind are none.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from stanch.scanner.detectors.candidate import NOT_THIS, Candidate, CheckResult
from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.held import Held, held
from stanch.scanner.detectors.document.json_text import Found
from stanch.scanner.detectors.document.node import Mapping, Scalar
from stanch.scanner.detectors.text.encrypted import is_encrypted
from stanch.scanner.detectors.text.path_kind import is_example_ground
from stanch.scanner.detectors.text.placeholder import is_placeholder
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.wordlike import is_stand_in, pieces, reads_like_word
from stanch.scanner.model.finding import Confidence, Severity

_ELSEWHERE = regex(
    rb"\{\{|\{%|\$\{|\$\(|^\$[A-Za-z_]|^%[\w.]+%$|^<[^<>]*>$|<path:|^@[\w.]+@$|^\s*$|"
    rb"^[a-z][a-z0-9+.-]{0,30}(?<!http)(?<!https)://[^\s:@/]+(?:/\S*)?$|"
    rb"^(?:vault|env|file|ssm|secretsmanager|gcpsm|azkv|sops|op|ref|arn:aws[\w-]*):\S"
)
_PUBLIC_PEM = regex(rb"-----BEGIN (?:[A-Z0-9 ]{0,30} )?(?:CERTIFICATE|PUBLIC KEY|X509 CRL)")
_PRIVATE = b"PRIVATE KEY"
_LOGIN = regex(rb"://[^\s:@/]*:[^\s@/]+@")
#: What such an entry is called when it is needed beside a secret, and is none.
_BESIDE = frozenset(
    b"""
    user username login host hostname port url uri endpoint address addr region database db dbname
    email mail server servers namespace type bucket account name path issuer tenant provider engine
    crt cer cert certificate version schema id scheme protocol driver realm domain org organization
    project
    """.split()
)
_WORD = regex(rb"(?i)true|false|yes|no|on|off|null|none|enabled|disabled|\d{1,5}|[\d.:/]{1,40}")
_SHORTEST = 4


def secrets(_data: bytes, found: Found, _budget: Budget) -> Iterator[Held]:
    """The values of a Secret, ``data`` decoded."""
    if found.mapping.text(b"kind") != b"Secret":
        return
    for part in (b"data", b"stringData"):
        entries = found.mapping.get(part)
        if not isinstance(entries, Mapping):
            continue
        for name, value in entries.entries():
            if not isinstance(value, Scalar):
                continue
            text = value.text
            if part == b"data":
                text = _decoded(b"".join(text.split()))
            if text:
                yield held(value, name, text)


def _decoded(text: bytes) -> bytes:
    """What base64 says, as strict as Kubernetes is; nothing where a template will stand."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def check_kubernetes_entry(candidate: Candidate) -> CheckResult:
    """A value is a secret because it is in a Secret, unless it plainly is something else."""
    text = candidate.value.strip()
    if _ELSEWHERE.search(text) or is_encrypted(text) or _is_public(text):
        return NOT_THIS
    if is_stand_in(text, candidate.name) or is_placeholder(text) or len(text) < _SHORTEST:
        return CheckResult(confidence=Confidence.LOW, severity=Severity.LOW, reason="placeholder")
    words = pieces(candidate.name)
    if (words and words[-1] in _BESIDE and not _LOGIN.search(text)) or _WORD.fullmatch(text):
        return CheckResult(
            confidence=Confidence.LOW, severity=Severity.LOW, reason="not the secret"
        )
    if is_example_ground(candidate.path) and (text.isalpha() or reads_like_word(text)):
        return CheckResult(confidence=Confidence.LOW, reason="words in an example")
    # Of a whole file what it holds is said better by the rules for that, if they find something.
    whole_file = b"\n" in text or text[:1] == b"{"
    return CheckResult(
        confidence=Confidence.MEDIUM if whole_file else Confidence.HIGH, reason="parse"
    )


def _is_public(text: bytes) -> bool:
    return bool(_PUBLIC_PEM.match(text)) and _PRIVATE not in text
