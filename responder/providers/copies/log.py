"""A log is sealed whole, then deleted where it is kept: never deleted without a copy of ours."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from stanch.responder.domain.copy import Reach, outcome
from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.ids import label
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.sealed_log import SealedLog, name_of
from stanch.responder.domain.step import (
    Absent,
    Call,
    Effect,
    GoOn,
    NotYet,
    Present,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.copies.keeper import Keeper, Keepers, There, read_logs
from stanch.responder.providers.patience import SOON
from stanch.scanner.api import redacted_log
from stanch.scanner.model.secret import SecretValue

# What the rules call the secret parts of a credential: none of them stays in the masked copy.
_PARTS = (
    "access_key",
    "api_key",
    "api_secret",
    "application_key",
    "auth_token",
    "client_secret",
    "consumer_secret",
    "key_secret",
    "password",
    "secret",
    "secret_access_key",
    "secret_key",
    "session_token",
    "value",
)
_NOT_WHOLE = "not deleted, because not all of it could be sealed: "
_LISTS = ("sealed", "left", "copies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """``logs``: a list of ``copy`` and ``link``."""

    logs: object = ()


class SealLogs:
    """Seal each log in the vault, whole, beside a masked copy that may be read."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="copies.seal_logs",
        title="Seal the logs before they are deleted",
        effect=Effect.READ,
        params=Logs,
        parts=_PARTS,
        outputs=(*_LISTS,),
        aside=True,
    )

    def __init__(self, keepers: Keepers) -> None:
        self._keepers = keepers

    def calls(self, params: Logs, preview: str) -> tuple[Call, ...]:
        """What is read; the logs are known when their places have been sorted."""
        del params, preview
        return (Call(api="note", arguments={}, words="each log is read, sealed, and masked"),)

    def look(self, params: Logs, ctx: StepContext) -> Verdict:
        """One log at a time, so that a crash costs no more than one."""
        items = _items(params.logs)
        done = int(str(ctx.cursor.get("done", 0)))
        found = {name: list(_items(ctx.cursor.get(name, ()))) for name in _LISTS}
        if done < len(items):
            kind, said = self._sealed(items[done], ctx)
            found[kind].append(said)
            return GoOn(cursor={"done": done + 1, **found})
        counted = {name: len(each) for name, each in found.items()}
        return Verified(evidence=counted, outputs=found)

    def foresee(self, params: Logs, kept: Mapping[str, str]) -> JsonObject:
        """Where all goes well each log is sealed, and then deleted."""
        del kept
        whole = {"size": "all of it", "masked": "yes"}
        sealed = [{"copy": item["copy"], **whole} for item in _items(params.logs)]
        return {"sealed": sealed, "left": [], "copies": []}

    def _sealed(self, item: JsonObject, ctx: StepContext) -> tuple[str, JsonObject]:
        """In which list a log comes, and as what."""
        target, link = str(item["copy"]), str(item.get("link") or "")
        keeper = _keeper(self._keepers, target)
        try:
            sight = keeper.look(target)
            if sight.there is There.NO:
                return "copies", outcome(target, Reach.GONE, sight.how)
            if sight.there is not There.YES:
                return "left", _left(target, link, f"{sight.there}: {sight.how}")
            reading = read_logs(target)
        except StepFailed as error:
            return "left", _left(target, link, f"{error}; {error.remedy}")
        if reading.unread or not reading.data:
            why = "; ".join(reading.unread[:3]) or "nothing was given out"
            return "left", _left(target, link, f"{_NOT_WHOLE}{why}")
        masked = self._keep(ctx, target, reading.data)
        size = f"{len(reading.data):,} bytes"
        said = {"copy": target, "link": link, "size": size, "masked": "yes" if masked else "no"}
        return "sealed", said

    def _keep(self, ctx: StepContext, target: str, data: bytes) -> bool:
        """Into the vault; whether there is a copy that may be read."""
        name = name_of(target)
        values = [ctx.open(part) for part in _PARTS if ctx.has(part)]
        masked = redacted_log(data, values)
        kept = SealedLog(target=target, digest=hashlib.sha256(data).hexdigest(), size=len(data))
        if ctx.sealed(name.raw) is None:  # else a worker died before it could say so
            about = SecretValue(kept.as_bytes())
            ctx.seal(name.raw, {"log": SecretValue(gzip.compress(data, mtime=0)), "about": about})
        if masked is not None and ctx.sealed(name.masked) is None:
            text, about = gzip.compress(masked, mtime=0), SecretValue(kept.as_bytes())
            ctx.seal(name.masked, {"text": SecretValue(text), "about": about})
        return masked is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCopy:
    """``copy``: the log as `stanch scan` takes it; the rest is what was sealed of it."""

    copy: str
    size: str = ""
    masked: str = "no"


