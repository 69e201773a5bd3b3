"""Encoded copies: base64, hex, percent and escape sequences, opened and read by the same rules.

Only what decodes to text is looked at, at most ``DEPTH`` layers deep, and a finding points at the
encoded run in the original. What a rule for the encoded form itself has named (a JWT, a key) is
not reported again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice

from stanch.scanner.detectors.text.path_kind import is_foreign_ground
from stanch.scanner.detectors.text.percent import character, unquoted
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Finding, Match
from stanch.scanner.model.fragment import Fragment

Scan = Callable[[Fragment], tuple[Match, ...]]

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#: So many letters and digits in a row are in every run: of what encodes ASCII only every fourth
#: letter can be a sign, and few are. (Rulers, paths and long names would be runs otherwise.)
UNBROKEN = 32
#: So many letters, digits and signs a run has at least.
SHORTEST = 40
ALPHABET = _LETTERS + b"+/-_"
#: So many layers are opened, of runs up to so many bytes, in at most so many runs of a fragment.
DEPTH = 3
WIDEST = 1 << 18
MOST_RUNS = 200
_HEAD = 16
#: Letters and digits become one byte, so that a run is found by a plain search.
_RUNS = bytes(65 if byte in ALPHABET[:-4] else 32 for byte in range(256))
_RUN = b"A" * UNBROKEN
_WRAPPED = regex(rb"[A-Za-z0-9+/_-]+(?:(?:\\n|\r?\n[ \t]{0,12})[A-Za-z0-9+/_-]{16,})*={0,2}")
_BREAK = regex(rb"\\n|\s+")
#: What begins with ASCII: a zero in the top bit of each of three bytes shows in four letters.
_SIXTY_FOUR = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_GROUP = b"[%b][%b][%b]." % tuple(
    bytes(_SIXTY_FOUR[at] for at in range(64) if not at & bit) for bit in (32, 8, 2)
)
_BEGINS_TEXT = regex(b"(?:%b){4}|(?:[2-7][0-9A-Fa-f]|0[9AaDd]){8}" % _GROUP)
_HEX = regex(rb"(?:[0-9A-Fa-f]{2})+")
_TELLING = {
    # Signs have to be escaped in a URL; letters never, so three of them are there to hide.
    b"%": regex(rb"%(?:3[ADad]|2[2-7Ff]|40|[4-7][0-9A-Fa-f](?:%[4-7][0-9A-Fa-f]){2})"),
    b"\\": regex(rb"\\(?:u00[2-7][0-9A-Fa-f]|x[2-7][0-9A-Fa-f](?:\\x[2-7][0-9A-Fa-f]){3})"),
}
#: What every encoded run has; without one of these nothing is opened.
MARKS = (b"[A-Za-z0-9]{%d}" % UNBROKEN, *(each.pattern for each in _TELLING.values()))
_ANYWHERE: Mapping[int, int] = dict.fromkeys(range(len(MARKS)), 0)
_AROUND = regex(rb"[^\s\"'`<>]*")
_SIGN = 16  # bytes that what tells of escapes may be long
_ESCAPE = regex(rb"\\(?:u00|x)([2-7][0-9A-Fa-f])")
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_BORDERS = (b"\n", b" ", b'"', b"'")
_LINE = 2048
_LEAST_TEXT = 12


class Copy:
    """``text`` is what ``data[start:end]`` says when it is read as ``encoding``."""

    __slots__ = ("encoding", "end", "start", "text")

    def __init__(self, *, text: bytes, start: int, end: int, encoding: str) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.encoding = encoding


def copies(data: bytes, marks: Mapping[int, int] = _ANYWHERE) -> Iterator[Copy]:
    """The encoded runs of ``data`` that decode to text, at most ``MOST_RUNS``.

    ``marks``: which of :data:`MARKS` are there, and where the first place of each ends at least.
    """
    blocks = _blocks(data, marks[0]) if 0 in marks else ()
    yield from islice(chain(blocks, _escapes(data, marks)), MOST_RUNS)


def opened(
    fragment: Fragment,
    direct: tuple[Match, ...],
    scan: Scan,
    marks: Mapping[int, int] = _ANYWHERE,
) -> tuple[Match, ...]:
    """``direct`` and what ``scan`` finds in the fragment's encoded copies, by position."""
    from stanch.scanner.detectors.text.position import LineIndex  # noqa: PLC0415  # see above
    from stanch.scanner.model.finding import Match  # noqa: PLC0415  # as above
    from stanch.scanner.model.record import replace  # noqa: PLC0415  # as above

    path = fragment.provenance.path
    if is_foreign_ground(path):
        return direct
    lines: LineIndex | None = None
    hidden: list[Match] = []
    for each in copies(fragment.data, marks):
        inner = _read(each.text, path, scan, DEPTH - 1)
        if not inner:
            continue
        lines = lines or LineIndex(fragment.data, fragment.first_line)
        span = lines.span(each.start, each.end)
        hidden.extend(
            Match(
                finding=replace(
                    match.finding,
                    provenance=fragment.provenance,
                    span=span,
                    also=(),
                    reason=f"{match.finding.reason}+{each.encoding}",
                ),
                parts=match.parts,
            )
            for match in inner
        )
    return _merged(direct, hidden) if hidden else direct


