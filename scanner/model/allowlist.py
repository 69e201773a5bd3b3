"""What a team has said not to report, with the reason: paths, rules, values."""

from __future__ import annotations

from datetime import date

from stanch.scanner.model.record import Record


class Allowlist(Record):
    """One table of ``[[scan.allowlists]]``. A finding is allowed when each kind that is given fits.

    ``paths`` are globs of the path from the repository's root (``*`` crosses folders), beside them
    ``path_regexes`` are searched in it; ``rules`` are ids or globs of them, ``regexes`` are
    searched in the value. One of each kind is enough. It counts up to and with the day on which it
    ``expires``. ``origin`` says where it is written.
    """

    reason: str
    paths: tuple[str, ...] = ()
    path_regexes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    expires: date | None = None
    origin: str = "an allowlist"
