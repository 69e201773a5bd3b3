"""Reads policies: who must agree, how many, for how long, and what their silence means."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

from stanch.responder.domain.error import RunbookError
from stanch.responder.domain.runbook import Need, Policy, Silence
from stanch.responder.engine.document import Table, listing, nearest, read, table
from stanch.responder.engine.reference import REFERENCE
from stanch.responder.engine.written import duration, files, named

_KEYS = ("policy", "title", "group", "expires", "silence")
_COUNTS = {"0": 0, "1": 1, "2": 2}


def load_policies(folder: Traversable | Path) -> dict[str, Policy]:
    """All policies of ``folder/policies`` by id."""
    place = folder / "policies"
    written = files(place) if place.is_dir() else iter(())
    found = (_policy(read(file.read_bytes(), file.name), file.name) for file in written)
    return {policy.id: policy for policy in found}


def _policy(doc: Table, file: str) -> Policy:
    doc.check(known=(*_KEYS, "people"), required=_KEYS)
    name = named(doc, "policy", file)
    silences = [silence.value for silence in Silence]
    if doc.text("silence") not in silences:
        raise RunbookError(
            f"{doc.where('silence')}: {doc.text('silence')!r} is not an outcome for silence",
            remedy=nearest(doc.text("silence"), silences),
        )
    if not doc.text("group"):
        raise RunbookError(f"{doc.where('group')}: no group", remedy="name who may decide")
    return Policy(
        id=name,
        title=doc.text("title"),
        group=doc.text("group"),
        expires=duration(doc.text("expires"), doc.where("expires")),
        silence=Silence(doc.text("silence")),
        people=tuple(_people(doc)),
    )


def _people(doc: Table) -> Iterator[Need]:
    """``- {when: {owner.protected: "yes"}, count: 2, reason: …}``; the first that fits decides."""
    if "people" not in doc.entries:
        return
    for item in listing(doc.entries["people"]).items:
        each = table(item)
        each.check(known=("when", "count", "reason"), required=("count", "reason"))
        count = each.text("count")
        if count not in _COUNTS:
            raise RunbookError(f"{each.where('count')}: {count!r} people", remedy="write 0, 1 or 2")
        facts = table(each.entries["when"]) if "when" in each.entries else None
        when = {name: facts.text(name) for name in facts.entries} if facts else {}
        for name in when:
            if not REFERENCE.fullmatch(f"${{{name}}}"):
                raise RunbookError(
                    f"{each.where('when')}: {name!r} is not an output",
                    remedy="write step.output, for example owner.protected",
                )
        yield Need(when=when, count=_COUNTS[count], reason=each.text("reason"))
