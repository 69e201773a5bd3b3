"""The port of what knows how one kind of secret is replaced where it is used."""

from __future__ import annotations

from typing import Protocol

from stanch.responder.lifecycle.model.error import SecretError
from stanch.scanner.model.secret import SecretValue


class RotationFailed(SecretError):  # noqa: N818  # an answer, named as people say it
    """The new value does not work, or cannot be set; the old one is as it was."""


class Rotator(Protocol):
    """Makes a new value and has it accepted. Each act may be repeated after a lost answer.

    All of them raise :class:`RotationFailed` where the world does not do what was asked.
    """

    @property
    def name(self) -> str:
        """As ``--with`` and the tag ``stanch:rotator`` name it."""

    def fresh(self, current: SecretValue) -> SecretValue:
        """The next value; nothing is asked or changed."""

    def put(self, fresh: SecretValue, current: SecretValue) -> None:
        """Have the new value accepted, beside the current one."""

    def test(self, fresh: SecretValue) -> str:
        """Use the new value; how it was seen to work."""

    def take_back(self, fresh: SecretValue, current: SecretValue) -> None:
        """Have the new value refused again."""

    def end(self, current: SecretValue) -> str:
        """Have every value refused; how that was seen."""

    def retire(self, old: SecretValue, current: SecretValue) -> str:
        """Have the old value refused; how that was seen."""
