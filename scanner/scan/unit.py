"""The units that a fleet's work is made of: each is read whole, by one process, on its own."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stanch.scanner.local.hosts import operator_hosts
from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record, replace
from stanch.scanner.scan.remote import LISTS, address_of, owned
from stanch.scanner.scan.scanner import Scanner
from stanch.scanner.scan.stage import Asked, Scan
from stanch.scanner.scan.target import kind_of
from stanch.scanner.sources.image.reference import parsed
from stanch.scanner.sources.remote.address import parse
from stanch.scanner.sources.remote.listing import Listed, owner_of

if TYPE_CHECKING:
    from stanch.scanner.sources.git.revisions import Selection

_LOOPBACK = ("127.0.0.1", "localhost")
_OWNERS = tuple(f"{provider}:" for provider in LISTS)


class Unit(Record):
    """What one process reads at one go.

    ``name`` is how people know it, and begins the paths of its findings where those would not say
    where they are; ``host`` is who is asked for it, "" for nobody. An owner (``lists``) is no
    content: it is expanded to repositories. A ``remote`` one is an address whatever it looks like:
    a host that lists a path of this machine gets nothing read. ``home`` is the host that listed it.
    """

    name: str
    target: str
    host: str = ""
    lists: bool = False
    remote: bool = False
    wiki: str | None = None
    home: str = ""

    def fits(self, globs: tuple[str, ...]) -> bool:
        """Whether its name is one of these (``*`` crosses slashes)."""
        return any(fnmatchcase(self.name, glob) for glob in globs)

    @classmethod
    def of(cls, target: str, name: str) -> Unit:
        """The unit for what a person has typed. Raises :class:`UsageError` if it names nothing."""
        kind = kind_of(target)
        scheme, _, rest = target.partition(":")
        if kind is None:
            if not Path(target).exists():
                raise UsageError(
                    f"{name} does not exist",
                    remedy="name a file, a folder, or what `stanch scan --help` lists",
                )
            return cls(name=name, target=str(Path(target).resolve()))
        if target.startswith(_OWNERS) and kind.git and not rest.startswith("//"):
            owner = owner_of(scheme, rest, LISTS[scheme][1])
            return cls(name=name, target=target, host=owner.host, lists=True)
        if kind.git:
            address = parse(target)
            return cls(name=address.shown, target=target, host=address.host, remote=True)
        return cls(name=name, target=target, host=_asked(scheme, rest))

    def expanded(self) -> Iterator[Unit]:
        """The repositories of an owner. Raises :class:`SourceError` when they cannot be listed."""
        provider, _, name = self.target.partition(":")
        hosts = operator_hosts()
        for each in owned(provider, name)():
            try:
                host = address_of(each, hosts).host
            except SourceError:  # is refused, by name, when it is to be read
                host = ""
            yield Unit(
                name=each.name,
                target=each.url,
                host=host,
                remote=True,
                wiki=each.wiki,
                home=each.home,
            )

    def scanned(self, scanner: Scanner, asked: Asked) -> tuple[Scan, Iterator[Match | Gap]]:
        """A scan of it and what it yields, named; both end together.

        Iterating raises :class:`SourceError` for what cannot be read now.
        """
        if self.remote:
            listed = Listed(name=self.name, url=self.target, wiki=self.wiki, home=self.home)
            scan = scanner.scan_remote(lambda: [listed], asked, many=True, strict=True)
            return scan, iter(scan)
        kind = kind_of(self.target)
        if kind is not None:
            scan = kind.scan(scanner, self.target, replace(asked, history=None, selection=None))
            return scan, iter(scan)
        path = Path(self.target)
        # As with `stanch scan`: by default the history is read where a repository has its root.
        history = None if asked.history else False
        scan = scanner.scan_path(
            path, history=history, parts=asked.parts, selection=_fitting(asked, path)
        )
        return scan, _named(scan, self.name, alone=path.is_file())

    def as_json(self) -> dict[str, Any]:
        """What :meth:`read` takes."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    @classmethod
    def read(cls, data: object) -> Unit:
        """The unit as it was written down."""
        return msgspec.convert(data, cls)


def _fitting(asked: Asked, path: Path) -> Selection | None:
    return asked.selection if (path / ".git").exists() or (path / "HEAD").is_file() else None


def _named(scan: Scan, name: str, *, alone: bool) -> Iterator[Match | Gap]:
    for result in scan:
        if isinstance(result, Gap):
            yield replace(result, path=f"{name}: {result.path}")
            continue
        place = result.finding.provenance
        below = place.path.partition("!")[1:] if alone else ("/", place.path)
        place = replace(place, path=name + "".join(below))
        yield replace(result, finding=replace(result.finding, provenance=place))


def _asked(scheme: str, rest: str) -> str:
    """Whom an image or a log is asked of."""
    if scheme not in {"image", "log"} or Path(rest).expanduser().exists():
        return ""
    if scheme == "image":
        return parsed(rest).host
    provider, _, names = rest.partition("/")
    first = names.partition("/")[0]
    if "." in first or ":" in first or first in _LOOPBACK:
        return first.lower()
    return (LISTS[provider][1] if provider in LISTS else None) or provider
