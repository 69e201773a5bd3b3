"""A person's terminal gets plain lines, everything else JSON; neither quotes what failed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from stanch.responder.telemetry.log import configure, get_logger
from stanch.scanner.model.secret import SecretValue


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("plain", [True, False])
def test_a_line_says_what_happened_and_no_secret(*, plain: bool) -> None:
    written = io.StringIO()
    configure(stream=written, plain=plain)
    log = get_logger("test")
    quoting = ValueError("hunter2")
    part = SecretValue(b"hunter2")
    log.warning("mode.narrowed", path="/d\x1b[2J", part=part, exc_info=quoting)
    said = written.getvalue()
    assert "hunter2" not in said
    assert "\x1b" not in said
    assert said.count("\n") == 1
    if plain:
        assert said.startswith("warning: mode narrowed (path=/d\\x1b[2J, ")
        assert "error=ValueError" in said
    else:
        assert json.loads(said)["event"] == "mode.narrowed"
