"""The sources that the configuration names are those in the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from stanch.responder.domain.watched import REMEMBERED, Source, WatchStore, source_id
from stanch.responder.watch.queue import IMAGE
from stanch.responder.watch.setting import HOSTS, Watched

OWNER, QUEUE = "owner", "queue"


def enrol(store: WatchStore, watches: Mapping[str, Watched]) -> None:
    """Add what is new, forget what is watched no more, and deliveries that nobody repeats."""
    with store.transaction() as tx:
        now = tx.now()
        known = {source.id: source for source in tx.sources.list()}
        firsts = {source_id(each.name, each.subject): each for each in watches.values()}
        kept = {each.name for number, each in firsts.items() if number in known}
        for source in known.values():
            if source.watch not in kept or _past(source, now):
                tx.sources.remove(source.id)
        for number, each in firsts.items():
            if number not in known:
                tx.sources.save(Source.fresh(each.name, kind_of(each), each.subject, now))
        tx.sources.forget(now - REMEMBERED)


def _past(source: Source, now: datetime) -> bool:
    """An image that was read so long ago that nobody tells of it again."""
    read = source.due_at is None and source.kind == IMAGE and source.looked_at is not None
    return read and source.looked_at is not None and source.looked_at < now - REMEMBERED


def kind_of(watched: Watched) -> str:
    """Of what kind a watch's first source is."""
    if watched.kind in HOSTS:
        return OWNER
    return QUEUE if watched.kind == "ecr" else watched.kind
