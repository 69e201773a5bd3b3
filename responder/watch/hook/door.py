"""Takes a webhook: judges who sent it, writes down that there is news, answers, and reads nothing.

One delivery has one effect: a host that repeats it is told that all is well, since a refusal would
end in a host that gives up, and an effect would end in work for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from stanch.responder.domain.error import ConfigError, StanchError
from stanch.responder.domain.watched import (
    Delivery,
    Source,
    WatchStore,
    WatchTransaction,
    source_id,
)
from stanch.responder.keys.reference import secret
from stanch.responder.telemetry.log import get_logger
from stanch.responder.watch.hook.event import About, Told, Unreadable, digest, told
from stanch.responder.watch.hook.signature import (
    BODY_SIGNED,
    Headers,
    Refused,
    body_signed,
    message_signed,
    token_given,
)
from stanch.responder.watch.owner import runs_of
from stanch.responder.watch.repository import KIND, WIKI
from stanch.responder.watch.roster import OWNER
from stanch.responder.watch.setting import HOSTS, Watched
from stanch.scanner.api import place_named
from stanch.scanner.model.secret import SecretValue

log = get_logger(__name__)

Reply = tuple[int, str]
"""A status of HTTP and a line of text. Strangers may read it, so it says nothing of us."""

_UNKNOWN: Reply = (404, "nothing is watched under this name")
_QUIET = 60.0  # seconds between two words in the log about who was refused
_REFUSED: Reply = (403, "refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class HookDoor:
    """The door for webhooks of everything that is watched at hosts which send them."""

    store: WatchStore
    watches: Mapping[str, Watched]
    read: Callable[[str, str], SecretValue] = lambda reference, what: secret(reference, what=what)
    clock: Callable[[], float] = time.time
    told: dict[str, float] = field(default_factory=dict)  # when a refusal was last logged

    def take(self, name: str, headers: Headers, body: bytes) -> Reply:
        """Take one delivery for the watch called ``name``."""
        watched = self.watches.get(name)
        if watched is None or watched.kind not in HOSTS:
            return _UNKNOWN
        try:
            self._judge(watched, headers, body)
        except (Refused, ConfigError) as refusal:
            self._tell(name, refusal)
            return _REFUSED
        try:
            said = told(watched.kind, headers, body)
        except Unreadable as error:
            log.warning("hook.unreadable", watch=name, why=str(error))
            return 400, "this is not understood"
        try:
            return self._note(watched, said, digest(body))
        except StanchError as error:
            # The host shows that it failed; looking now and then finds what this would have said.
            log.warning("hook.not_noted", watch=name, why=str(error), help=error.remedy)
            return 503, "not now"

    def _tell(self, name: str, refusal: Exception) -> None:
        """Say it in the log, now and then: anybody may knock as often as he likes."""
        now = self.clock()
        if now - self.told.get(name, 0.0) < _QUIET:
            return
        self.told[name] = now
        help_ = getattr(refusal, "remedy", "set the same secret here and at the host")
        log.warning("hook.refused", watch=name, why=str(refusal), help=help_)

    def _judge(self, watched: Watched, headers: Headers, body: bytes) -> None:
        if not watched.secret and not watched.signing:
            raise Refused("no secret is set for it: nobody is believed")
        if watched.signing:
            key = self.read(watched.signing, f"watch.{watched.name}.signing")
            message_signed(headers, body, key, self.clock())
        if watched.secret:
            key = self.read(watched.secret, f"watch.{watched.name}.secret")
            if watched.kind == "gitlab":
                token_given(headers, key)
            else:
                body_signed(headers, body, key, *BODY_SIGNED[watched.kind])

    def _note(self, watched: Watched, said: Told, content: str) -> Reply:
        """The delivery and what is due because of it, in one transaction."""
        with self.store.transaction() as tx:
            now = tx.now()
            known = False
            for number in {said.id, content}:
                delivery = Delivery(
                    watch=watched.name, id=number, event=said.event, received_at=now
                )
                known = not tx.sources.receive(delivery) or known
            if known:
                return 200, "known already"
            subjects = list(self._sources(tx, watched, said))
            for source in subjects:
                tx.sources.save(source.noticed(now))
        return 202, "taken" if subjects else "taken; there is nothing to do"

    def _sources(self, tx: WatchTransaction, watched: Watched, said: Told) -> Iterable[Source]:
        """What is to be looked at because of it."""
        if said.about is About.NOTHING:
            return
        if said.about is About.RUN:
            yield from self._runs(tx, watched, said)
            return
        source = None
        if said.about is not About.OWNER:
            source = _repository(tx, watched, said)
        first = tx.sources.get(source_id(watched.name, watched.subject))
        if first is None:  # nobody has looked yet; what it lists is not there without it
            first = Source.fresh(watched.name, OWNER, watched.subject, tx.now())
            tx.sources.save(first)
        yield source or first  # one that was not listed yet, or its owner's own affairs

    def _runs(self, tx: WatchTransaction, watched: Watched, said: Told) -> Iterable[Source]:
        """Watches of CI that read the logs of that repository at that host."""
        host = place_named(watched.kind, watched.of)[0]
        own = tx.sources.get(source_id(watched.name, runs_of(watched.kind, host, said.name)))
        if own is not None:
            yield own
        for each in self.watches.values():
            if each.kind != "ci":
                continue
            provider, _, rest = each.of.partition("/")
            named = rest.removeprefix(f"{host}/").casefold()
            if provider == watched.kind and named == said.name.casefold():
                number = source_id(each.name, each.subject)
                yield tx.sources.get(number) or Source.fresh(each.name, "ci", each.of, tx.now())


def _repository(tx: WatchTransaction, watched: Watched, said: Told) -> Source | None:
    """The source of that repository; None when it is not the owner's, or not at that host.

    The address is the host's word under our secret, and still leads nowhere but to that host.
    """
    host, owner = place_named(watched.kind, watched.of)
    name, wanted = said.name.casefold(), owner.casefold()
    if name != wanted and not name.startswith(f"{wanted}/"):
        return None
    url = next((each for each in said.urls if _is_of(each, host, name)), None)
    if url is None:
        return None
    kind = KIND
    if said.about is About.WIKI:
        kind, url = WIKI, f"{url.removesuffix('.git')}.wiki.git"
    known = tx.sources.get(source_id(watched.name, url))
    return known or Source.fresh(watched.name, kind, url, tx.now())


def _is_of(url: str, host: str, name: str) -> bool:
    """Whether an address is that repository's, at that host."""
    parts = urlsplit(url)
    path = parts.path.casefold().removesuffix(".git")
    return parts.netloc.lower() == host and path.endswith(f"/{name}")
