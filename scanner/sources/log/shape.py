"""The shapes that logs have: by provider, what stands around a line, and what begins a step.

To add one: an entry in ``SHAPES``. The first whose ``sign`` is in the beginning of a log is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stanch.scanner.model.record import Record
from stanch.scanner.sources.log.stage import Rejoin, Removal, Stage

_DAY = rb"\d{4}-\d\d-\d\d"
_TIME = rb"\d\d:\d\d:\d\d"
#: 27 bytes, a space, a stream in hex, output or error, and ``+`` where the line goes on.
_GITLAB = rb"\n%bT%b\.\d{6}Z " % (_DAY, _TIME)

#: Jenkins' notes: base64 that no reader sees, and that looks like a secret.
NOTES = Removal(rb"\x1b\[8mha:[A-Za-z0-9+/=]*(?:\x1b\[0m)?", sign=b"\x1b[8m")
#: Colours and cursors, titles and links, stamps of Buildkite; each of bounded length.
SEQUENCES = Removal(
    rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)"
    rb"|[_PX^][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)|[()*+#%][0-9A-Za-z]|[=>78DEHMNOZc])",
    sign=b"\x1b",
)
#: What a terminal writes over is in the log all the same: it becomes a line.
OVERWRITES = Removal(rb"\r(?!\n)", sign=b"\r", put=b"\n")
_TERMINAL: tuple[Stage, ...] = (NOTES, SEQUENCES, OVERWRITES)


class Turn(Record):
    """A step of a job begins or ends here; ``name`` is None at its end."""

    name: str | None
    weak: bool = False  # it names a part of what goes on
    nested: bool = False  # it has an end, and lies in what is open


Read = Callable[[re.Match[bytes]], Turn]


class Shape(Record):
    """What a provider's logs look like. ``turn`` matches, behind a line's feed, what ``read``s."""

    name: str
    sign: re.Pattern[bytes]
    stages: tuple[Stage, ...]
    turn: re.Pattern[bytes] | None = None
    marker: bytes = b""  # stands in every turn
    read: Read | None = None


def _named(found: re.Match[bytes]) -> str:
    return SEQUENCES.apply(found["name"]).decode("utf-8", "replace").strip()


def _github(found: re.Match[bytes]) -> Turn:
    """A step's group is called ``Run …``; its output stands behind the group's end."""
    name = _named(found)
    return Turn(name=name, weak=not name.startswith(("Run ", "Post ")))


def _gitlab(found: re.Match[bytes]) -> Turn:
    return Turn(name=_named(found) if found["kind"] == b"start" else None, nested=True)


def _plain(found: re.Match[bytes]) -> Turn:
    return Turn(name=_named(found))


_GITHUB_STAMP = rb"\n(?:\xef\xbb\xbf)?%bT%b\.\d{7}Z " % (_DAY, _TIME)

_JENKINS = Removal(rb"\n\[%bT%b\.\d{3}Z\] " % (_DAY, _TIME), sign=b"Z] ", put=b"\n")

SHAPES = (
    Shape(
        name="github",
        sign=re.compile(_GITHUB_STAMP),
        stages=(Removal(_GITHUB_STAMP, sign=b"Z ", put=b"\n"), *_TERMINAL),
        marker=b"##[group]",
        turn=re.compile(rb"##\[group\](?P<name>[^\r\n]{1,200})"),
        read=_github,
    ),
    Shape(
        name="gitlab",
        sign=re.compile(_GITLAB + rb"[0-9a-f]{2}[OE][ +]|section_start:\d+:"),
        stages=(
            Rejoin(_GITLAB + rb"([0-9a-f]{2}[OE])([ +])", _GITLAB + rb"[0-9a-f]{2}[OE]\+"),
            *_TERMINAL,
        ),
        marker=b"section_",
        turn=re.compile(rb"section_(?P<kind>start|end):\d{1,20}:(?P<name>[\w.-]{1,200})"),
        read=_gitlab,
    ),
    Shape(
        name="buildkite",
        sign=re.compile(rb"\x1b_bk;t=\d+\x07"),
        stages=_TERMINAL,
        marker=b"\n",
        turn=re.compile(rb"\n(?:\x1b_bk;t=\d+\x07)?(?:---|\+\+\+|~~~) (?P<name>[^\r\n]{1,200})"),
        read=_plain,
    ),
    Shape(
        name="jenkins",
        sign=re.compile(rb"\x1b\[8mha:|\n\[Pipeline\] |\nStarted by |\nFinished: [A-Z]+"),
        stages=(_JENKINS, *_TERMINAL),
        marker=b"[Pipeline] {",
        turn=re.compile(rb"\[Pipeline\] \{ \((?P<name>[^\r\n]{1,200})\)"),
        read=_plain,
    ),
    Shape(
        name="codebuild",
        sign=re.compile(rb"\n\[Container\] \d{4}/\d\d/\d\d"),
        stages=_TERMINAL,
        marker=b"[Container]",
        turn=re.compile(rb"\[Container\] [^\r\n]{1,40} Entering phase (?P<name>[A-Z_]{1,40})"),
        read=_plain,
    ),
)
PLAIN = Shape(name="file", sign=re.compile(rb"(?!)"), stages=_TERMINAL)
_NAMED = {each.name: each for each in SHAPES}


def shape_of(head: bytes, provider: str = "") -> Shape:
    """The shape that a log has by its beginning, else the one that its provider gives."""
    lines = b"\n" + head
    found = next((each for each in SHAPES if each.sign.search(lines)), None)
    return found or _NAMED.get(provider, PLAIN)
