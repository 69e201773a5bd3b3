"""The room of secrets, joined from the configuration: without broker, store or Slack."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from stanch.responder.config import Settings
from stanch.responder.lifecycle.backends.registry import Wiring, connect
from stanch.responder.lifecycle.backends.setting import SecretsSection
from stanch.responder.lifecycle.model.access import AccessLog
from stanch.responder.lifecycle.model.answer import Denied, Listed, Unreachable
from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.metadata import read
from stanch.responder.lifecycle.model.segregation import Place
from stanch.responder.lifecycle.resolution.precedence import Course, course, declared_stores
from stanch.responder.lifecycle.resolution.resolver import Keep, Resolver
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.setting import AwsSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one store lists, or why it does not."""

    source: str
    listed: Listed | Denied | Unreachable


class Room:
    """Stores by name, made when they are first wanted and shared; leave its context to close."""

    def __init__(
        self,
        settings: Settings,
        *,
        log: AccessLog,
        place: Place | None = None,
        keep: Keep | None = None,
    ) -> None:
        self.log = log
        self._section = settings.secrets
        self._opened = ExitStack()
        self._lock = threading.Lock()
        self._backends: dict[str, Backend] = {}
        self._wiring = _wiring(settings, self._section, self._opened)
        self.place = place or self._section.place()
        self.resolver = Resolver(
            place=self.place,
            course=self.course,
            log=log,
            clock=lambda: datetime.now(UTC),
            keep=keep,
        )

    def course(self, environment: Environment) -> Course:
        """The stores of an environment, as declared."""
        return course(environment, self._section.sources(), self.backend)

    def backend(self, name: str) -> Backend:
        """The store of this name."""
        with self._lock:
            if name not in self._backends:
                self._backends[name] = connect(name, self._wiring)
            return self._backends[name]

    @property
    def aws(self) -> AwsClients:
        """Our hands in AWS, shared with its stores."""
        return self._wiring.clients

    def names(self, environment: Environment | None = None) -> tuple[str, ...]:
        """The stores of one environment, or every one that any environment declares.

        SecretsConfigError for what an environment must not have: reading would refuse it too.
        """
        sources = self._section.sources()
        asked = [environment] if environment is not None else list(Environment)
        return tuple(
            dict.fromkeys(name for each in asked for name in declared_stores(each, sources))
        )

    def entries(self, environment: Environment | None = None) -> Iterator[Found]:
        """What the stores list; an answer that is no entry says that a list is not complete.

        Of one environment: its own, and what nothing says the environment of.
        """
        for name in self.names(environment):
            for listed in self.backend(name).entries():
                if environment is None or _of(listed) in {environment, None}:
                    yield Found(source=name, listed=listed)

    def close(self) -> None:
        """Close what was opened."""
        for backend in self._backends.values():
            backend.close()
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _of(listed: Listed | Denied | Unreachable) -> str | None:
    """The environment of an entry, as its name says, else its metadata."""
    if not isinstance(listed, Listed):
        return None
    if listed.reference is not None:
        return listed.reference.environment
    return read(listed.described.tags).known.get("environment")


def _wiring(settings: Settings, section: SecretsSection, opened: ExitStack) -> Wiring:
    aws = settings.provider("aws")
    if not isinstance(aws, AwsSection):
        raise TypeError(f"not the aws section: {type(aws).__name__}")
    return Wiring(
        aws=aws.as_settings(),
        folder=section.at(),
        service=section.service,
        variables=os.environ,
        openbao=settings.openbao.as_settings,
        opened=opened,
    )
