"""What a button carries: ids and a MAC, never data."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from stanch.responder.domain.ids import ApprovalId, IncidentId, label
from stanch.scanner.model.secret import SecretValue

_SHAPE = re.compile(
    r"v1\.(?P<incident>[1-9][0-9]{0,9})\.(?P<approval>[A-Za-z0-9_-]{1,64})"
    r"\.(?P<version>[0-9]{1,10})\.(?P<mac>[0-9a-f]{32})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button as it was drawn: which approval, on which version of which card."""

    incident: IncidentId
    approval: ApprovalId
    version: int

    def __str__(self) -> str:
        return f"v1.{self.incident}.{self.approval}.{self.version}"


class ButtonKey:
    """Signs and reads button values.

    ``key`` is any secret of this installation, at least 16 bytes. It also names the installation's
    cards, so that two installations in one channel do not take each other's card for their own.
    """

    __slots__ = ("_key",)

    def __init__(self, key: SecretValue) -> None:
        if len(key) < 16:  # noqa: PLR2004  # said in the docstring
            raise ValueError(f"a button key has at least 16 bytes, not {len(key)}")
        self._key = key

    def sign(self, press: Press) -> str:
        """The button's value: ``v1.<incident>.<approval>.<version>.<mac>``."""
        return f"{press}.{self._mac('button', str(press))}"

    def read(self, value: str) -> Press | None:
        """The press, or None when the value was not signed by this installation."""
        found = _SHAPE.fullmatch(value)
        if found is None:
            return None
        press = Press(
            incident=IncidentId(int(found["incident"])),
            approval=ApprovalId(found["approval"]),
            version=int(found["version"]),
        )
        expected = self._mac("button", str(press))
        return press if hmac.compare_digest(found["mac"], expected) else None

    def card_name(self, incident: IncidentId) -> str:
        """What this installation writes into the metadata of an incident's card."""
        return f"{label(incident)}.{self._mac('card', label(incident))}"

    def _mac(self, purpose: str, text: str) -> str:
        message = f"stanch/slack/{purpose}/v1\0{text}".encode()
        return hmac.new(self._key.reveal(), message, hashlib.sha256).hexdigest()[:32]
