"""Holds findings against allowlists. A regular expression of a user cannot hang it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase

from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Match
from stanch.scanner.model.waiver import Waiver, WaiverSource


class Allowlists:
    """All allowlists that count. ``today`` is the day by which they are judged expired."""

    def __init__(self, tables: Iterable[Allowlist], *, today: date) -> None:
        self.tables = tuple(tables)
        self._today = today
        self._values = [_Regexes(each.regexes) for each in self.tables]

    def waiver(self, match: Match, path: str) -> Waiver | None:
        """Who allows a match at a path of the repository; one that hides comes first."""
        found = [
            Waiver(
                source=WaiverSource.ALLOWLIST,
                reason=table.reason,
                void=self._objection(table),
                expires=table.expires,
            )
            for table, values in zip(self.tables, self._values, strict=True)
            if _fits(table, match.finding.rule, path) and values.fit(match)
        ]
        return min(found, key=lambda each: not each.hides, default=None)

    def _objection(self, table: Allowlist) -> str | None:
        if table.expires is not None and table.expires < self._today:
            return f"its allowlist expired on {table.expires}"
        return None


def _fits(table: Allowlist, rule: str, path: str) -> bool:
    by_path = not table.paths or any(fnmatchcase(path, each) for each in table.paths)
    return by_path and (not table.rules or any(fnmatchcase(rule, each) for each in table.rules))


class _Regexes:
    """Regular expressions as Hyperscan matches them: in one pass over the value."""

    def __init__(self, regexes: tuple[str, ...]) -> None:
        self._database = None
        if not regexes:
            return
        import hyperscan  # noqa: PLC0415  # few allowlists look at values

        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        for each in regexes:
            try:
                self._database.compile(expressions=[each.encode()], elements=1)
            except hyperscan.HyperscanError as error:
                raise UsageError(
                    f"the allowlist's regex `{each}` cannot be used: {error}",
                    remedy="write it without look-arounds, references to groups and flags",
                ) from error
        self._database.compile(
            expressions=[each.encode() for each in regexes], elements=len(regexes)
        )

    def fit(self, match: Match) -> bool:
        """Whether one is found in a value of the match; without any every value fits."""
        if self._database is None:
            return True
        hits: list[int] = []
        for part in match.parts.values():
            self._database.scan(
                part.reveal(), match_event_handler=lambda index, *_: hits.append(index)
            )
        return bool(hits)
