"""``python -m stanch``: the same as the command ``stanch``."""

from __future__ import annotations

from stanch.responder.cli.main import main

main()
