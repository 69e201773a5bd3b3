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
    headings = [each.strip(_FRAME) for each in header.split(delimiter)]
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
    above = candidate.data[max(0, candidate.start - _FAR) : candidate.start].split(b"\n")[:-1]
    while above and _RULER.fullmatch(above[-1].rstrip()):
        above.pop()
    return above[-1] if above else b""


def _cells(candidate: Candidate, column: int, delimiter: bytes) -> Iterator[tuple[int, int]]:
    """Where the column's cells of one word each begin and end, row by row."""
    at = candidate.start
    for row in candidate.data[at : at + _FAR].split(b"\n"):
        cells = row.split(delimiter)
        if column >= len(cells):
            return
        start = at + sum(len(each) + 1 for each in cells[:column])
        cell = cells[column]
        word = cell.strip(_FRAME)
        if word and b" " not in word:
            start += cell.index(word)
            yield start, start + len(word)
        at += len(row) + 1


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
