"""Which stores an environment asks, in order, and what it promises about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.error import SecretsConfigError

LOCAL = frozenset({"env-file", "process-environment"})
"""Stores that anybody on the machine fills: they keep no metadata that a store vouches for."""

_DEPRECATED = {Environment.STAGING: frozenset({"env-file"})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The stores of one environment."""

    environment: Environment
    sources: tuple[Backend, ...]

    @property
    def falls_back(self) -> bool:
        """Whether a store that does not answer is passed over: only for developers."""
        return self.environment is Environment.DEVELOPMENT

    @property
    def lenient(self) -> bool:
        """Whether what a local store holds is given without complete metadata."""
        return self.environment in {Environment.DEVELOPMENT, Environment.TEST}

    @property
    def recorded(self) -> bool:
        """Whether every access is written down."""
        return self.environment is not Environment.DEVELOPMENT

    def note(self, source: Backend) -> str:
        """What whoever gets a secret from this store should be told; mostly nothing."""
        if source.name in _DEPRECATED.get(self.environment, ()):
            return (
                f"{self.environment} reads {source.name}, which is deprecated: "
                'move the secret to a managed store and set [secrets] staging = ["secrets-manager"]'
            )
        return ""


def course(
    environment: Environment,
    declared: Mapping[Environment, tuple[str, ...]],
    connect: Callable[[str], Backend],
) -> Course:
    """The stores of an environment as declared. SecretsConfigError for what it must not have."""
    names = declared_stores(environment, declared)
    return Course(environment=environment, sources=tuple(map(connect, names)))


def declared_stores(
    environment: Environment, declared: Mapping[Environment, tuple[str, ...]]
) -> tuple[str, ...]:
    """The names of an environment's stores, in order. Raises as :func:`course` does."""
    names = declared[environment]
    key = f"[secrets] {environment.name.lower()}"
    if not names:
        raise SecretsConfigError(f"{key} names no store", remedy="name one, or leave the key out")
    if environment is Environment.PRODUCTION:
        _require_managed(names, key)
    return names


def _require_managed(names: tuple[str, ...], key: str) -> None:
    local = [name for name in names if name in LOCAL]
    if local:
        raise SecretsConfigError(
            f"{key}: {local[0]} is no store for production secrets",
            remedy='name a managed one, such as ["secrets-manager"]',
        )
    if len(names) > 1:
        raise SecretsConfigError(
            f"{key} names {len(names)} stores: production falls back to nothing",
            remedy=f'name one: ["{names[0]}"]',
        )
