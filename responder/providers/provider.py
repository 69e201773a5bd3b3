"""A provider: everything that Stanch knows of one service that issues credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

from stanch.responder.domain.check import Check
from stanch.responder.domain.step import Step, StepSpec
from stanch.responder.postmortem.advice import Draft, Facts
from stanch.responder.providers.setting import Section
from stanch.scanner.model.secret import SecretValue

Resolve = Callable[[str, str], SecretValue]  # a reference, and what it is for


class Adapter(Protocol):
    """Our hands at the provider."""

    def identity(self) -> str:
        """Who we are there. Raises StanchError when we are nobody, Retryable without an answer."""

    def exists(self, parts: Mapping[str, SecretValue]) -> bool:
        """One cheap look, without using the credential: False only when it certainly is not there.

        It decides which of many findings are taken in first. Never raises.
        """

    def close(self) -> None:
        """Close all connections."""


A = TypeVar("A", bound=Adapter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Generic[A]):
    """One value for each provider; :data:`~stanch.responder.providers.registry.PROVIDERS`.

    ``steps`` are classes made with the adapter, in the order in which a runbook tends to use them,
    each change followed by what takes it back. ``words`` names the kinds of credential for people.
    ``checks`` is what ``stanch doctor`` looks at, given the permissions that the runbooks need;
    ``advice`` drafts action items of a postmortem.
    """

    name: str
    settings: type[Section]
    connect: Callable[[Section, Resolve], A]
    steps: tuple[Any, ...]
    checks: Callable[[Section, Iterable[str]], Iterator[Check]]
    advice: Callable[[Facts], Iterator[Draft]]
    words: Mapping[str, str]

    def specs(self) -> dict[str, StepSpec]:
        """The declarations of its steps by name."""
        return {step.spec.name: step.spec for step in self.steps}

    def build(self, adapter: A) -> dict[str, Step]:
        """Its steps by name, ready to run."""
        # cast: the engine gives each step only parameters converted to its own spec.params.
        return {step.spec.name: cast("Step", step(adapter)) for step in self.steps}
