"""Terraform's state keeps in clear what a configuration marks as sensitive, and what it made."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.held import Held, held
from stanch.scanner.detectors.document.json_text import Found
from stanch.scanner.detectors.document.node import Items, Mapping, Scalar, mappings, scalars
from stanch.scanner.detectors.text.regex_cache import regex

#: The key in front of an object.
_OWNER = regex(rb"\"([\w.-]{1,120})\\?\"\s{0,40}:\s{0,40}\Z")
_FRONT = 220
_MEMBERS = {b"value", b"type", b"sensitive", b"description", b"deprecated", b"ephemeral"}


def sensitive_output(data: bytes, found: Found, _budget: Budget) -> Iterator[Held]:
    """``"db_password": {"value": …, "sensitive": true}``: the name stands outside."""
    value = found.mapping.get(b"value")
    owner = _OWNER.search(data, max(0, found.start - _FRONT), max(0, found.start))
    if not {name for name, _ in found.mapping.items} <= _MEMBERS:
        return  # a description of an interface, whose maps have values that are sensitive
    if owner and value and found.mapping.text(b"sensitive") == b"true":
        yield from (held(each, owner[1]) for each in scalars(value) if each.style)


def sensitive_attribute(_data: bytes, found: Found, budget: Budget) -> Iterator[Held]:
    """Attributes of a resource that the provider marks; the state has them in clear.

    A mark is a path of steps; what the first step names is taken with all that is in it.
    """
    attributes, marks = found.mapping.get(b"attributes"), found.mapping.get(b"sensitive_attributes")
    if not isinstance(attributes, Mapping) or not isinstance(marks, Items):
        return
    for path in marks.items:
        step = path.items[0] if isinstance(path, Items) and path.items else None
        name = step.text(b"value") if isinstance(step, Mapping) else b""
        value = attributes.get(name) if name else None
        if value is None or not budget.spend():
            continue
        yield from (held(each, name) for each in scalars(value) if each.style)


def random_password(_data: bytes, found: Found, _budget: Budget) -> Iterator[Held]:
    """What a ``random_password`` came to."""
    if found.mapping.text(b"type") != b"random_password":
        return
    for each in mappings([found.mapping]):
        result = each.scalar(b"result")
        if isinstance(result, Scalar) and result.style:
            yield held(result, b"password")
