"""The few shapes the picture is made of, each escaped, and a packer that keeps labels apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

CHAR = 6.1  # px: mean width of a character at the picture's type size (11 px)
_MAX_ROWS = 120  # more would make a picture that nobody looks at


@dataclass(slots=True)
class Rows:
    """Puts intervals into the first row where they touch nobody, or the last when all are full."""

    ends: list[float] = field(default_factory=list)

    def place(self, left: float, right: float) -> int:
        """The row for an interval, from 0."""
        for row, end in enumerate(self.ends):
            if left >= end:
                self.ends[row] = right
                return row
        if len(self.ends) < _MAX_ROWS:
            self.ends.append(right)
        return len(self.ends) - 1


def width(words: str) -> float:
    """About how wide ``words`` are drawn, in px."""
    return len(words) * CHAR


def text(x: float, y: float, words: str, *, kind: str, anchor: str = "start") -> str:
    """A line of text."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def rect(box: tuple[float, float, float, float], *, kind: str, hint: str) -> str:
    """A bar or an area: left, top, width, height."""
    x, y, w, h = box
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="2">'
        f"<title>{escape(hint)}</title></rect>"
    )


def line(x1: float, y1: float, x2: float, y2: float, *, kind: str) -> str:
    """A straight line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def dot(x: float, y: float, *, kind: str, hint: str) -> str:
    """A small disc."""
    return (
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4.5">'
        f"<title>{escape(hint)}</title></circle>"
    )


def diamond(x: float, y: float, *, kind: str, hint: str) -> str:
    """A small square on its corner."""
    points = f"{x:.1f},{y - 5:.1f} {x + 5:.1f},{y:.1f} {x:.1f},{y + 5:.1f} {x - 5:.1f},{y:.1f}"
    return f'<polygon class="{kind}" points="{points}"><title>{escape(hint)}</title></polygon>'
