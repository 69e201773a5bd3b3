"""Every provider there is, as a list that can be read. A new one is one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from stanch.responder.domain.step import StepSpec
from stanch.responder.providers.aws.provider import AWS
from stanch.responder.providers.copies.provider import COPIES
from stanch.responder.providers.github.provider import GITHUB
from stanch.responder.providers.manual.provider import MANUAL
from stanch.responder.providers.provider import Provider

PROVIDERS: tuple[Provider[Any], ...] = (AWS, GITHUB, MANUAL, COPIES)

SPECS: Mapping[str, StepSpec] = MappingProxyType(
    {name: spec for provider in PROVIDERS for name, spec in provider.specs().items()}
)
