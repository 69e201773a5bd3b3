"""The ``[secrets]`` table of ``stanch.toml``: what this place is, and where secrets come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stanch.responder.keys.reference import secret
from stanch.responder.lifecycle.backends.openbao_http import OpenbaoSettings
from stanch.responder.lifecycle.model.environment import LONG, Environment
from stanch.responder.lifecycle.model.error import SecretsConfigError
from stanch.responder.lifecycle.model.reference import is_word
from stanch.responder.lifecycle.model.segregation import NO_TENANT, Place
from stanch.responder.providers.setting import Section


class SecretsSection(Section, frozen=True):
    """What runs here, and the stores of each environment.

    References of another ``environment``, ``service`` or ``tenant`` are refused. Of a list the
    first store that has the secret wins; production has one.

    ``folder``: where ``.env.ENVIRONMENT`` lies; none: the current directory.
    """

    environment: str = "dev"
    service: str = ""
    tenant: str = NO_TENANT
    folder: str = ""
    development: tuple[str, ...] = ("secrets-manager", "env-file", "process-environment")
    test: tuple[str, ...] = ("env-file",)
    staging: tuple[str, ...] = ("env-file",)
    production: tuple[str, ...] = ("secrets-manager",)

    def place(self) -> Place:
        """Where we are. SecretsConfigError for what no reference could name."""
        for key, word in (("service", self.service), ("tenant", self.tenant)):
            if word and not is_word(word):
                raise SecretsConfigError(
                    f"[secrets] {key}: {word!r} is no {key}",
                    remedy="use a-z 0-9 . _ - as references do",
                )
        return Place(
            environment=environment(self.environment),
            service=self.service,
            tenant=self.tenant or NO_TENANT,
        )

    def sources(self) -> Mapping[Environment, tuple[str, ...]]:
        """The names of the stores of each environment."""
        return {
            Environment.DEVELOPMENT: self.development,
            Environment.TEST: self.test,
            Environment.STAGING: self.staging,
            Environment.PRODUCTION: self.production,
        }

    def at(self) -> Path:
        """The folder of env files."""
        return Path(self.folder).expanduser() if self.folder else Path.cwd()


class OpenbaoSection(Section, frozen=True):
    """The server of the store ``openbao``; ``token`` is a reference, read for each request."""

    url: str = ""
    mount: str = "secret"
    token: str = ""
    namespace: str = ""
    ca_file: str = ""

    def as_settings(self) -> OpenbaoSettings:
        """As the store wants it. SecretsConfigError when it cannot be reached like this."""
        if not self.url or not self.token:
            lacks = "url" if not self.url else "token"
            raise SecretsConfigError(
                f"[openbao] {lacks} is not set",
                remedy='write url = "https://HOST:8200" and token = "file:/path" there',
            )
        return OpenbaoSettings(
            url=self.url,
            mount=self.mount.strip("/"),
            token=lambda: secret(self.token, what="openbao.token"),
            namespace=self.namespace,
            ca_file=self.ca_file,
        )


def environment(word: str) -> Environment:
    """``prod`` as the configuration or a person names it. SecretsConfigError otherwise."""
    if word in tuple(Environment):
        return Environment(word)
    known = LONG.get(word)
    raise SecretsConfigError(
        f"{word!r} is no environment",
        remedy=f"write {known!r}" if known else f"use one of {', '.join(Environment)}",
    )
