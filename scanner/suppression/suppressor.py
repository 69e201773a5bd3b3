"""Decides whether a finding is hidden, and afterwards what of a baseline was of no use.

The digest is computed in the process that found the value, and only when the baseline has an entry
for a credential of that provider and kind: a scan without findings, or without a baseline, pays
nothing, and no value has to leave its process.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.finding import Finding, Match
from stanch.scanner.model.record import Record, fresh, replace
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.model.waiver import Waiver, WaiverSource

if TYPE_CHECKING:  # most scans have no baseline, and starting has to be quick
    from stanch.scanner.suppression.allowlist import Allowlists
    from stanch.scanner.suppression.baseline import Baseline
    from stanch.scanner.suppression.digest import Digester, Memory
    from stanch.scanner.suppression.entry import Entry, Imported, Line
    from stanch.scanner.suppression.inline import Neighbourhood
    from stanch.scanner.suppression.signature import WaiverKey

_PASSWORD = re.compile(rb"://[^:/?#\s]*:([^@/\s]+)@")
_PEM = re.compile(rb"BEGIN [A-Z ]*PRIVATE KEY")


class Suppressor:
    """Judges matches against a baseline and the markers next to them.

    With a ``waiver_key`` only entries count that its owner has signed, and markers do not count at
    all: whoever may write code could otherwise waive a finding by himself. ``today`` is the day by
    which entries are judged expired; an entry counts on its last day. ``prefix`` makes a finding's
    path one of the repository, when a folder inside of it is scanned.

    ``proposed`` is what a change wants to have accepted, None when nobody has to agree: what it
    has and ``baseline`` has not does not count unsigned, nor do markers, which a change brings.
    """

    def __init__(
        self,
        baseline: Baseline | None,
        *,
        today: date,
        waiver_key: WaiverKey | None = None,
        imported: Iterable[Imported] = (),
        prefix: str = "",
        proposed: Baseline | None = None,
    ) -> None:
        self._prefix = prefix
        self._proposed = proposed
        self._today = today
        self._key = waiver_key
        self._baseline = baseline
        self._entries: dict[str, list[Entry]] = {}
        self._digesters: tuple[Digester, ...] = ()
        self._subjects: set[tuple[str, str]] = set()
        self._imported: dict[tuple[str, str], Imported] = {}
        agreed = baseline.lines if baseline else ()
        self._mere = frozenset(proposed.lines if proposed else ()).difference(agreed)
        for source in (proposed, baseline):  # what is agreed on comes last, so that it counts
            for entry in source.entries if source else ():
                self._entries.setdefault(entry.id, []).append(entry)
                self._subjects.add((entry.provider, entry.kind))
            for each in source.imported if source else ():
                self._imported[each.path, each.sha1] = each
        for each in imported:
            self._imported[each.path, each.sha1] = each

        self._allowlists: Allowlists | None = None
        self.remembering(None)

    def allow(self, tables: Iterable[Allowlist]) -> None:
        """Hide what these allowlists allow as well."""
        listed = tuple(tables)
        if listed:
            from stanch.scanner.suppression.allowlist import Allowlists  # noqa: PLC0415  # see above

            self._allowlists = Allowlists(listed, today=self._today)

    @property
    def has_entries(self) -> bool:
        """Whether anything is recognised by a digest."""
        return bool(self._entries)

    @property
    def by_path(self) -> bool:
        """Whether anything is accepted at some paths only."""
        within = any(each.within for entries in self._entries.values() for each in entries)
        allowed = self._allowlists is not None and self._allowlists.by_path
        return within or allowed or bool(self._imported)

    def remembering(self, memory: Memory | None) -> None:
        """Spare the digests that ``memory`` knows from earlier runs."""
        if not self._entries:
            return
        from stanch.scanner.suppression.digest import Digester  # noqa: PLC0415  # see above

        recipes = dict.fromkeys(
            recipe for each in (self._baseline, self._proposed) if each for recipe in each.recipes
        )
        self._digesters = tuple(
            Digester(each, memory=memory, worth=self._entries) for each in recipes
        )

    def basis(self) -> bytes:
        """Differs when a finding that was judged before has to be judged again."""
        import hashlib  # noqa: PLC0415  # a scan of files asks for no basis

        digest = hashlib.sha256(f"1 {self._prefix}\n".encode())  # raise it when markers change
        lines = [*(self._baseline.lines if self._baseline else ()), *self._imported.values()]
        if self._baseline:
            digest.update(self._baseline.text().encode())
        if self._key:
            digest.update(self._key.text.encode())
        if self._proposed is not None:
            digest.update(b"\nproposed " + self._proposed.text().encode())
        if self._allowlists is not None:
            digest.update(b"\nallowlists " + self._allowlists.basis())
        for line in lines:
            digest.update(f"{line.id} {line.expires} {expired(line, self._today)}\n".encode())
        return digest.digest()

    def judge(self, match: Match, around: Neighbourhood | None) -> Waiver | None:
        """The waiver for a match that has its parts, None when nobody gave one.

        A waiver that hides comes before one that is void; entries come before markers, so that an
        entry is not called stale because of a marker.
        """
        from stanch.scanner.suppression.inline import marker  # noqa: PLC0415  # findings are rare

        waivers = [*self._by_entry(match), *self._by_import(match)]
        by_marker = marker(around, match.finding.rule) if around is not None else None
        if by_marker is not None:
            waivers.append(self._trusted_marker(by_marker))
        if self._allowlists is not None:
            allowed = self._allowlists.waiver(match, self._prefix + match.finding.path)
            waivers += [allowed] if allowed else []
        return min(waivers, key=lambda each: not each.hides, default=None)

    def _by_entry(self, match: Match) -> Iterable[Waiver]:
        finding = match.finding
        if (finding.provider, finding.kind) not in self._subjects:
            return
        for digester in self._digesters:
            digest = digester.digest(finding.provider, finding.kind, match.parts)
            for entry in self._entries.get(digest, ()):
                if entry.within is None or fnmatch.fnmatchcase(
                    self._prefix + finding.path, entry.within
                ):
                    yield self._waiver(entry, WaiverSource.BASELINE)

    def _by_import(self, match: Match) -> Iterable[Waiver]:
        if not self._imported:
            return
        for sha1 in sha1_forms(match.parts):
            known = self._imported.get((self._prefix + match.finding.path, sha1))
            if known is not None:
                yield self._waiver(known, WaiverSource.IMPORTED)

    def _waiver(self, line: Line, source: WaiverSource) -> Waiver:
        return Waiver(
            source=source,
            reason=line.reason,
            void=self._objection(line),
            entry=line.id,
            author=line.author,
            expires=line.expires,
        )

    def _objection(self, line: Line) -> str | None:
        if expired(line, self._today):
            return f"its waiver expired on {line.expires}"
        if self._key is not None and not self._signed(self._key, line):
            return "its waiver is not signed by somebody with the right"
        if line in self._mere:
            return (
                "this change itself adds the waiver: it counts once the target branch has it, "
                "or when somebody with the right has signed it"
            )
        return None

    def _signed(self, key: WaiverKey, line: Line) -> bool:
        recipes = self._baseline.recipes if self._baseline else ()
        return any(key.trusts(recipe, line) for recipe in recipes)

    def _trusted_marker(self, waiver: Waiver) -> Waiver:
        if not waiver.hides:
            return waiver
        if self._key is not None:
            return replace(waiver, void="markers do not count here: only signed waivers do")
        if self._proposed is not None:
            return replace(
                waiver,
                void="a marker is written by the author of what is checked, so it does not count "
                "here: a baseline that is trusted does",
            )
        return waiver


def expired(line: Line, today: date) -> bool:
    """Whether an entry has ended; it counts on its last day."""
    return line.expires is not None and line.expires < today


def sha1_forms(parts: Mapping[str, SecretValue]) -> Iterable[str]:
    """The hashes under which detect-secrets may know a credential.

    It hashes a URL's password alone, and of a private key the words of its first line.
    """
    import hashlib  # noqa: PLC0415  # findings are rare

    for part in parts.values():
        value = part.reveal()
        forms = [value]
        forms += _PASSWORD.findall(value)
        forms += _PEM.findall(value[:200])
        for form in dict.fromkeys(forms):
            yield hashlib.sha1(form, usedforsecurity=False).hexdigest()


class Review(Record, frozen=False):
    """Sorts a scan's findings, and counts what hid them.

    Feed every finding, of any confidence, to :meth:`add`; entries that only a finding of low
    confidence uses would otherwise be called stale.
    """

    hidden: int = 0
    used: set[str] = fresh(set)

    def add(self, finding: Finding) -> bool:
        """Take note of a finding; True when it is to be shown."""
        waiver = finding.waiver
        if waiver is None:
            return True
        if waiver.entry is not None:
            self.used.add(waiver.entry)
        self.hidden += waiver.hides
        return not waiver.hides

    def stale(self, baseline: Baseline) -> tuple[Line, ...]:
        """Entries that hid nothing. Means something only after a complete scan of everything."""
        return tuple(each for each in baseline.lines if each.id not in self.used)
