"""What of a value a report may show."""

from __future__ import annotations

from typing import assert_never

from stanch.scanner.detectors.context.url import place_of
from stanch.scanner.model.rule import PreviewStyle

_ENDS = 4
_SHORTEST = 16


def preview(value: bytes, style: PreviewStyle) -> str:
    """Four characters at each end of a long value, scheme and host of a URL, or the length."""
    length = f"<{len(value)} bytes>"
    match style:
        case PreviewStyle.LENGTH:
            return length
        case PreviewStyle.ENDS:
            ends = value[:_ENDS] + value[-_ENDS:]
            if len(value) < _SHORTEST or not all(33 <= byte < 127 for byte in ends):  # noqa: PLR2004 - printable ASCII
                return length
            return f"{value[:_ENDS].decode('ascii')}…{value[-_ENDS:].decode('ascii')}"
        case PreviewStyle.URL:
            place = place_of(value)
            if place is None or not place.host.isprintable():
                return length
            return f"{place.scheme}://…@{place.host}"
        case _:
            assert_never(style)
