"""How secrets can be rotated, as ``--with`` and the tag ``stanch:rotator`` say."""

from __future__ import annotations

from enum import StrEnum


class RotatorName(StrEnum):
    """A rotator there is."""

    POSTGRESQL = "postgresql"  # a pair of users
    RANDOM = "random"  # bits that only our own services share
    VALUE = "value"  # a person brings it, on standard input
