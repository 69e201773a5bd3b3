"""Tables whose header names a column of passwords: Markdown's, and comma-separated ones."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.detectors.candidate import Candidate, CheckResult
from stanch.scanner.detectors.context.assignment import Assignment
from stanch.scanner.detectors.context.generic import judged
from stanch.scanner.detectors.context.name_and_value import PASSWORD
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.record import replace

#: How long a line of a table may be, in bytes.
_FAR = 4096
_RULER = regex(rb"[ \t>]*\|?[ \t]*:?-{2,}[-:| \t]*")
_RULERS = 8
_QUOTED = regex(rb'"(?:[^"]|"")*"')
_HEADING = regex(rb"(?i)[a-z_ ]{0,16}(?:password|passwd|passphrase|pwd)[a-z_ ]{0,8}")
_FRAME = b" \t\r*_`\"'"
_DELIMITERS = (b"|", b";", b"\t", b",")


def rows(table: Candidate) -> Iterator[Candidate]:
    """Each cell of one word below the first heading that means a password, with that heading.

    The table stands at the beginning of the first row below the header. A row that would do as a
    header begins a table of its own: no row is looked at twice.
    """
    header = _header(table)
    delimiter = next((each for each in _DELIMITERS if each in header), None)
    if delimiter is None:
        return
    headings = [header[begin:end].strip(_FRAME) for begin, end in _fields(header, delimiter)]
    column = next((at for at, each in enumerate(headings) if PASSWORD.search(each)), None)
    if column is None:
        return
    at = table.start
    while at < len(table.data):
        end = _line_end(table.data, at)
        row = table.data[at:end]
        cells = _fields(row, delimiter)
        if len(cells) <= max(column, 1) or any(_heads(row[first:last]) for first, last in cells):
            return
        first, last = cells[column]
        word = row[first:last].strip(_FRAME)
        if word and b" " not in word:
            start = at + row.index(word, first)
            yield replace(table, start=start, end=start + len(word), name=headings[column])
        at = end + 1


def check_column(candidate: Candidate) -> CheckResult:
    """A cell is judged as what its column's heading is set to."""
    return judged(
        Assignment(
            name=candidate.name,
            operator=b"=",
            quote=b"|",  # a cell is written out
            start=candidate.start,
            end=candidate.end,
            cut=b"",
            front=b"",
            tail=b"",
        ),
        candidate,
    )


def _line_end(data: bytes, start: int) -> int:
    """Where a row ends; one that is longer than any row of words ends the table."""
    end = data.find(b"\n", start, start + _FAR)
    return end if end >= 0 else min(len(data), start + _FAR)


def _header(candidate: Candidate) -> bytes:
    """The line above the first row, or the one above the ruler."""
    data, end = candidate.data, candidate.start - 1
    for _ in range(_RULERS):
        begin = data.rfind(b"\n", max(0, end - _FAR), max(end, 0)) + 1
        line = data[begin : max(end, 0)]
        if not _RULER.fullmatch(line.rstrip()):
            return line
        end = begin - 1
    return b""


def _heads(cell: bytes) -> bool:
    """Whether a cell would make its row a header, as the rule's pattern says."""
    name = cell.strip(_FRAME)
    return bool(_HEADING.fullmatch(name))


def _fields(row: bytes, delimiter: bytes) -> list[tuple[int, int]]:
    """Where the fields of a row begin and end; a delimiter within quotes is a sign like others."""
    fields, begin = [], 0
    while begin <= len(row):
        quoted = _QUOTED.match(row, begin) if delimiter != b"|" else None
        end = row.find(delimiter, quoted.end() if quoted else begin)
        end = len(row) if end < 0 else end
        fields.append((begin, end))
        begin = end + 1
    return fields
