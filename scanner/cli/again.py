"""A scan whose answer is known, because nothing that it depends on has changed.

A bare repository, as on a server or in a mirror, is scanned again and again and mostly has nothing
new. Loading what finds credentials then takes many times longer than asking git for the refs. So
the answer is kept with all that it follows from: the command, the refs, and how our own code, the
rules, the configuration, the baseline and the key were (by place and times, see ``outline``). A
scan that has all of that before it again says the same, and loads nothing.

What has a working tree has to be read in any case, and with gaps nobody knows what they hide.
"""

from __future__ import annotations

import marshal
import os
import sys
import time
import zlib

from stanch.scanner.detectors import cache
from stanch.scanner.detectors.outline import stamp
from stanch.scanner.home import data_folder
from stanch.scanner.model.error import ScannerError
from stanch.scanner.sources import shadow
from stanch.scanner.sources.errand import Errand
from stanch.scanner.sources.pipe import obstacle_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from stanch.scanner.detectors.outline import Stamp

#: Types and those of what tags point to are asked for because git has to find the objects then.
_REFS = ("for-each-ref", "--format=%(refname) %(objectname) %(objecttype) %(*objecttype)")
_VARIABLES = ("HOME", "STANCH_HOME", "STANCH_WAIVER_KEY", "XDG_CACHE_HOME", "XDG_DATA_HOME")
_SETTINGS = ("stanch.toml", "pyproject.toml")
_PACKAGE = os.path.dirname(os.path.dirname(__file__))
_FILES = 256  # answers that are kept at most, whatever commands there are


class Question:
    """A command about a repository, and everything that its answer follows from."""

    __slots__ = ("_arguments", "_baseline", "_facts", "_folder", "_target")

    def __init__(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        target: str,
        baseline: str | None,
    ) -> None:
        self._arguments = tuple(arguments)
        self._target = target
        self._baseline = baseline
        self._folder = _folder(environ)
        self._facts = _facts(arguments, environ, target, baseline)

    def keep(self, *, text: str, output: str | None, notes: str, summary: str, code: int) -> None:
        """Keep the answer to it.

        ``text`` goes to the file ``output`` or standard output, ``notes`` to standard error and
        behind them ``summary``, if there is one, with the seconds that it took.
        """
        answer = (self._facts, self._target, self._baseline, text, output, notes, summary, code)
        cache.write(self._folder, _name(self._arguments), marshal.dumps(answer))


def asked(
    arguments: Sequence[str], environ: Mapping[str, str], target: str, baseline: str | None
) -> Question | None:
    """The question, None where nobody can tell whether its answer has changed."""
    try:
        return Question(arguments, environ, target, baseline)
    except (OSError, ValueError, ScannerError):
        return None


def told(arguments: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """Give the answer to the same command again: the exit code, None if it has to be found out."""
    began = time.monotonic()
    try:
        kept = cache.read(_folder(environ), _name(arguments))
        if kept is None:
            return None
        facts, target, baseline, text, output, notes, summary, code = marshal.loads(kept)  # noqa: S302  # our own
        if facts != _facts(arguments, environ, target, baseline):
            return None
        if output is None:
            sys.stdout.write(text)
        else:
            with open(output, "w", encoding="utf-8") as file:
                file.write(text)
    except (OSError, ValueError, EOFError, TypeError, ScannerError):  # the scan says what is wrong
        return None
    if summary:
        notes += f"{summary}{time.monotonic() - began:.2f} s\n"
    sys.stderr.write(notes)
    return int(code)


def _facts(
    arguments: Sequence[str], environ: Mapping[str, str], target: str, baseline: str | None
) -> tuple[Any, ...]:
    real = os.path.realpath(target)
    place = shadow.place_at(real)
    if place is None or place[0] is not None or obstacle_in(place[1], place[2]):
        raise ValueError(target)
    accepted = stamp(baseline or f"{real}/.stanch-baseline")
    here = os.getcwd()
    files = (
        f"{data_folder(environ)}/fingerprint.key",
        f"{place[1]}/HEAD",
        f"{place[2]}/shallow",
        *dict.fromkeys((*_settings(here), *_settings(os.path.join(here, target)))),
        *_below(_PACKAGE),
    )
    named, stamps = _refs_and(place[1], place[2], lambda: tuple(map(stamp, files)))
    if named is None:
        raise ValueError(target)
    today = time.strftime("%Y-%m-%d") if accepted[1] >= 0 else ""  # what is accepted may end
    return (
        tuple(arguments),
        here,
        tuple(environ.get(name) for name in _VARIABLES),
        accepted,
        today,
        stamps,
        named,
    )


def _refs_and(
    git_dir: str, common_dir: str, work: Callable[[], tuple[Stamp, ...]]
) -> tuple[bytes | None, tuple[Stamp, ...]]:
    """What git says of the refs, None when it fails, and the outcome of some work meanwhile."""
    private = shadow.made(git_dir, common_dir)
    try:
        surroundings = shadow.environment(private, git_dir)
        refs = Errand(shadow.command(private, None, *_REFS), surroundings)
        try:
            done = work()
            return refs.answer(), done
        finally:
            refs.end()
    finally:
        shadow.removed(private)


def _folder(environ: Mapping[str, str]) -> str:
    """Where the states of histories are kept, too."""
    return os.path.join(data_folder(environ), "history")


def _name(arguments: Iterable[str]) -> str:
    command = "\0".join((os.getcwd(), *arguments))
    return f"again-{zlib.crc32(os.fsencode(command)) % _FILES:02x}.marshal"


def _settings(place: str) -> Iterator[str]:
    """Where settings for a place could be, which ``config`` looks for in the same way."""
    while True:
        yield from (f"{place}/{name}" for name in _SETTINGS)
        above = os.path.dirname(place)
        if above == place:
            return
        place = above


def _below(folder: str) -> Iterator[str]:
    """All files of a package."""
    for name in os.listdir(folder):
        path = f"{folder}/{name}"
        if "." in name or not os.path.isdir(path):
            yield path
        elif name != "__pycache__":
            yield from _below(path)
