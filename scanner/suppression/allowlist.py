"""Holds findings against allowlists. A regular expression of a user cannot hang it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Match
from stanch.scanner.model.waiver import Waiver, WaiverSource

if TYPE_CHECKING:
    import hyperscan


class Allowlists:
    """All allowlists that count. ``today`` is the day by which they are judged expired."""

    def __init__(self, tables: Iterable[Allowlist], *, today: date) -> None:
        self._today = today
        self._tables = [
            (table, _Regexes(table, "path_regexes"), _Regexes(table, "regexes")) for table in tables
        ]

    def waiver(self, match: Match, path: str) -> Waiver | None:
        """Who allows a match at a path of the repository; one that hides comes first."""
        found = [
            Waiver(
                source=WaiverSource.ALLOWLIST,
                reason=table.reason,
                void=self._objection(table),
                expires=table.expires,
            )
            for table, paths, values in self._tables
            if _is_at(table, paths, path) and _is_about(table, values, match)
        ]
        return min(found, key=lambda each: not each.hides, default=None)

    @property
    def by_path(self) -> bool:
        """Whether any of them is about some paths only."""
        return any(table.paths or table.path_regexes for table, _, _ in self._tables)

    def basis(self) -> bytes:
        """Differs when a finding that was judged before has to be judged again."""
        return repr([(table, self._objection(table)) for table, _, _ in self._tables]).encode()

    def _objection(self, table: Allowlist) -> str | None:
        if table.expires is not None and table.expires < self._today:
            return f"its allowlist expired on {table.expires}"
        return None


def _is_at(table: Allowlist, regexes: _Regexes, path: str) -> bool:
    if not table.paths and not table.path_regexes:
        return True
    by_glob = any(fnmatchcase(path, each) for each in table.paths)
    return by_glob or regexes.found(path.encode("utf-8", "surrogateescape"))


def _is_about(table: Allowlist, regexes: _Regexes, match: Match) -> bool:
    if table.rules and not any(fnmatchcase(match.finding.rule, each) for each in table.rules):
        return False
    return not table.regexes or any(regexes.found(part.reveal()) for part in match.parts.values())


class _Regexes:
    """Regular expressions as Hyperscan matches them: in one pass over a text."""

    def __init__(self, table: Allowlist, key: str) -> None:
        self._database: hyperscan.Database | None = None
        regexes: tuple[str, ...] = getattr(table, key)
        for number, each in enumerate(regexes, 1):  # names the one that is wrong
            _compiled((each,), f"{table.origin}, {key}[{number}]")
        if regexes:
            self._database = _compiled(regexes, f"{table.origin}, {key}")

    def found(self, text: bytes) -> bool:
        """Whether one of them is found in a text."""
        hits: list[int] = []
        if self._database is not None:
            self._database.scan(text, match_event_handler=lambda index, *_: hits.append(index))
        return bool(hits)


def _compiled(regexes: tuple[str, ...], place: str) -> hyperscan.Database:
    import hyperscan  # noqa: PLC0415  # few allowlists have a regular expression

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(expressions=[each.encode() for each in regexes], elements=len(regexes))
    except hyperscan.HyperscanError as error:
        raise UsageError(
            f"{place}: the regex `{regexes[0]}` cannot be used: {error}",
            remedy="mend it there; look-arounds and references to groups are not possible",
        ) from error
    return database
