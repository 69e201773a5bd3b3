"""Every store there is, as a list that can be read. A new one is one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from stanch.responder.lifecycle.backends.env_file import EnvFile
from stanch.responder.lifecycle.backends.openbao import OpenbaoStore
from stanch.responder.lifecycle.backends.openbao_http import OpenbaoSettings
from stanch.responder.lifecycle.backends.parameter_store import ParameterStore
from stanch.responder.lifecycle.backends.process_environment import ProcessEnvironment
from stanch.responder.lifecycle.backends.secrets_manager import SecretsManager
from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.model.error import SecretsConfigError
from stanch.responder.providers.aws.adapter.client import AwsClients, AwsSettings


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What stores are made from. Clients are made when the first store wants them."""

    aws: AwsSettings
    folder: Path
    service: str
    variables: Mapping[str, str]
    openbao: Callable[[], OpenbaoSettings]
    opened: ExitStack  # closes what was made

    @cached_property
    def clients(self) -> AwsClients:
        """Our hands in AWS."""
        made = AwsClients(self.aws)
        self.opened.callback(made.close)
        return made


BACKENDS: Mapping[str, Callable[[Wiring], Backend]] = MappingProxyType(
    {
        SecretsManager.name: lambda wiring: SecretsManager(wiring.clients),
        ParameterStore.name: lambda wiring: ParameterStore(wiring.clients),
        OpenbaoStore.name: lambda wiring: OpenbaoStore(wiring.openbao()),
        EnvFile.name: lambda wiring: EnvFile(wiring.folder, service=wiring.service),
        ProcessEnvironment.name: lambda wiring: ProcessEnvironment(wiring.variables),
    }
)


def connect(name: str, wiring: Wiring) -> Backend:
    """The store of this name. SecretsConfigError names those there are."""
    make = BACKENDS.get(name)
    if make is None:
        raise SecretsConfigError(
            f"[secrets]: there is no store {name!r}", remedy=f"use one of {', '.join(BACKENDS)}"
        )
    return make(wiring)
