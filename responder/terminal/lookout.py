"""What is watched as a table for `stanch sources`, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from rich import box
from rich.table import Table
from rich.text import Text

from stanch.responder.domain.json import JsonObject
from stanch.responder.services.fact import age
from stanch.responder.services.lookout import Failure, Lookout
from stanch.responder.terminal.text import clip, visible

_BARS = "▁▂▃▄▅▆▇█"
_LATE = timedelta(minutes=1)  # below this nobody calls it late
_FEW = 3
_LONGEST = 200


def lookout_table(rows: Iterable[Lookout], now: datetime, *, few: int = _FEW) -> Table:
    """The rows in the order given; of failures at most ``few`` each."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("Watch", "Read up to", "Next"):
        table.add_column(name, no_wrap=True)
    table.add_column("Found, 14 days", no_wrap=True)
    table.add_column("What, and what is wrong", overflow="fold")
    for row in rows:
        read, style = _read(row, now)
        table.add_row(
            visible(row.watch),
            Text(read, style=style),
            _next(row, now),
            _trend(row.found),
            _what(row, now, few),
        )
    return table


def _read(row: Lookout, now: datetime) -> tuple[str, str]:
    if row.as_of is None:
        return "not yet", "yellow"
    return f"{age(now - row.as_of)} ago", "green" if row.whole else "yellow"


def _next(row: Lookout, now: datetime) -> str:
    if row.next_at is None:
        return "never"
    return "now" if row.next_at <= now else f"in {age(row.next_at - now)}"


def _trend(found: tuple[int, ...]) -> str:
    most = max((*found, 1))
    bars = "".join(_BARS[(n * (len(_BARS) - 1) + most - 1) // most] for n in found)
    return f"{bars} {sum(found)}"


def _what(row: Lookout, now: datetime, few: int) -> Text:
    del now
    more = f", {row.sources} sources" if row.sources != 1 else ""
    text = Text(visible(row.what)).append(more, style="dim")
    if row.waiting:
        text.append(f"\n{row.waiting} with news that nobody has read yet", style="yellow")
    if row.late >= _LATE:
        text.append(f"\nlate by {age(row.late)}: is `stanch watch` running?", style="bold red")
    for failure in row.failures[:few]:
        text.append(f"\n{_failed(row, failure)}", style="bold red" if failure.tries else "yellow")
    if len(row.failures) > few:
        text.append(f"\nand {len(row.failures) - few} more: stanch sources {row.watch}")
    if row.suspicions:
        said = f"\n{len(row.suspicions)} for a person to judge: stanch sources {row.watch}"
        text.append(said, style="bold")
    return text


def _failed(row: Lookout, failure: Failure) -> str:
    where = "" if failure.subject == row.what else f"{failure.subject}: "
    tries = f" ({failure.tries} times)" if failure.tries > 1 else ""
    what = "not read" if failure.tries else "will stay unread"
    remedy = f" → {failure.remedy}" if failure.remedy else ""
    return visible(clip(f"{what}{tries}: {where}{failure.why}", _LONGEST) + remedy)


def suspicion_table(row: Lookout) -> Table:
    """What a person has to judge."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("No.", no_wrap=True)
    table.add_column("What may be wrong, and where", overflow="fold")
    for each in row.suspicions:
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
