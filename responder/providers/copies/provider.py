"""Copies as one value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from stanch.responder.domain.check import Check
from stanch.responder.postmortem.advice import Draft, Facts
from stanch.responder.providers.copies.ci import (
    BuildkiteJob,
    GithubRun,
    GitlabJob,
    JenkinsBuild,
)
from stanch.responder.providers.copies.cloudwatch import CloudwatchStream
from stanch.responder.providers.copies.keeper import Keeper, Keepers
from stanch.responder.providers.copies.log import DeleteLog, SealLogs
from stanch.responder.providers.copies.step import FindCopies, TakeAwayByHand
from stanch.responder.providers.provider import Provider, Resolve
from stanch.responder.providers.setting import Section


class CopiesSection(Section, frozen=True):
    """Nothing to set: who is asked with which token is said in ``[hosts]``."""


_KEEPERS: Mapping[str, Keeper] = MappingProxyType(
    {
        "github": GithubRun(),
        "gitlab": GitlabJob(),
        "jenkins": JenkinsBuild(),
        "buildkite": BuildkiteJob(),
        "cloudwatch": CloudwatchStream(),
    }
)


def _connect(section: Section, resolve: Resolve) -> Keepers:
    del section, resolve
    return Keepers(_KEEPERS)


def _checks(section: Section, permissions: Iterable[str]) -> Iterator[Check]:
    del section, permissions
    return iter(())


def _advice(facts: Facts) -> Iterator[Draft]:
    del facts
    return iter(())


COPIES: Provider[Keepers] = Provider(
    name="copies",
    settings=CopiesSection,
    connect=_connect,
    steps=(FindCopies, SealLogs, DeleteLog, TakeAwayByHand),
    checks=_checks,
    advice=_advice,
    words=MappingProxyType({}),
)
