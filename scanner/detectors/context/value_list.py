"""Lists of passwords in settings: `passwords = ["…", "…"]`, and YAML's, one item a line."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.detectors.candidate import NOT_THIS, Candidate, CheckResult
from stanch.scanner.detectors.context.assignment import Assignment
from stanch.scanner.detectors.context.generic import judged
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.settings_file import is_exact
from stanch.scanner.model.record import replace

_NAME = regex(rb"([\w.-]{1,64})[\"']?[ \t]{0,4}[:=]\s{0,90}[\[-]?\s{0,90}\Z")
_FRONT = 256  # bytes: the name, and what leads from it to the first item
_ITEM = (
    rb"(?:\"(?P<double>[^\"\\\n]{4,200})\"|'(?P<single>[^'\n]{4,200})'"
    rb"|(?P<bare>[^\s\"'`,\[\]#]{4,200}))"
)
_REMARK = rb"[ \t]{0,9}(?:#[^\n]{0,200})?"
_INSIDE = regex(rb"\s{0,90}" + _ITEM + rb"[ \t]{0,90}(?:,|(?=\s{0,90}\]))" + _REMARK)
_BLOCK = regex(rb"(?:[ \t]{0,90}-[ \t]{1,9})?" + _ITEM + _REMARK + rb"\r?\n?")
#: Lists of what nobody may choose, or what is tried.
_NOT_OURS = regex(
    rb"(?i)common|weak|bad|invalid|forbidden|denied|banned|black|breach|leaked|top|guess"
)


def items(first: Candidate) -> Iterator[Candidate]:
    """Each item of the list whose first one a candidate stands at, with the list's name."""
    data = first.data
    name = _NAME.search(data, max(0, first.start - _FRONT), first.start)
    if name is None or not is_exact(first.path, data) or _NOT_OURS.search(name[1]):
        return
    form = _BLOCK if data[: first.start].rstrip()[-1:] == b"-" else _INSIDE
    at = first.start
    while item := form.match(data, at):
        group = item.lastgroup or "bare"
        yield replace(first, start=item.start(group), end=item.end(group), name=name[1])
        at = item.end()


def check_list(candidate: Candidate) -> CheckResult:
    """An item is judged as what one such name is set to."""
    if not candidate.name:
        return NOT_THIS
    return judged(
        Assignment(
            name=candidate.name.rstrip(b"sS"),
            operator=b"=",
            quote=b'"',  # an item is written out
            start=candidate.start,
            end=candidate.end,
            cut=b"",
            front=b"",
            tail=b"",
        ),
        candidate,
    )
