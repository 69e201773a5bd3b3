"""What discovery finds, and what about it wants mending."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Found(StrEnum):
    """What kind of thing it is."""

    SECRET = "secret"  # noqa: S105  # of a store
    ACCESS_KEY = "iam-access-key"
    ENCRYPTION_KEY = "kms-key"
    VARIABLE = "env-variable"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Item:
    """One thing. ``problem`` is empty where nothing wants mending; it never holds a value.

    Of a reference, ``kept_as`` is what the secret is called in its store.
    """

    kind: Found
    name: str
    place: str
    store: str = ""
    owner: str = ""
    problem: str = ""
    kept_as: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """What could not be looked at: nobody knows what is there."""

    place: str
    why: str
