"""What a store that is only read answers to writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Never

from stanch.responder.lifecycle.model.answer import Read, Write
from stanch.responder.lifecycle.model.error import Unsupported
from stanch.responder.lifecycle.model.reference import Reference
from stanch.scanner.model.secret import SecretValue


class ReadOnly:
    """Refuses every write; stores that can do some of them override those."""

    name = ""

    def create(self, reference: Reference, value: SecretValue, tags: Mapping[str, str]) -> Write:
        """Not here."""
        del value, tags
        self._refuse(reference, "create a secret")

    def annotate(self, reference: Reference, tags: Mapping[str, str]) -> Write:
        """Not here."""
        del tags
        self._refuse(reference, "keep metadata")

    def put_pending(self, reference: Reference, value: SecretValue, *, token: str) -> Write:
        """Not here."""
        del value, token
        self._refuse(reference, "keep a pending version")

    def read_pending(self, reference: Reference) -> Read:
        """Not here."""
        self._refuse(reference, "keep a pending version")

    def promote(self, reference: Reference, *, pending: str, current: str) -> Write:
        """Not here."""
        del pending, current
        self._refuse(reference, "promote a version")

    def withdraw(self, reference: Reference, *, version: str) -> Write:
        """Not here."""
        del version
        self._refuse(reference, "withdraw a version")

    def delete(self, reference: Reference, *, window: timedelta) -> Write:
        """Not here."""
        del window
        self._refuse(reference, "delete a secret")

    def close(self) -> None:
        """Nothing is open."""

    def _refuse(self, reference: Reference, what: str) -> Never:
        raise Unsupported(
            f"{reference}: {self.name} cannot {what}",
            remedy="keep it in a managed store; `stanch secrets list` shows where each one is",
        )
