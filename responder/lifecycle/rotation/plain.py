"""Values that only our own services share, and values that a person brings from elsewhere."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from stanch.responder.lifecycle.rotation.rotator import RotationFailed
from stanch.scanner.model.secret import SecretValue

_BYTES = 32
_PATIENCE = 60  # seconds for a check
_UNTESTED = "not tried: no --check says how"
_KEPT_BY_US = "its store gives it to nobody any more; who kept a copy still has it"


def _as_it_is(fresh: SecretValue, current: SecretValue) -> None:
    del fresh, current


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A program that reads a value from its standard input and exits with 0 if it works."""

    command: Sequence[str]

    def __call__(self, value: SecretValue) -> str:
        """How it was seen to work. Raises RotationFailed."""
        name = self.command[0]
        try:
            done = subprocess.run(
                self.command,
                input=value.reveal(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RotationFailed(
                f"the check {name} could not be run: {type(error).__name__}",
                remedy="run it yourself with the current value: "
                "stanch secrets get REFERENCE | CHECK",
            ) from None
        if done.returncode:
            raise RotationFailed(
                f"the check {name} exits with {done.returncode}: the new value does not work",
                remedy="the old value is current as before; see why, then rotate again",
            )
        return f"{name} exits with 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """The store is all that has to change. ``given``: what a person brought; None: random bytes.

    A random value is right only where no other party has to be told of it.
    """

    given: SecretValue | None = None
    check: Check | None = None

    @property
    def name(self) -> str:
        """As ``--with`` names it."""
        return "random" if self.given is None else "value"

    def fresh(self, current: SecretValue) -> SecretValue:
        """What was given, or 256 random bits."""
        if self.given is None:
            return SecretValue(secrets.token_urlsafe(_BYTES).encode())
        if self.given.reveal() == current.reveal():
            raise RotationFailed(
                "the value that was given is the current one",
                remedy="make a new one at its provider, and pipe that in",
            )
        return self.given

    put = staticmethod(_as_it_is)
    take_back = staticmethod(_as_it_is)

    def test(self, fresh: SecretValue) -> str:
        """By the check, where there is one."""
        return _UNTESTED if self.check is None else self.check(fresh)

    def end(self, current: SecretValue) -> str:
        """Nothing is known of where it counts."""
        del current
        raise RotationFailed(
            "only its provider can end it", remedy="revoke it there, then rotate it here"
        )

    def retire(self, old: SecretValue, current: SecretValue) -> str:
        """Nothing is known of where else it counts."""
        del old, current
        return _KEPT_BY_US
