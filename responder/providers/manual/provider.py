"""People as one value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType

from stanch.responder.domain.check import Check
from stanch.responder.postmortem.advice import Draft, Facts
from stanch.responder.providers.manual.step import Agree, Confirm, FindRemedy, People
from stanch.responder.providers.provider import Provider, Resolve
from stanch.responder.providers.setting import Section


class ManualSection(Section, frozen=True):
    """Nothing to set."""


def _connect(section: Section, resolve: Resolve) -> People:
    del section, resolve
    return People()


def _checks(section: Section, permissions: Iterable[str]) -> Iterator[Check]:
    del section, permissions
    return iter(())


def _advice(facts: Facts) -> Iterator[Draft]:
    del facts
    return iter(())


MANUAL: Provider[People] = Provider(
    name="manual",
    settings=ManualSection,
    connect=_connect,
    steps=(Agree, FindRemedy, Confirm),
    checks=_checks,
    advice=_advice,
    words=MappingProxyType({}),
)
