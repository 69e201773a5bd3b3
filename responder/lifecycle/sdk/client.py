"""What an application holds: one object that knows where it is and asks for its secrets."""

from __future__ import annotations

import logging
import os
import pwd
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Self

from stanch.responder.config import Settings, load
from stanch.responder.lifecycle.cache.counted import CountedLog
from stanch.responder.lifecycle.model.access import AccessLog, Asker
from stanch.responder.lifecycle.model.answer import Look
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.error import (
    NotAReference,
    SecretAbsent,
    SecretError,
    SecretsConfigError,
)
from stanch.responder.lifecycle.model.reference import SCHEME, Reference, is_word, parse
from stanch.responder.lifecycle.sdk.access_file import FileAccessLog, place_of
from stanch.responder.lifecycle.sdk.keeping import keeping
from stanch.responder.lifecycle.sdk.room import Room
from stanch.responder.lifecycle.sdk.watch import EVERY, Callback, Rotated, Watch
from stanch.scanner.model.secret import SecretValue

log = logging.getLogger("stanch.secrets")

_DECLARED = frozenset({Environment.STAGING, Environment.PRODUCTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What is wrong with a tool's secrets, by name; the values were not opened."""

    tool: str
    names: tuple[str, ...]
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether all of them could be given."""
        return not self.problems


class Secrets:
    """The secrets of one place. Threads may share it; close it, or leave its context."""

    def __init__(self, settings: Settings | None = None, *, log: AccessLog | None = None) -> None:
        self._settings = settings or load()
        place = self._settings.secrets.place()
        self._cache = keeping(self._settings, place)
        written = log or FileAccessLog(place_of(self._settings.data))
        self._counted = CountedLog(
            written,
            every=self._settings.cache.most_seconds if self._cache else 0.0,
            monotonic=time.monotonic,
        )
        self._room = Room(self._settings, log=self._counted, place=place, keep=self._cache)
        self._watch = Watch(self._look, every=EVERY[self.environment])
        self._noted: set[str] = set()
        if self._cache is not None:
            self._cache.on_forgotten(lambda _: self._watch.wake())

    @property
    def environment(self) -> Environment:
        """The environment of this place."""
        return self._room.place.environment

    def get_secret(self, reference: str, *, why: str = "") -> SecretValue:
        """The value of ``secret://…``.

        Raises SecretRefused, SecretDenied, SecretAbsent or SecretUnavailable, each with a remedy;
        never gives an empty value.
        """
        if self.environment in _DECLARED:
            self._service()
        given = self._room.resolver.resolve(_parsed(reference), _asker(why))
        self._watch.given(given.reference, given.source, given.version)
        self._tell(given.notes)
        return given.value

    def get_tool_secret(self, tool: str, type: str, *, why: str = "") -> SecretValue:  # noqa: A002  # as it is asked for
        """This service's secret of a tool: ``get_tool_secret("stripe", "api-key")``."""
        return self.get_secret(f"{SCHEME}{self._under(tool)}{type}", why=why)

    def get_tool_secrets(self, tool: str, *, why: str = "") -> dict[str, SecretValue]:
        """All of this service's secrets of a tool by name, in as few calls as the store allows."""
        service = self._under(tool).partition("/")[0]
        given = self._room.resolver.resolve_tool(service, tool, _asker(why))
        for each in given.values():
            self._watch.given(each.reference, each.source, each.version)
            self._tell(each.notes)
        return {name: each.value for name, each in given.items()}

    def validate_tool_secrets(self, tool: str, required: Iterable[str] = ()) -> Validation:
        """Whether the tool's secrets are there, complete, in their place and not overdue.

        ``required`` are names that have to be among them. Raises SecretDenied or SecretUnavailable
        when a store does not list what it has.
        """
        service = self._under(tool).partition("/")[0]
        entries, notes = self._room.resolver.entries(service, tool)
        self._tell(notes)
        now = datetime.now(UTC)
        problems: dict[str, str] = {}
        for reference, entry in entries.items():
            try:
                metadata = self._room.resolver.judge(reference, entry)
            except SecretError as error:
                problems[reference.name] = f"{error}; {error.remedy}"
                continue
            if metadata is not None and metadata.due_at() < now:
                problems[reference.name] = f"rotation was due on {metadata.due_at():%Y-%m-%d}"
        names = tuple(sorted(reference.name for reference in entries))
        problems |= dict.fromkeys(set(required) - set(names), "there is none")
        if not names and not problems:
            raise SecretAbsent(
                f"there is no secret of {SCHEME}{self._under(tool).rstrip('/')}",
                remedy="`stanch secrets list` shows what there is",
            )
        return Validation(tool=tool, names=names, problems=problems)

    def on_secret_rotated(self, callback: Callback) -> Callable[[], None]:
        """Call back, from a thread of ours, when a secret that was given has a new version.

        Returns what takes it back. It is noticed within a second where a shared cache is told of
        it, else within a minute (5 s in development and test).
        """

        def told(rotated: Rotated) -> None:
            self.forget(rotated.reference)
            callback(rotated)

        return self._watch.add(told)

    def look_for_rotations(self) -> None:
        """Look now, in this thread, instead of waiting for the next time."""
        self._watch.look()

    def forget(self, reference: Reference) -> None:
        """Ask the store the next time, in this process."""
        if self._cache is not None:
            self._cache.forget(reference)

    def close(self) -> None:
        """Stop watching, forget what is kept, and close all connections."""
        self._watch.close()
        if self._cache is not None:
            self._cache.close()
        self._counted.close()
        self._room.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _look(self, reference: Reference, source: str) -> Look:
        return self._room.backend(source).describe(reference)

    def _service(self) -> str:
        """Who we are. From staging on an application says so: it gets no other service's secret."""
        service = self._room.place.service
        if not service:
            raise SecretsConfigError(
                "[secrets] service is not set, so that nobody knows whose secrets these are",
                remedy="set STANCH_SECRETS_SERVICE, or service in [secrets] of stanch.toml; "
                "docs/lifecycle/README.md shows both",
            )
        return service

    def _under(self, tool: str) -> str:
        if not is_word(tool):
            raise NotAReference("this is no tool", remedy="use a-z 0-9 . _ - as references do")
        return f"{self._service()}/{self.environment}/{tool}/"

    def _tell(self, notes: tuple[str, ...]) -> None:
        for note in notes:
            if note not in self._noted:
                self._noted.add(note)
                log.warning("%s", note)


@lru_cache(maxsize=8)
def _here(pid: int) -> tuple[str, str]:
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no entry
        user = f"uid {os.getuid()}"
    return user, f"{socket.gethostname()}/{pid}"


def _asker(why: str) -> Asker:
    user, where = _here(os.getpid())
    return Asker(actor=f"sdk:{user}", account=user, where=where, why=why)


_parsed = lru_cache(maxsize=1024)(parse)
