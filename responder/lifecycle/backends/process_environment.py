"""The process's own environment: a developer's last resort, for variables like STRIPE_API_KEY."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stanch.responder.lifecycle.backends.naming import reference_of, variable
from stanch.responder.lifecycle.backends.read_only import ReadOnly
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Denied,
    Described,
    Listed,
    Look,
    Present,
    Read,
    Stage,
    Unreachable,
)
from stanch.responder.lifecycle.model.backend import Ability
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.reference import Reference
from stanch.scanner.model.secret import SecretValue

NAME = "process-environment"
_ONLY = "environment"  # the one version there is


class ProcessEnvironment(ReadOnly):
    """The port over a mapping of variables."""

    name = NAME
    abilities: frozenset[Ability] = frozenset()

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def read(self, reference: Reference) -> Read:
        """The variable's value."""
        name = variable(reference)
        if reference.version not in {"", _ONLY}:
            return Absent(why=f"{NAME} keeps no version {reference.version}")
        value = self._variables.get(name, "")
        if not value:
            state = "is empty" if name in self._variables else "is not set"
            return Absent(why=f"{name} {state} in the environment")
        return Present(value=SecretValue(value.encode("utf-8", "surrogateescape")), version=_ONLY)

    def read_many(self, references: Sequence[Reference]) -> Mapping[Reference, Read]:
        """Each by itself."""
        return {each: self.read(each) for each in references}

    def describe(self, reference: Reference) -> Look:
        """Nothing is known of a variable but that it is there."""
        name = variable(reference)
        if not self._variables.get(name):
            return Absent(why=f"{name} is not set in the environment")
        return Described(place=f"${name}", versions={_ONLY: frozenset({Stage.CURRENT})})

    def entries(self, *, under: str = "") -> Iterator[Listed | Denied | Unreachable]:
        """The variables of a tool. Without one nothing says which variables are secrets."""
        service, _, rest = under.partition("/")
        environment, _, tool = rest.partition("/")
        if not tool.strip("/") or environment not in tuple(Environment):
            return
        for name in sorted(self._variables):
            found = reference_of(name, service=service, environment=Environment(environment))
            if found is None or not found.path.startswith(under):
                continue
            look = self.describe(found)
            if isinstance(look, Described):
                yield Listed(reference=found, described=look)