def _read(text: bytes, path: str, scan: Scan, depth: int) -> list[Match]:
    """The matches of decoded text, and of what is encoded in it in turn."""
    from stanch.scanner.model.finding import Match  # noqa: PLC0415  # see above
    from stanch.scanner.model.fragment import Fragment  # noqa: PLC0415  # as above
    from stanch.scanner.model.provenance import InStream  # noqa: PLC0415  # as above
    from stanch.scanner.model.record import replace  # noqa: PLC0415  # as above

    # Decoded text is no program, whatever the file around it: a bare word in it is a value.
    found = list(scan(Fragment(data=text, provenance=InStream(path=f"{path}.txt"))))
    if depth:
        for each in copies(text):
            for match in _read(each.text, path, scan, depth - 1):
                finding = replace(match.finding, reason=f"{match.finding.reason}+{each.encoding}")
                found.append(Match(finding=finding, parts=match.parts))
    return found


def _merged(direct: tuple[Match, ...], hidden: list[Match]) -> tuple[Match, ...]:
    """One report for one place: a provider's rule beats a generic one, the plain form the copy."""
    named = [each.finding for each in direct if each.finding.provider != "generic"]
    known = {each.finding.fingerprint for each in direct}
    fresh: dict[tuple[str, int, int], Match] = {}
    for each in hidden:
        finding = each.finding
        if finding.fingerprint in known and any(_meet(finding, other.finding) for other in direct):
            continue
        if not any(_meet(finding, other) for other in named):
            key = (finding.fingerprint, finding.span.line, finding.span.column)
            fresh.setdefault(key, each)
    kept = [
        each
        for each in direct
        if each.finding.provider != "generic"
        or not any(
            _meet(each.finding, other.finding)
            and other.finding.confidence.rank >= each.finding.confidence.rank
            for other in fresh.values()
        )
    ]
    both = [*kept, *fresh.values()]
    return tuple(sorted(both, key=lambda m: (m.finding.span.line, m.finding.span.column)))


def _meet(one: Finding, other: Finding) -> bool:
    a, b = one.span, other.span
    begins = (a.line, a.column) < (b.end_line, b.end_column)
    return begins and (b.line, b.column) < (a.end_line, a.end_column)


def _blocks(data: bytes, first: int) -> Iterator[Copy]:
    """Runs of base64 or hex, also over several lines; none is unbroken up to ``first``."""
    skipped = max(0, first - UNBROKEN)
    flat = data[skipped:].translate(_RUNS)
    found = flat.find(_RUN)
    past = 0
    while found >= 0:
        at = skipped + found
        ahead = data[max(past, at - _LINE) : at]
        at -= len(ahead) - len(ahead.rstrip(ALPHABET))
        run = _WRAPPED.match(data, at, at + WIDEST)
        past = run.end() if run else at + UNBROKEN
        if past - at >= SHORTEST and _BEGINS_TEXT.match(data, at):
            text, encoding = _block(data[at:past])
            if text:
                yield Copy(text=text, start=at, end=past, encoding=encoding)
        found = flat.find(_RUN, past - skipped)


def _block(run: bytes) -> tuple[bytes, str]:
    """The text in a run of base64 or hex, and which it was; nothing when there is none."""
    head = run[:_HEAD]
    if _HEX.fullmatch(head) and _HEX.fullmatch(run):
        text = bytes.fromhex(run.decode("ascii"))
        return (text, "hex") if _is_text(text) else (b"", "")
    if not (_is_text(start := _base64(head)) or _narrowed(start)):
        return b"", ""
    raw = _base64(_BREAK.sub(b"", run))
    if _is_text(raw):
        return raw, "base64"
    text = _narrowed(raw)
    return (text, "utf-16+base64") if text else (b"", "")


def _narrowed(raw: bytes) -> bytes:
    """The ASCII that is written in UTF-16, as PowerShell encodes commands; nothing for others."""
    for letters, zeros in ((raw[::2], raw[1::2]), (raw[1::2], raw[::2])):
        if not any(zeros) and _is_text(letters):
            return letters
    return b""


def _base64(run: bytes) -> bytes:
    body = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    body = body[: len(body) - 1] if len(body) % 4 == 1 else body
    try:
        return base64.b64decode(body + b"=" * (-len(body) % 4))
    except binascii.Error:
        return b""


def _escapes(data: bytes, marks: Mapping[int, int]) -> Iterator[Copy]:
    r"""Stretches without a space in which signs are written as ``%3D`` or ``\u003d``."""
    for number, (mark, telling) in enumerate(_TELLING.items(), 1):
        if number not in marks or mark not in data:
            continue
        past = 0
        for sign in telling.finditer(data, max(0, marks[number] - _SIGN)):
            if sign.start() < past:
                continue
            begin = max(data.rfind(each, past, sign.start()) for each in _BORDERS) + 1
            begin = max(begin, past, sign.start() - _LINE)
            run = _AROUND.match(data, begin, begin + 2 * _LINE)
            past = max(sign.end(), run.end() if run else 0)
            text = _unescaped(data[begin:past], mark)
            if len(text) >= _LEAST_TEXT and _is_text(text):
                encoding = "url" if mark == b"%" else "escape"
                yield Copy(text=text, start=begin, end=past, encoding=encoding)


def _unescaped(piece: bytes, mark: bytes) -> bytes:
    return unquoted(piece) if mark == b"%" else _ESCAPE.sub(character, piece)


def _is_text(text: bytes) -> bool:
    """Printable ASCII and white space only."""
    return bool(text) and text.isascii() and not text.translate(None, _PRINTABLE)
