"""Tables whose header names a column of passwords: Markdown's, and comma-separated ones."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.detectors.candidate import NOT_THIS, Candidate, CheckResult
from stanch.scanner.detectors.context.assignment import Assignment
from stanch.scanner.detectors.context.generic import judged
from stanch.scanner.detectors.context.name_and_value import PASSWORD
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.finding import Confidence

#: How far a header is looked for above, and rows below, in bytes.
_FAR = 4096
_RULER = regex(rb"[ \t>]*\|?[ \t]*:?-{2,}[-:| \t]*")
_RULERS = 8
_QUOTED = regex(rb'"(?:[^"]|"")*"')
_HEADING = regex(rb"(?i)[a-z_ ]{0,16}(?:password|passwd|passphrase|pwd)[a-z_ ]{0,8}")
_FRAME = b" \t\r*_`\"'"
_DELIMITERS = (b"|", b";", b"\t", b",")


def check_column(candidate: Candidate) -> CheckResult:
    """The first cell below a heading that means a password, and holds one.

    The candidate stands at the beginning of the first row below the header, and is moved.
    """
    header = _header(candidate)
    delimiter = next((each for each in _DELIMITERS if each in header), None)
    if delimiter is None:
        return NOT_THIS
    headings = [header[begin:end].strip(_FRAME) for begin, end in _fields(header, delimiter)]
    column = next((at for at, each in enumerate(headings) if PASSWORD.search(each)), None)
    if column is None:
        return NOT_THIS
    doubtful: tuple[int, int, CheckResult] | None = None
    for start, end in list(_cells(candidate, column, delimiter)):
        candidate.start, candidate.end = start, end
        result = judged(_cell(candidate, headings[column], delimiter), candidate)
        if result.confidence is Confidence.MEDIUM:
            return result
        if result is not NOT_THIS:
            doubtful = doubtful or (start, end, result)
    if doubtful is None:
        return NOT_THIS
    candidate.start, candidate.end, result = doubtful
    return result


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


def _cells(candidate: Candidate, column: int, delimiter: bytes) -> Iterator[tuple[int, int]]:
    """Where the column's cells of one word each begin and end, row by row.

    A row that would do as a header begins a table of its own: no row is looked at twice.
    """
    at = candidate.start
    for row in candidate.data[at : at + _FAR].split(b"\n"):
        cells = _fields(row, delimiter)
        if column >= len(cells) or any(_heads(row[begin:end]) for begin, end in cells):
            return
        begin, end = cells[column]
        cell = row[begin:end]
        word = cell.strip(_FRAME)
        if word and b" " not in word:
            begin += cell.index(word)
            yield at + begin, at + begin + len(word)
        at += len(row) + 1


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


def _cell(candidate: Candidate, heading: bytes, delimiter: bytes) -> Assignment:
    return Assignment(
        name=heading,
        operator=b"=",
        quote=delimiter,
        start=candidate.start,
        end=candidate.end,
        cut=b"",
        front=b"",
        tail=b"",
    )
