"""What is watched for `stanch sources`, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stanch.responder.domain.json import JsonObject
from stanch.responder.services.fact import age
from stanch.responder.services.lookout import Failure, Lookout
from stanch.responder.terminal.text import clip, visible

_BARS = "▁▂▃▄▅▆▇█"
_LATE = timedelta(minutes=1)  # below this nobody calls it late
_FEW = 3
_LONGEST = 240
_HEAD = ("Watch", "Read up to", "Next", "Found in 14 days")
_WIDEST = 30  # columns of a name


def lookout_list(rows: Sequence[Lookout], now: datetime) -> RenderableType:
    """The rows in the order given: a line of figures for each, and below it what is wrong."""
    lines = [_HEAD, *(_figures(row, now) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    shown: list[RenderableType] = [_line(_HEAD, widths, "bold")]
    for row, figures in zip(rows, lines[1:], strict=True):
        style = "green" if row.whole else "yellow"
        shown += [_line(figures, widths, style), Padding(_details(row), (0, 0, 0, 2))]
    return Group(*shown)


def _line(texts: Sequence[str], widths: Sequence[int], style: str) -> Text:
    cells = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
    return Text("  ".join(cells).rstrip(), style=style, no_wrap=True)


def _figures(row: Lookout, now: datetime) -> tuple[str, ...]:
    read = "not yet" if row.as_of is None else f"{age(now - row.as_of)} ago"
    name = clip(visible(row.watch), _WIDEST)
    return name, read, _next(row, now), _trend(row.found)


def _next(row: Lookout, now: datetime) -> str:
    if row.next_at is None:
        return "never" if row.sources else "not begun"
    return "now" if row.next_at <= now else f"in {age(row.next_at - now)}"


def _trend(found: tuple[int, ...]) -> str:
    most = max((*found, 1))
    bars = "".join(_BARS[(n * (len(_BARS) - 1) + most - 1) // most] for n in found)
    return f"{bars} {sum(found)}"


def _details(row: Lookout) -> Text:
    more = f", {row.sources} sources" if row.sources > 1 else ""
    text = Text(visible(row.what) + more, style="dim", overflow="fold")
    if not row.sources:
        text.append("\nnobody has looked yet: stanch watch", style="yellow")
    if row.gone:
        text.append(f"\n{row.gone} that the host lists no more", style="dim")
    if row.waiting:
        text.append(f"\n{row.waiting} with news that nobody has read yet", style="yellow")
    if row.late >= _LATE:
        text.append(f"\nlate by {age(row.late)}: is `stanch watch` running?", style="bold red")
    for failure in row.failures[:_FEW]:
        text.append(f"\n{_failed(row, failure)}", style="bold red" if failure.tries else "yellow")
    if len(row.failures) > _FEW:
        text.append(f"\nand {len(row.failures) - _FEW} more: stanch sources {row.watch}")
    if row.suspicions:
        said = f"\n{len(row.suspicions)} for a person to judge: stanch sources {row.watch}"
        text.append(said, style="bold")
    return text


def _failed(row: Lookout, failure: Failure) -> str:
    where = "" if failure.subject == row.what else f"{failure.subject}: "
    tries = f" ({failure.tries} times)" if failure.tries > 1 else ""
    what = f"not read{tries}: " if failure.tries else ""
    remedy = f" → {failure.remedy}" if failure.remedy else ""
    return visible(clip(f"{what}{where}{failure.why}", _LONGEST) + remedy)


def suspicion_table(rows: Iterable[Lookout]) -> Table:
    """What a person has to judge."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("No.", no_wrap=True)
    table.add_column("What may be wrong, and where", overflow="fold")
    for each in (suspicion for row in rows for suspicion in row.suspicions):
        text = Text(visible(each.reason)).append(f"\n{visible(each.place)}", style="dim")
        table.add_row(str(each.id), text)
    return table


def as_json(row: Lookout) -> JsonObject:
    """The same for programs."""
    return {
        "watch": row.watch,
        "what": row.what,
        "sources": row.sources,
        "read_up_to": row.as_of.isoformat() if row.as_of else None,
        "waiting": row.waiting,
        "gone": row.gone,
        "late_seconds": round(row.late.total_seconds(), 3),
        "next_at": row.next_at.isoformat() if row.next_at else None,
        "failures": [
            {"source": f.subject, "why": f.why, "remedy": f.remedy, "tries": f.tries}
            for f in row.failures
        ],
        "found_by_day": list(row.found),
        "suspicions": [
            {
                "number": each.id,
                "rule": each.rule,
                "place": each.place,
                "reason": each.reason,
                "found_at": each.found_at.isoformat(),
            }
            for each in row.suspicions
        ],
    }