class DeleteLog:
    """Have the log deleted where it is kept. Nobody can bring it back there."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="copies.delete_log",
        title="Delete the log where it is kept",
        effect=Effect.FINAL,
        params=SealedCopy,
        outputs=("copy", "state", "how"),
        aside=True,
    )

    def __init__(self, keepers: Keepers) -> None:
        self._keepers = keepers

    def calls(self, params: SealedCopy, preview: str) -> tuple[Call, ...]:
        """The request, what goes with the log, and what stays with us."""
        del preview
        keeper = self._keepers.of(params.copy)
        if keeper is None:
            return (Call(api="delete", arguments={"log": params.copy}),)
        masked = "a masked copy can be read with `stanch logs`" if params.masked == "yes" else (
            "no masked copy: what is left in it could not be judged"
        )  # fmt: skip
        return (
            Call(api="delete", arguments={"log": params.copy}, words=keeper.call(params.copy)),
            Call(api="note", arguments={}, words=f"what is lost there: {keeper.loses}"),
            Call(
                api="note",
                arguments={"size": params.size},
                words=f"sealed by us until the incident is closed: {params.size}; {masked}",
            ),
        )

    def observe(self, params: SealedCopy, ctx: StepContext) -> Present | Absent:
        """Present when nobody can read it there; a log that is still written is not deleted."""
        del ctx
        sight = _keeper(self._keepers, params.copy).look(params.copy)
        if sight.there is There.NO:
            return Present(evidence={"log": sight.there, "seen": sight.how})
        if sight.there is not There.YES:
            raise StepFailed(
                f"the log is {sight.there}: {sight.how}",
                remedy="when that is over, `stanch respond` the incident again",
            )
        return Absent(before={"log": sight.there, "seen": sight.how})

    def act(self, params: SealedCopy, ctx: StepContext) -> JsonObject:
        """Only what we have sealed whole."""
        if ctx.sealed(name_of(params.copy).raw) is None:
            raise StepFailed(
                f"{params.copy} is not sealed, so it is not deleted",
                remedy=f"`stanch respond {label(ctx.incident)}` seals it first",
            )
        status = _keeper(self._keepers, params.copy).delete(params.copy)
        return {"answer": status}

    def verify(self, params: SealedCopy, ctx: StepContext) -> Verdict:
        """A fresh look: whoever answers 204 has promised it."""
        del ctx
        sight = _keeper(self._keepers, params.copy).look(params.copy)
        if sight.there is not There.NO:
            return NotYet(why=f"the log is {sight.there}: {sight.how}", after=SOON * 5)
        found = outcome(params.copy, Reach.GONE, sight.how)
        return Verified(evidence={"log": sight.there, "seen": sight.how}, outputs=found)


def _keeper(keepers: Keepers, target: str) -> Keeper:
    keeper = keepers.of(target)
    if keeper is None:
        raise StepFailed(f"nobody is known who keeps {target}", remedy="delete it by hand")
    return keeper


def _left(target: str, link: str, why: str) -> JsonObject:
    return {"copy": target, "link": link, "why": why}


def _items(value: object) -> Sequence[JsonObject]:
    if not isinstance(value, list | tuple):
        return ()
    return [item for item in value if isinstance(item, Mapping)]
