"""The names under which a log lies in the vault, and what is said of it there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from stanch.responder.domain.json import canonical

RAW, MASKED = "log:", "masked-log:"


@dataclass(frozen=True, slots=True)
class Names:
    """Of the log as it was, and of the copy without what the rules find in it."""

    raw: str
    masked: str


def name_of(target: str) -> Names:
    """The names for the logs behind a target."""
    digest = hashlib.sha256(target.encode()).hexdigest()[:32]
    return Names(raw=f"{RAW}{digest}", masked=f"{MASKED}{digest}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedLog:
    """What lies there: ``digest`` and ``size`` are those of the log as it was."""

    target: str
    digest: str
    size: int

    def as_bytes(self) -> bytes:
        """To lie beside it."""
        return canonical({"target": self.target, "digest": self.digest, "size": self.size})

    @classmethod
    def read(cls, data: bytes) -> SealedLog:
        """From what lies beside it."""
        return cls(**json.loads(data))
