"""Which configuration counts, for who has to write to it: its file, and one that is not read."""

from __future__ import annotations

from pathlib import Path

from stanch.responder.config import Settings


def place(settings: Settings) -> Path:
    """The file that is read, or would be."""
    return Path(settings.file or settings.data / "stanch.toml").absolute()


def unread(settings: Settings) -> Path | None:
    """The ``stanch.toml`` of the folder that one stands in, when it configures nothing."""
    here = Path.cwd() / "stanch.toml"
    return here if here.is_file() and here.resolve() != place(settings).resolve() else None


def wording(settings: Settings, table: str) -> str:
    """Where a table belongs, as the end of a remedy."""
    here = unread(settings)
    said = f"; {here} is not read: if it is yours, move it there or set STANCH_CONFIG"
    return f"{table} in {place(settings)}{said if here else ''}"
