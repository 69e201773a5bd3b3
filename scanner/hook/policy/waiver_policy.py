"""Whose waivers count for a change that somebody proposes: not its author's alone.

Whoever writes a change can write a baseline and a comment, too. So what is accepted is read from
the branch that the change goes into: what is there was let in by somebody with the policy. What the
change itself brings counts when it is signed, or where the team has said that it should.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from functools import reduce
from pathlib import Path

from stanch.scanner.hook.build import Choice, is_ours
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record, replace
from stanch.scanner.scan.waivers import accepted_in
from stanch.scanner.sources.git.query import content, lines
from stanch.scanner.sources.git.repository import Repository
from stanch.scanner.suppression import BASELINE_NAME
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.secrets_baseline import SecretsBaseline
from stanch.scanner.suppression.signature import WaiverKey
from stanch.scanner.suppression.suppressor import Suppressor

SETTING = "STANCH_CI_WAIVERS"
_FILE = "stanch.toml"
_LARGEST = 64 << 20  # bytes of a baseline or a configuration


class Waivers(StrEnum):
    """Whose unsigned waivers count: the target branch's, or those of the change as well."""

    BASE = "base"
    HEAD = "head"


class ChangeWaivers(Record):
    """What a change wants to have accepted.

    ``brought`` is the content of the repository's own ``files`` with the change applied; ``given``
    lies outside of the repository, where the change cannot have edited it.
    """

    brought: Baseline | None
    files: tuple[str, ...] = (BASELINE_NAME,)
    given: Baseline | None = None


class WaiverPolicy(Record):
    """Who may waive. ``target`` is the commit that the change goes into, None when it is not known.

    ``asked`` is what the command line or the environment say, before the target's configuration.
    """

    repository: Repository
    target: str | None
    asked: str | None
    waiver_key: str | None
    today: date

    def suppressor(self, proposed: ChangeWaivers, *, head: str | None = None) -> Suppressor:
        """Judges a change; ``head`` is its newest commit when there is only one."""
        if proposed.brought is not None:
            proposed = replace(proposed, brought=proposed.brought.modest())
        standing = joined((proposed.given, *map(self._standing, proposed.files)))
        if self.waiver_key:
            # A signature says by itself who gave it, wherever the entry is.
            both = joined((standing, proposed.brought))
            return Suppressor(both, today=self.today, waiver_key=WaiverKey(self.waiver_key))
        if self._waivers() is Waivers.HEAD or self._landed(head):
            both = joined((proposed.given, proposed.brought))
            return Suppressor(both, today=self.today)
        brought = proposed.brought or Baseline(recipes=())
        return Suppressor(standing, today=self.today, proposed=brought)

    @property
    def change_may_accept(self) -> bool:
        """Whether a change may accept its own findings, unsigned."""
        return not self.waiver_key and self._waivers() is Waivers.HEAD

    def _waivers(self) -> Waivers:
        if self.asked:
            return _waivers(self.asked, SETTING)
        data = self._content(_FILE)
        return Waivers.BASE if data is None else configured(data)

    def _standing(self, file: str) -> Baseline | None:
        data = self._content(file)
        return None if data is None else parsed(data, f"{file} of the target branch", self.today)

    def _content(self, path: str) -> bytes | None:
        if self.target is None:
            return None
        return content(self.repository, self.target, path, most=_LARGEST)

    def _landed(self, head: str | None) -> bool:
        """Whether the target branch holds the change already: then it has been let in."""
        if head is None or self.target is None:
            return False
        feed = f"{head}\n^{self.target}\n".encode()
        return lines(self.repository, "rev-list", "--count", "--stdin", feed=feed) == ["0"]


def of_checkout(choice: Choice, place: Path, top: Path | None, *, today: date) -> ChangeWaivers:
    """What the working tree around ``place`` says, with the baseline that was named, if any."""
    usual = accepted_in(place, today=today).baseline
    if choice.baseline is None:
        return ChangeWaivers(brought=usual)
    file = (place / choice.baseline).resolve()
    ours = is_ours(file)
    named = parsed(file.read_bytes(), str(file), today)
    if top is None or not file.is_relative_to(top):
        return ChangeWaivers(
            brought=None if ours else usual, files=() if ours else (BASELINE_NAME,), given=named
        )
    path = file.relative_to(top).as_posix()
    if ours:
        return ChangeWaivers(brought=named, files=(path,))
    return ChangeWaivers(brought=joined((usual, named)), files=(BASELINE_NAME, path))


def parsed(data: bytes, name: str, today: date) -> Baseline:
    """A baseline of ours, or one of detect-secrets."""
    if is_ours(data):
        return Baseline.parse(data, name=name)
    read = SecretsBaseline.parse(
        data, name=name, author="detect-secrets", added=today, expires=None
    )
    return Baseline(recipes=()).adding(read.entries)


def joined(baselines: Iterable[Baseline | None]) -> Baseline | None:
    """All of them as one; None when there is none."""
    real = [each for each in baselines if each is not None]
    return reduce(Baseline.joined, real) if real else None


def configured(data: bytes) -> Waivers:
    """What ``[ci] waivers`` says; tables that are not ours are read elsewhere."""
    import tomllib  # noqa: PLC0415  # most target branches have no such file

    name = f"{_FILE} of the target branch"
    try:
        table = tomllib.loads(data.decode("utf-8-sig")).get("ci", {})
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, too deep, too long
        raise UsageError(f"{name} is not TOML: {error}", remedy="mend the syntax") from error
    if not isinstance(table, Mapping) or table.keys() - {"waivers"}:
        raise UsageError(
            f"{name}: [ci] knows the key `waivers` only", remedy='write waivers = "base"'
        )
    return _waivers(table.get("waivers", Waivers.BASE), f"{name}: `waivers`")


def _waivers(text: object, where: str) -> Waivers:
    if text not in tuple(Waivers):
        raise UsageError(
            f"{where} is not one of {', '.join(Waivers)}",
            remedy="base: only what the target branch accepts; head: what the change says, too",
        )
    return Waivers(str(text))
