"""The sources that one source has: an owner's repositories, the images that a queue tells of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from stanch.responder.domain.watched import Delivery, Source, WatchTransaction, source_id
from stanch.responder.watch.setting import Watched
from stanch.responder.watch.sight import News

GONE = "its host lists it no more"


def enter(
    tx: WatchTransaction, parent: Source, watched: Watched, news: Iterable[News], *, listed: bool
) -> None:
    """What a look has heard of. ``listed``: that was all there is, so what lacks is gone."""
    told = {each.subject: each for each in news}
    for each in told.values():
        _one(tx, watched, each)
    if not listed:
        return
    for source in tx.sources.list():
        if source.watch == parent.watch and source.id != parent.id and source.subject not in told:
            tx.sources.save(replace(source, due_at=None, noticed_at=None, gap=GONE))


def _one(tx: WatchTransaction, watched: Watched, news: News) -> None:
    now = tx.now()
    if news.event:
        delivery = Delivery(watch=watched.name, id=news.event, event=news.subject, received_at=now)
        if not tx.sources.receive(delivery):
            return  # told twice
    known = tx.sources.get(source_id(watched.name, news.subject))
    source = known or Source.fresh(watched.name, news.kind, news.subject, now)
    changed = news.hint != source.hint
    again = known is not None and known.due_at is None and known.gap == GONE
    if known is None and not news.event:  # it was there before: what is new goes first
        tx.sources.save(replace(source, hint=news.hint))
    elif known is None or changed or again:
        gap = "" if again else source.gap
        tx.sources.save(replace(source, hint=news.hint, gap=gap).noticed(now))
