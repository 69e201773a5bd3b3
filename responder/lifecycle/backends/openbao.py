"""OpenBao and Vault, KV v2: numbered versions, written by compare-and-set.

The pending version is a secret of its own beside the real one, so that no other reader of the store
takes it for the newest version.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from stanch.responder.lifecycle.backends.naming import reference_at
from stanch.responder.lifecycle.backends.openbao_http import Openbao, OpenbaoSettings
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Conflict,
    Denied,
    Described,
    Listed,
    Look,
    NotGiven,
    Present,
    Read,
    Stage,
    Unreachable,
    Versions,
    Write,
    Written,
)
from stanch.responder.lifecycle.model.backend import Ability
from stanch.responder.lifecycle.model.error import Unsupported
from stanch.responder.lifecycle.model.reference import PREVIOUS, Reference
from stanch.scanner.model.secret import SecretValue

NAME = "openbao"
_PENDING = ".stanch-pending"
_TOKEN = "stanch-pending"  # noqa: S105  # the name of a field: which run wrote it
_PROMOTED = "stanch-promoted"
_TEXT, _BYTES = "value", "value_base64"
_DEEPEST = 8  # folders


class OpenbaoStore:
    """The port over KV v2; the secret's field is ``value``, as the field of one that has only one.

    Others' secrets with several fields are given as one JSON object.
    """

    name = NAME
    abilities = frozenset(Ability) - {Ability.RECOVER}

    def __init__(self, settings: OpenbaoSettings) -> None:
        self._bao = Openbao(settings)
        self._mount = settings.mount

    def read(self, reference: Reference) -> Read:
        """The newest version, or the one that is named."""
        version = reference.version
        if version == PREVIOUS:
            look = self.describe(reference)
            if not isinstance(look, Described):
                return look
            older = look.at(Stage.PREVIOUS)
            if older is None:
                return Absent(why=f"{reference}: there is no previous version")
            version = older
        if version and not version.isdigit():
            return Absent(why=f"{NAME} has no version {version}")
        found = self._data(reference.path, version)
        return found if isinstance(found, NotGiven) else _present(found, str(reference))

    def read_pending(self, reference: Reference) -> Read:
        """The secret beside it."""
        found = self._data(reference.path + _PENDING)
        return found if isinstance(found, NotGiven) else _present(found, str(reference))

    def read_many(self, references: Sequence[Reference]) -> Mapping[Reference, Read]:
        """One by one over one connection: KV v2 has no batch."""
        return {each: self.read(each) for each in references}

    def describe(self, reference: Reference) -> Look:
        """The metadata alone."""
        found = self._metadata(reference.path)
        if isinstance(found, NotGiven):
            return found
        beside = self._data(reference.path + _PENDING)
        if isinstance(beside, Denied | Unreachable):
            return beside
        pending = None if isinstance(beside, Absent) else str(beside["data"].get(_TOKEN, ""))
        versions = _versions(found)
        if not any(Stage.CURRENT in stages for stages in versions.values()):
            return Absent(why=f"{reference}: its newest version was deleted")
        return self._described(
            reference.path,
            found,
            versions | ({pending: frozenset({Stage.PENDING})} if pending else {}),
        )

    def entries(self, *, under: str = "") -> Iterator[Listed | Denied | Unreachable]:
        """The folders one after another, and the metadata of each secret."""
        for path in self._paths(under.rpartition("/")[0], _DEEPEST):
            if isinstance(path, Denied | Unreachable):
                yield path
                return
            if path.endswith(_PENDING) or not path.startswith(under):
                continue
            found = self._metadata(path)
            if isinstance(found, Denied | Unreachable):
                yield found
                return
            if not isinstance(found, Absent):
                yield Listed(
                    reference=reference_at(path),
                    described=self._described(path, found, _versions(found)),
                )

    def create(self, reference: Reference, value: SecretValue, tags: Mapping[str, str]) -> Write:
        """Version 1, if there is none; then its metadata."""
        made = self._put(reference.path, value, cas=0)
        if isinstance(made, Written) and tags:
            noted = self.annotate(reference, tags)
            if not isinstance(noted, Written):
                return noted
        return made

    def annotate(self, reference: Reference, tags: Mapping[str, str]) -> Write:
        """Custom metadata, merged."""
        found = self._bao.ask("PATCH", "metadata", reference.path, {"custom_metadata": dict(tags)})
        return found if isinstance(found, NotGiven | Conflict) else Written(version="")

    def put_pending(self, reference: Reference, value: SecretValue, *, token: str) -> Write:
        """The secret beside it, with the digest of the token in it, if there is none."""
        main = self._metadata(reference.path)
        if isinstance(main, NotGiven):
            return main
        version = hashlib.sha256(token.encode()).hexdigest()[:32]
        beside = reference.path + _PENDING
        made = self._put(beside, value, cas=0, token=version)
        if not isinstance(made, Conflict):
            return Written(version=version) if isinstance(made, Written) else made
        kept = self._data(beside)
        if isinstance(kept, NotGiven):
            return kept
        there = _present(kept, str(reference))
        same = isinstance(there, Present) and there.value == value
        if same and kept["data"].get(_TOKEN) == version:
            return Written(version=version)
        return Conflict(why=f"{reference}: another version is pending already")

    def promote(self, reference: Reference, *, pending: str, current: str) -> Write:
        """Write the pending value over ``current`` by compare-and-set, note it, tidy up."""
        main = self._metadata(reference.path)
        if isinstance(main, NotGiven):
            return main
        if (main.get("custom_metadata") or {}).get(_PROMOTED) != pending:
            done = self._overwrite(reference, pending=pending, current=current)
            if not isinstance(done, Written):
                return done
            noted = self.annotate(reference, {_PROMOTED: pending})
            if not isinstance(noted, Written):
                return noted
        gone = self._remove(reference.path + _PENDING)
        return Written(version=pending) if isinstance(gone, Written | Absent) else gone

    def withdraw(self, reference: Reference, *, version: str) -> Write:
        """A pending version is removed, an older one destroyed: its bytes are gone."""
        beside = self._data(reference.path + _PENDING)
        if isinstance(beside, Denied | Unreachable):
            return beside
        if not isinstance(beside, Absent) and beside["data"].get(_TOKEN) == version:
            return self._remove(reference.path + _PENDING)
        main = self._metadata(reference.path)
        if isinstance(main, NotGiven):
            return main
        noted = (main.get("custom_metadata") or {}).get(_PROMOTED)
        if version in {str(main["current_version"]), noted}:
            return Conflict(why=f"{reference}: version {version} is the current one")
        if not version.isdigit():
            return Written(version=version)  # it was pending, and is gone already
        found = self._bao.ask("POST", "destroy", reference.path, {"versions": [int(version)]})
        return found if isinstance(found, NotGiven | Conflict) else Written(version=version)

    def delete(self, reference: Reference, *, window: timedelta) -> Write:
        """All versions and metadata, at once and for good."""
        if window:
            raise Unsupported(
                f"{reference}: {NAME} deletes at once and for good",
                remedy="say so with a window of 0; `stanch secrets list` shows who uses it",
            )
        there = self._metadata(reference.path)
        return there if isinstance(there, NotGiven) else self._remove(reference.path)

    def close(self) -> None:
        """Close all connections."""
        self._bao.close()

    def _data(self, path: str, version: str = "") -> Any | NotGiven:
        query = f"version={version}" if version else ""
        found = self._bao.ask("GET", "data", path, query=query)
        if isinstance(found, Conflict):
            raise TypeError("a read is no conflict")
        return found

    def _metadata(self, path: str) -> Any | NotGiven:
        found = self._bao.ask("GET", "metadata", path)
        if isinstance(found, Conflict):
            raise TypeError("a read is no conflict")
        return found

    def _paths(self, folder: str, deeper: int) -> Iterator[str | Denied | Unreachable]:
        found = self._bao.ask("LIST", "metadata", f"{folder}/" if folder else "")
        if isinstance(found, Denied | Unreachable):
            yield found
        if isinstance(found, NotGiven | Conflict):
            return
        for key in found["keys"]:
            path = f"{folder}/{key}" if folder else key
            if not key.endswith("/"):
                yield path
            elif deeper:
                yield from self._paths(path.rstrip("/"), deeper - 1)
            else:
                yield Unreachable(why=f"{path} lies deeper than {_DEEPEST} folders")

    def _put(
        self, path: str, value: SecretValue, *, cas: int, token: str = ""
    ) -> Written | Conflict | NotGiven:
        data = _as_sent(value) | ({_TOKEN: token} if token else {})
        found = self._bao.ask("POST", "data", path, {"options": {"cas": cas}, "data": data})
        if isinstance(found, NotGiven | Conflict):
            return found
        return Written(version=str(found["version"]))

    def _overwrite(self, reference: Reference, *, pending: str, current: str) -> Write:
        beside = self._data(reference.path + _PENDING)
        if isinstance(beside, Denied | Unreachable):
            return beside
        if isinstance(beside, Absent) or beside["data"].get(_TOKEN) != pending:
            return Absent(why=f"{reference}: version {pending} is not pending")
        value = _present(beside, str(reference))
        if not isinstance(value, Present):
            return value
        if not current.isdigit():
            return Conflict(why=f"{reference}: version {current} is not the current one")
        done = self._put(reference.path, value.value, cas=int(current))
        if isinstance(done, Conflict):
            # Ours, if the answer to it was lost.
            now = self.read(reference)
            if isinstance(now, Present) and now.value == value.value:
                return Written(version=now.version)
        return done

    def _remove(self, path: str) -> Write:
        found = self._bao.ask("DELETE", "metadata", path)
        return found if isinstance(found, NotGiven | Conflict) else Written(version="")

    def _described(self, path: str, found: Any, versions: Versions) -> Described:
        return Described(
            place=f"{self._mount}/{path}",
            tags={
                key: str(text)
                for key, text in (found.get("custom_metadata") or {}).items()
                if key != _PROMOTED
            },
            versions=versions,
            created_at=_at(found.get("created_time")),
            changed_at=_at(found.get("updated_time")),
        )


def _present(found: Any, what: str) -> Read:
    data = found.get("data")
    if not data:
        return Absent(why=f"{what}: that version was deleted or destroyed")
    value = _value({key: each for key, each in data.items() if key != _TOKEN})
    if not value:
        return Absent(why=f"{what}: the value is empty")
    about = found["metadata"]
    return Present(
        value=SecretValue(value),
        version=str(about["version"]),
        created_at=_at(about["created_time"]),
    )


def _value(fields: Mapping[str, Any]) -> bytes:
    if isinstance(fields.get(_BYTES), str):
        try:
            return base64.b64decode(fields[_BYTES], validate=True)
        except ValueError:
            return str(fields[_BYTES]).encode()
    only = fields.get(_TEXT, next(iter(fields.values()))) if len(fields) == 1 else None
    if isinstance(only, str):
        return only.encode()
    return json.dumps(fields, sort_keys=True).encode() if fields else b""


def _as_sent(value: SecretValue) -> dict[str, str]:
    try:
        return {_TEXT: value.reveal().decode("utf-8")}
    except UnicodeDecodeError:
        return {_BYTES: base64.b64encode(value.reveal()).decode("ascii")}


def _versions(found: Any) -> dict[str, frozenset[Stage]]:
    """Those that can be read; the newest is current, the one before it that is left previous."""
    alive = sorted(
        int(number)
        for number, each in found["versions"].items()
        if not each["destroyed"] and not each["deletion_time"]
    )
    current = int(found["current_version"])
    made = {str(number): frozenset[Stage]() for number in alive}
    older = [number for number in alive if number < current]
    if older:
        made[str(older[-1])] = frozenset({Stage.PREVIOUS})
    if current in alive:
        made[str(current)] = frozenset({Stage.CURRENT})
    return made


def _at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text[:19] + "+00:00") if text else None
