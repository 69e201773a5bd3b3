"""Lists the files of a directory that is in no repository, honouring its ``.gitignore`` files."""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.files.special_file import odd

if TYPE_CHECKING:
    # Loaded late: most directories have no .gitignore, and start-up counts.
    from pathspec import GitIgnoreSpec

_LARGEST_IGNORE = 1 << 20
_MOST_PATTERNS = 5000  # in one file: both ways of matching grow with them
_FEW_STARS = 2  # in one pattern: backtracking grows by a power for each
_FEW_WILD = 8  # patterns of so many in one file
_GROUP = re.compile(r"\(\?P<\w+>")  # a name that each pattern has would be there several times


class Nested(Record):
    """A directory below the listed one that is the root of a repository of its own."""

    path: str


class _Rules(Record):
    """The patterns of one ``.gitignore`` and those of the directories above it."""

    base: str  # the directory that holds the file, relative, "" or ending in a slash
    spec: GitIgnoreSpec
    any: re.Pattern[str] | None  # every pattern in one, where they can be one
    above: _Rules | None

    def ignores(self, path: str) -> bool:
        """Whether the deepest file that has a word on this path excludes it."""
        verdict = self._verdict(path.removeprefix(self.base))
        if verdict is None and self.above is not None:
            return self.above.ignores(path)
        return bool(verdict)

    def _verdict(self, path: str) -> bool | None:
        if self.any is not None and self.any.match(path) is None:
            return None  # as for most paths: asking pattern by pattern takes five times as long
        return self.spec.check_file(path).include


def walk(root: Path) -> Iterator[str | Nested | Gap]:
    """Relative paths of the files in the tree, sorted; links are not followed."""
    pending: list[tuple[str, _Rules | None]] = [("", None)]
    while pending:
        base, rules = pending.pop()
        try:
            with os.scandir(root / base) as opened:
                entries = sorted(opened, key=lambda entry: entry.name)
        except OSError as error:
            yield Gap(
                path=display(base) or ".",
                why=f"directory cannot be listed: {error.strerror}",
                incomplete=True,
            )
            continue
        names = {entry.name for entry in entries}
        if base and ".git" in names:
            yield Nested(path=base.rstrip("/"))
            continue
        if ".gitignore" in names:
            loaded = _load(root, base, rules)
            if isinstance(loaded, Gap):
                yield loaded
            else:
                rules = loaded
        below = []
        for entry in entries:
            is_directory = entry.is_dir(follow_symlinks=False)
            path = base + entry.name + ("/" if is_directory else "")
            if (rules is not None and rules.ignores(path)) or path in {".git/", ".git"}:
                continue
            if is_directory:
                below.append((path, rules))
            elif entry.is_file(follow_symlinks=False):
                yield path
            else:
                yield _odd(entry, path)
        pending.extend(reversed(below))


def _odd(entry: os.DirEntry[str], path: str) -> Gap | str:
    try:
        return odd(display(path), entry.stat(follow_symlinks=False).st_mode)
    except OSError:  # whoever reads it says why
        return path


def _load(root: Path, base: str, above: _Rules | None) -> _Rules | Gap | None:
    path = root / base / ".gitignore"
    try:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode):
            return above
        if facts.st_size > _LARGEST_IGNORE:
            return _unusable(base, "larger than 1 MiB")
        lines = path.read_text("utf-8", "surrogateescape").splitlines()
        if len(lines) > _MOST_PATTERNS:
            return _unusable(base, f"more than {_MOST_PATTERNS} lines")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of re, about a pattern such as [[]
            return _compiled(base, lines, above)
    except OSError as error:
        return _unusable(base, error.strerror or "unreadable")
    except (ValueError, re.error):
        return _unusable(base, "a pattern is not valid")


def _compiled(base: str, lines: Sequence[str], above: _Rules | None) -> _Rules:
    # Compiled as one database, a few patterns would take longer than the files they are for;
    # but only so is matching linear, whatever somebody has written.
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  # see TYPE_CHECKING above

    stars = [line.replace("**", "*").count("*") for line in lines]
    wild = max(stars, default=0) > _FEW_STARS or stars.count(_FEW_STARS) > _FEW_WILD
    spec = GitIgnoreSpec.from_lines(lines, backend=None if wild else "simple")
    return _Rules(base=base, spec=spec, any=None if wild else _joined(spec), above=above)


def _joined(spec: GitIgnoreSpec) -> re.Pattern[str] | None:
    """One expression for all patterns; None when they cannot be one."""
    sources = [each.regex.pattern for each in spec.patterns if each.regex is not None]
    if not all(source.startswith("^") for source in sources):
        return None
    try:
        return re.compile("|".join(f"(?:{_GROUP.sub('(?:', source)})" for source in sources))
    except re.error:
        return None


def _unusable(base: str, why: str) -> Gap:
    return Gap(
        path=display(base + ".gitignore"),
        why=f"patterns not used ({why}), so nothing was left out for them",
        incomplete=False,
    )
