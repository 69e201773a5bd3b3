"""A copy of a log that may be read: nothing of a secret is in it, however the log had cut it."""

from __future__ import annotations

import base64

import pytest

from stanch.scanner.api import FingerprintKey, Scanner, redacted_log
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.scan.mask import log_copy
from stanch.scanner.sources.log.source import Logs
from tests.scanner.conftest import github_token, sorted_out

STAMP = b"2025-04-07T12:57:%02d.2904078Z "
OURS = b"hunter2hunter2"


def left(text: bytes) -> list[str]:
    """What a scan of logs finds in it."""
    scanner = Scanner(key=FingerprintKey(SecretValue(bytes(range(32)))), processes=1)
    return sorted_out(iter(scanner.scan_source(Logs((log_copy._log(text),))))).secrets


def test_values_go_and_everything_else_stays() -> None:
    token = github_token(3).encode()
    data = STAMP % 1 + b"hello\n" + STAMP % 2 + b"token " + token + b" is ours: " + OURS + b"\n"
    text = redacted_log(data, [SecretValue(OURS), SecretValue(b"ab")])
    assert text == (STAMP % 1 + b"hello\n" + STAMP % 2 + b"token [MASKED] is ours: [MASKED]\n")


def test_what_only_the_cleaned_log_shows_goes_with_its_lines() -> None:
    """Between two lines of GitLab's that are one."""
    token = github_token(4).encode()
    stamp = b"2024-05-06T07:08:09.123456Z 00O"
    data = stamp + b" token " + token[:20] + b"\n" + stamp + b"+" + token[20:] + b"\n"
    data += stamp + b" done\n"
    assert left(data) == [token.decode()]
    text = redacted_log(data)
    assert text is not None
    assert left(text) == []
    assert token[:20] not in text
    assert token[20:] not in text
    assert text.endswith(b" done\n")


def test_wrapped_and_encoded_twice_is_gone() -> None:
    token = github_token(5).encode()
    packed = base64.b64encode(base64.b64encode(b"TOKEN=" + token + b"\n" + b"x" * 60))
    lines = [STAMP % 3 + packed[at : at + 76] for at in range(0, len(packed), 76)]
    data = b"\n".join(lines) + b"\n"
    assert left(data) == [token.decode()]
    text = redacted_log(data)
    assert text is not None
    assert left(text) == []


def test_what_cannot_be_judged_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_copy, "_found", lambda *_, **__: frozenset({1}))
    assert redacted_log(b"one\n") is None
    monkeypatch.setattr(log_copy, "_found", lambda *_, **__: None)
    assert redacted_log(b"one\n") is None
