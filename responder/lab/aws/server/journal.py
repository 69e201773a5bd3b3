"""Every call the lab answered, so that a test can count acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# Lower-cased parameter names whose values never leave the emulator.
_SECRET = frozenset(
    {
        "secretstring",
        "secretbinary",
        "password",
        "newpassword",
        "oldpassword",
        "plaintext",
        "secretaccesskey",
        "sessiontoken",
        "tokencode",
        "value",  # ssm:PutParameter
        "rotationtoken",
    }
)
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def redact(value: Any) -> Any:
    """The same shape without the values of parameters that hold secrets.

    A tag's ``Value`` stays readable, a bare ``Value`` (of a parameter) does not.
    """
    if isinstance(value, Mapping):
        tag = "Key" in value or "key" in value
        return {
            key: _HIDDEN
            if key.lower() in _SECRET and not (tag and key.lower() == "value")
            else redact(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redact(item) for item in value]
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call. ``error`` is the AWS error code; ``performed`` says if the act took place."""

    seq: int
    at: float
    service: str
    api: str
    region: str
    access_key_id: str
    source_ip: str
    params: Mapping[str, Any]
    status: int
    error: str | None
    fault: str | None
    performed: bool


@dataclass(slots=True)
class Journal:
    """All calls since start or reset, oldest first."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, **values: Any) -> None:
        """Append a call; ``seq`` is given here and starts at 1."""
        self.entries.append(Entry(seq=len(self.entries) + 1, **values))

    def select(self, *, api: str | None = None, since: int = 0) -> list[dict[str, Any]]:
        """The calls after ``since``, of one API when named, as plain mappings."""
        return [
            asdict(entry)
            for entry in self.entries[since:]
            if api is None or api in (entry.api, f"{entry.service}:{entry.api}")
        ]
