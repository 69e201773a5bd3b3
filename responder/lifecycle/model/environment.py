"""The four environments, from a developer's machine to production."""

from __future__ import annotations

from enum import StrEnum


class Environment(StrEnum):
    """Where a secret belongs. The values are how references and stores spell them."""

    DEVELOPMENT = "dev"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "prod"


LONG = {"development": "dev", "testing": "test", "stage": "staging", "production": "prod"}
"""What people write instead: named in errors, never accepted, so that a secret has one name."""
