"""Scans repositories of other hosts: each is fetched, read as any history is, and named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from stanch.scanner.local import cache
from stanch.scanner.local.fingerprint_key import data_directory
from stanch.scanner.local.hosts import Hosts, operator_hosts
from stanch.scanner.model.error import LastingError, SourceError, UsageError
from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InCommit, InTree
from stanch.scanner.model.record import Record, replace
from stanch.scanner.scan.stage import Results, Stage
from stanch.scanner.sources.git.history import SHALLOW
from stanch.scanner.sources.http.client import Client
from stanch.scanner.sources.http.kept import Kept
from stanch.scanner.sources.remote import bitbucket, gitea, github, gitlab
from stanch.scanner.sources.remote.address import Address, parse
from stanch.scanner.sources.remote.listing import Listed, Lists, Owner, owner_of
from stanch.scanner.sources.remote.mirror import Fetch, MissingError, fetched
from stanch.scanner.sources.source import Milestone

if TYPE_CHECKING:
    from stanch.scanner.sources.git.revisions import Selection

LISTS: MappingProxyType[str, tuple[Lists, str | None]] = MappingProxyType(
    {
        "github": (github.repositories, github.HOST),
        "gitlab": (gitlab.repositories, gitlab.HOST),
        "gitea": (gitea.repositories, None),
        "bitbucket": (bitbucket.repositories, bitbucket.HOST),
    }
)
"""By the name before the colon: who lists repositories, and the host if none is named."""

History = Callable[[Path, "Selection | None"], Stage]
"""The stage that reads the history of the bare repository in a folder."""


class Remote(Record):
    """Repositories and how they are read; ``history`` False reads the default branch's files.

    ``strict``: what cannot be fetched raises :class:`SourceError` for whoever tries again, instead
    of being a gap.
    """

    repositories: Callable[[], Iterable[Listed]]
    read: History
    history: bool = True
    selection: Selection | None = None
    many: bool = False
    strict: bool = False

    def results(self) -> Results:
        """What each repository holds. One that cannot be read is a gap, and the next follows."""
        try:
            listed = list(self.repositories())
        except SourceError as error:
            if self.strict:
                raise
            yield unread("repositories", error)
            return
        for number, each in enumerate(listed, 1):
            yield from self._one(each, wiki=each.is_wiki)
            if each.wiki is not None:
                wiki = replace(each, url=each.wiki, name=f"{each.name}.wiki")
                yield from self._one(wiki, wiki=True)
            if self.many:
                yield Milestone(done=number, of=len(listed))

    def _one(self, listed: Listed, *, wiki: bool) -> Results:
        name = listed.name
        try:
            hosts = operator_hosts()
            fetch = Fetch(
                address=address_of(listed, hosts),
                folder=data_directory(os.environ) / "mirrors",
                hosts=hosts,
                environ=os.environ,
                history=self.history,
            )
            with fetched(fetch) as place, self.read(place, self.selection).open() as found:
                yield from self._named(found, name)
        except MissingError as error:
            if wiki:  # one that was never begun is offered all the same
                return
            if self.strict:
                raise
            yield unread(name, error)
        except SourceError as error:
            if self.strict:
                raise
            yield unread(name, error)

    def _named(self, results: Results, name: str) -> Results:
        for result in results:
            if isinstance(result, Milestone):
                if not self.many:
                    yield result
            elif isinstance(result, Match):
                place = result.finding.provenance
                if isinstance(place, InCommit):
                    place = place if self.history else _in_tree(place)
                    path = f"{name}/{place.path}" if self.many else place.path
                    place = replace(place, path=path)
                yield replace(result, finding=replace(result.finding, provenance=place))
            elif isinstance(result, Gap):
                if self.history or result.why != SHALLOW:  # only the files were asked for
                    yield replace(result, path=f"{name}: {result.path}") if self.many else result
            else:
                yield result


def address_of(listed: Listed, hosts: Hosts) -> Address:
    """Where a repository is. Raises :class:`SourceError` if a host lists what is not its own.

    Git asks whom it is told to ask, an inner host as well: so somebody has to have named the host.
    """
    if not listed.home:
        return parse(listed.url)
    try:
        address = parse(listed.url)
    except UsageError as error:
        raise LastingError(
            f"{listed.home} lists no address: {error}", remedy=error.remedy
        ) from error
    names = {address.host, address.host.partition(":")[0]}
    if listed.home.partition(":")[0] in names or not names.isdisjoint(hosts.named):
        return address
    raise LastingError(
        f"{listed.home} lists what is at {address.host}, which nobody has named",
        remedy=f'if you trust it, name it: [hosts."{address.host}"]',
    )


def repository(url: str, *, is_wiki: bool = False) -> Callable[[], Iterable[Listed]]:
    """The one repository of an address; raises :class:`UsageError` for what is no address."""
    address = parse(url)
    return lambda: [Listed(name=address.shown, url=url, is_wiki=is_wiki)]


def owned(provider: str, text: str) -> Callable[[], Iterable[Listed]]:
    """All repositories of an owner; raises :class:`UsageError` when nobody is named."""
    lists, default = LISTS[provider]
    owner = owner_of(provider, text, default)
    return lambda: _listed(lists, owner)


def place_named(provider: str, text: str) -> tuple[str, str]:
    """The host and the owner that ``PROVIDER:TEXT`` names; raises :class:`UsageError`."""
    owner = owner_of(provider, text, LISTS[provider][1])
    return owner.host, owner.name


def listed_repositories(provider: str, text: str) -> Iterator[Listed]:
    """What an owner has, page by page. Raises ScannerError for what cannot be listed."""
    hosts = operator_hosts()
    for each in owned(provider, text)():
        address_of(each, hosts)
        yield each


def _listed(lists: Lists, owner: Owner) -> Iterator[Listed]:
    api = f"api.{owner.host}"
    folder = cache.directory()
    kept = Kept(folder=Path(folder) / "lists") if folder else None
    client = Client.of(operator_hosts(), named=(owner.host, api), kept=kept)
    with closing(client):
        for each in lists(client, owner.host, owner.name):
            yield replace(each, home=owner.host)


def _in_tree(place: InCommit) -> InTree:
    return InTree(path=place.path, commit=place.commit, link=place.link)


def unread(name: str, error: SourceError) -> Gap:
    """What a scan says of a repository that could not be read."""
    return Gap(path=name, why=f"not read: {error}; {error.remedy}", incomplete=True)
