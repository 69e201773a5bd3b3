"""Markers in a comment next to a value.

Ours is ``stanch: allow`` and a reason, in the value's first or last line, or ``stanch: allow-next``
and a reason alone in the line before. ``stanch: allow[github-pat]`` speaks of that rule only. The
markers of detect-secrets (``pragma: allowlist secret``, also ``nextline``), gitleaks, betterleaks,
trufflehog, kingfisher and ggshield are honoured as those tools honour them, without a reason.
"""

from __future__ import annotations

import re

from stanch.scanner.model.record import Record
from stanch.scanner.model.waiver import Waiver, WaiverSource

#: Words of other scanners that accept what stands in the same line.
_SAME_LINE = (
    b"gitleaks:allow", b"betterleaks:allow", b"trufflehog:ignore", b"kingfisher:ignore",
    b"ggignore",
)  # fmt: skip
#: What every marker has, in lower case.
_WORDS = (b"stanch:", b"allowlist", b"whitelist", *_SAME_LINE)
_LONGEST = 4_096  # bytes to each side of a value that are looked at: lines can be huge
_COMMENT = rb"(?:#|//|/\*|--|<!--|;|%|'|\"|\{#|\(\*|\brem\b|\bdnl\b|\*|^)"
_OURS = re.compile(
    rb"(?i)" + _COMMENT + rb"[ \t]{0,40}stanch:[ \t]{0,40}allow(?P<next>-next)?"
    rb"(?:\[(?P<rules>[^\]\n]{0,400})\])?(?![\w-])[ \t:]*(?P<reason>[^\r\n]*)"
)
_PRAGMA = re.compile(
    rb"(?:#|//|/\*|'|--|<!--[# \t]{0,8})[ \t]{0,40}pragma: ?"
    rb"(?:allowlist(?P<next>[ -]nextline)?|whitelist)[ -]secret\b"
)
_FOREIGN = re.compile(rb"(?<![\w-])(?:%b)(?![\w-])" % b"|".join(_SAME_LINE))
_CLOSING = re.compile(r"\*/.*|-->.*|#\}.*|\*\).*|['\"`;,\s]+$")
_WORD = re.compile(r"\w{2}")
_SPACE = re.compile(r"\s+")


def has_markers(data: bytes) -> bool:
    """Whether there could be a marker anywhere; false is certain."""
    text = data.lower()
    return any(word in text for word in _WORDS)


class Neighbourhood(Record):
    """What may hold a marker for a value: the rest of its lines, and the line before them."""

    before: bytes
    after: bytes
    previous: bytes


def neighbourhood(data: bytes, start: int, end: int) -> Neighbourhood:
    """The surroundings of ``data[start:end]``; the value itself is left out."""
    first = data.rfind(b"\n", 0, start) + 1
    last = data.find(b"\n", end)
    above = data.rfind(b"\n", 0, max(first - 1, 0)) + 1
    return Neighbourhood(
        before=data[max(first, start - _LONGEST) : start],
        after=data[end : min(len(data) if last < 0 else last, end + _LONGEST)],
        previous=data[max(above, first - _LONGEST) : first].rstrip(b"\r\n"),
    )


def marker(around: Neighbourhood, rule: str) -> Waiver | None:
    """The waiver that a marker gives to a finding of this rule, None without a marker."""
    void: Waiver | None = None
    for text, above in ((around.after, False), (around.before, False), (around.previous, True)):
        for found in _OURS.finditer(text):
            if bool(found["next"]) is not above or not _speaks_of(found, rule):
                continue
            waiver = _ours(found)
            if waiver.hides:
                return waiver
            void = void or waiver
    return _foreign(around) or void


def _speaks_of(found: re.Match[bytes], rule: str) -> bool:
    rules = found["rules"]
    return rules is None or rule in {
        each.strip() for each in rules.decode(errors="replace").split(",")
    }


def _ours(found: re.Match[bytes]) -> Waiver:
    reason = _SPACE.sub(" ", _CLOSING.sub("", found["reason"].decode(errors="replace"))).strip()
    if not _WORD.search(reason):
        return Waiver(
            source=WaiverSource.INLINE,
            reason="",
            void="the marker gives no reason: write `stanch: allow` and why",
        )
    return Waiver(source=WaiverSource.INLINE, reason=reason[:400])


def _foreign(around: Neighbourhood) -> Waiver | None:
    for text, above in ((around.before, False), (around.after, False), (around.previous, True)):
        found = _PRAGMA.search(text) if not above else _PRAGMA.match(text.lstrip())
        if found and bool(found["next"]) is above:
            return Waiver(source=WaiverSource.INLINE, reason="pragma: allowlist secret")
        if not above and (said := _FOREIGN.search(text)):
            return Waiver(source=WaiverSource.INLINE, reason=said[0].decode())
    return None
