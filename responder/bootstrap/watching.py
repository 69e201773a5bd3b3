"""What `stanch watch`, `stanch serve` and `stanch sources` are given of what is watched."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from stanch.responder.bootstrap.house import House
from stanch.responder.domain.watched import Source
from stanch.responder.providers.aws.setting import AwsSection
from stanch.responder.services.sureness import Sureness
from stanch.responder.watch.aws import connecting
from stanch.responder.watch.follow import FILE, Files
from stanch.responder.watch.hook.door import HookDoor
from stanch.responder.watch.judge import Judge
from stanch.responder.watch.log import GROUP, RUNS, Logs
from stanch.responder.watch.look import Looker
from stanch.responder.watch.owner import Owners
from stanch.responder.watch.queue import IMAGE, Images, Queues
from stanch.responder.watch.repository import KIND, WIKI, Repositories
from stanch.responder.watch.roster import OWNER, QUEUE, enrol
from stanch.responder.watch.setting import HOSTS
from stanch.responder.watch.sight import Eye
from stanch.responder.watch.taking import Taking
from stanch.responder.watch.turn import Turns
from stanch.scanner.api import (
    Match,
    Scanner,
    changed_stream,
    configured_rules,
    load_fingerprint_key,
)

HANDS = 2


def turns(house: House) -> Turns:
    """Looks at all that the configuration names, which is entered into the store here."""
    watches = house.settings.watches()
    enrol(house.store, watches)

    def taking(source: Source) -> Taking:
        return Taking(
            intake=house.intake,
            exists=house.exists,
            sureness=Sureness(store=house.store, runbooks=house.responses.runbooks),
            source=source,
        )

    looker = Looker(
        store=house.store,
        watches=watches,
        eyes=_eyes(house),
        taking=taking,
        recorded=house.anchor,
    )
    return Turns(store=house.store, looker=looker)


def hook_door(house: House) -> HookDoor | None:
    """The door for webhooks; None where nothing is watched that sends any."""
    watches = house.settings.watches()
    if not any(each.kind in HOSTS for each in watches.values()):
        return None
    return HookDoor(store=house.store, watches=watches)


@contextmanager
def watching(house: House, hands: int = HANDS) -> Iterator[None]:
    """Looks at whatever is due while the block lasts, in threads of this process."""
    if not house.settings.watch:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(
        target=turns(house).run, args=(stop,), kwargs={"hands": hands}, name="stanch-watch"
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def suspects(house: House) -> Judge:
    """What a person judges."""
    settings = house.settings

    def match(stream: str, reason: str) -> Match:
        key = load_fingerprint_key(settings.scanner.fingerprint_key or None, settings.data)
        return changed_stream(stream, reason, key)

    return Judge(store=house.store, intake=house.intake, match=match)


def _eyes(house: House) -> Mapping[str, Eye]:
    settings = house.settings

    held = threading.local()

    def scanner() -> Scanner:
        # One for each thread, and none forks: neither what finds nor a fork bears other threads.
        if not hasattr(held, "scanner"):
            key = load_fingerprint_key(settings.scanner.fingerprint_key or None, settings.data)
            held.scanner = Scanner(key=key, rules=configured_rules(settings.data), processes=1)
        made: Scanner = held.scanner
        return made

    repositories, logs = Repositories(scanner), Logs(scanner)
    aws = settings.provider("aws")
    return {
        OWNER: Owners(),
        KIND: repositories,
        WIKI: repositories,
        RUNS: logs,
        GROUP: logs,
        FILE: Files(scanner),
        QUEUE: Queues(connecting(aws.endpoint_url if isinstance(aws, AwsSection) else "")),
        IMAGE: Images(scanner),
    }
