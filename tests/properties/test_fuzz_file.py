"""Any file that is read as rules, settings or accepted findings is understood, or refused with a
remedy: never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

import stanch.scanner.rules
from stanch.responder import config
from stanch.responder.domain.error import StanchError
from stanch.scanner.detectors.ruleset import gitleaks, rule_file
from stanch.scanner.hook import ai_event
from stanch.scanner.hook.change import push_range
from stanch.scanner.hook.check import ChangeCheck
from stanch.scanner.hook.policy import waiver_policy
from stanch.scanner.local import settings
from stanch.scanner.model.error import ScannerError, UsageError
from stanch.scanner.sources.git.discovery import at
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.secrets_baseline import SecretsBaseline

Damaged = Callable[[Sequence[bytes]], st.SearchStrategy[bytes]]
_DAY = date(2026, 6, 15)
_TOML = b"""\
[scan]
rules = ["a.yaml", "b/"]
min_confidence = "low"
[ci]
waivers = "base"
[aws]
regions = ["eu-central-1"]
[people.alice]
groups = ["security"]
[tool.stanch.scan]
rules = []
"""
_GITLEAKS = b"""\
title = "x"
[[rules]]
id = "a-b"
description = "d"
regex = '''(?i)\\b(abc_[a-z0-9]{32,})\\b'''
secretGroup = 1
entropy = 3.5
keywords = ["abc_"]
[[rules]]
id = "c"
regex = '''[[:alnum:]]+(?P<x>[a-z]{3})*\\z'''
path = "x"
[rules.allowlist]
regexes = ["a"]
"""
_BASELINE = "\n".join(
    json.dumps(each)
    for each in (
        {"type": "stanch-baseline", "version": 1, "kdf": "argon2id", "salt": "5a" * 16,
         "memory": 19456, "passes": 2},
        {"type": "entry", "id": "ab" * 16, "provider": "p", "kind": "k", "rule": "r", "path": "p",
         "reason": "r", "author": "a", "added": "2026-01-01", "expires": None},
        {"type": "detect-secrets", "sha1": "ab" * 20, "path": "p", "detector": "d", "reason": "r",
         "author": "a", "added": "2026-01-01", "expires": "2027-01-01"},
    )
).encode()  # fmt: skip
_SECRETS = json.dumps(
    {
        "version": "1.5.0",
        "plugins_used": [{"name": "A", "limit": 4.5}],
        "filters_used": [{"path": "x"}],
        "results": {
            "a.py": [{"type": "Secret", "hashed_secret": "ab" * 20, "line_number": 3,
                      "is_secret": True}]
        },
    }
).encode()  # fmt: skip


def refused(read: Callable[[], object]) -> bool:
    """Whether it was refused, with words that help."""
    try:
        read()
    except (ScannerError, StanchError) as error:
        return bool(str(error) and error.remedy) or pytest.fail("no remedy")
    return False


def test_rule_files(fuzz: Any, damaged: Damaged) -> None:
    wholes = [
        path.read_bytes()[:4000]
        for folder in stanch.scanner.rules.__path__
        for path in sorted(Path(folder).glob("*.yaml"))[:40]
    ]

    def claim(data: bytes) -> None:
        refused(lambda: rule_file.parse(data.decode("utf-8", "replace"), "x.yaml"))

    fuzz(claim, damaged(wholes), inputs=500)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_a_rule_file_of_any_depth_is_refused_and_ends_nothing(opening: str) -> None:
    assert refused(lambda: rule_file.parse(opening * 100_000, "x.yaml"))


@pytest.mark.parametrize("name", ["stanch.toml", "pyproject.toml"])
def test_settings(fuzz: Any, damaged: Damaged, tmp_path: Path, name: str) -> None:
    def claim(data: bytes) -> None:
        (tmp_path / name).write_bytes(data)
        refused(lambda: settings.scan_settings(tmp_path))
        refused(lambda: waiver_policy.configured(data))
        if name == "stanch.toml":
            refused(
                lambda: config.load(
                    {"STANCH_CONFIG": str(tmp_path / name), "STANCH_HOME": str(tmp_path)}
                )
            )

    fuzz(claim, damaged([_TOML, b"[" * 3000, b"a = " + b"[" * 3000]), inputs=400)


def test_rule_files_of_gitleaks_give_rules_of_ours(
    fuzz: Any, damaged: Damaged, tmp_path: Path
) -> None:
    file = tmp_path / "gitleaks.toml"

    def claim(data: bytes) -> None:
        file.write_bytes(data)

        def read() -> None:
            text = gitleaks.converted(file).text
            if text:
                rule_file.parse(text, "imported.yaml")

        refused(read)

    fuzz(claim, damaged([_GITLEAKS]), inputs=500)


def test_baselines_survive_their_own_writing(fuzz: Any, damaged: Damaged) -> None:
    def claim(data: bytes) -> None:
        read: list[Baseline] = []
        if not refused(lambda: read.append(Baseline.parse(data, name="b"))):
            assert Baseline.parse(read[0].text().encode(), name="again") == read[0]

    fuzz(claim, damaged([_BASELINE]), inputs=800)


def test_baselines_of_detect_secrets(fuzz: Any, damaged: Damaged) -> None:
    def claim(data: bytes) -> None:
        refused(lambda: SecretsBaseline.parse(data, name="b", author="a", added=_DAY, expires=None))

    fuzz(claim, damaged([_SECRETS]), inputs=800)


def test_what_git_feeds_to_hooks(fuzz: Any, damaged: Damaged) -> None:
    pushes = f"refs/heads/a {'a' * 40} refs/heads/b {'0' * 40}\n".encode()
    receives = f"{'0' * 40} {'a' * 40} refs/heads/b\n".encode()

    def claim(data: bytes) -> None:
        lines = data.decode("utf-8", "surrogateescape").splitlines()
        refused(lambda: push_range.pushed(lines))
        refused(lambda: push_range.received(lines))

    fuzz(claim, damaged([pushes * 2, receives * 2]), inputs=500)


def test_events_of_assistants(fuzz: Any, damaged: Damaged, engine: Any, tmp_path: Path) -> None:
    event = json.dumps(
        {"hook_event_name": "PreToolUse", "cwd": str(tmp_path),
         "tool_input": {"file_path": "x", "content": ["a", {"b": "c"}], "path": "../../etc"}}
    ).encode()  # fmt: skip
    door = ChangeCheck(engine)

    def claim(data: bytes) -> None:
        try:
            assert ai_event.judged(data, door, tmp_path).as_json()
        except UsageError as error:
            assert error.remedy  # noqa: PT017  # most inputs raise nothing

    fuzz(claim, damaged([event, b"[" * 90_000, b'{"a":' * 9000]), inputs=300)


def test_what_a_git_folder_claims_to_be(fuzz: Any, damaged: Damaged, tmp_path: Path) -> None:
    """Looking at a place runs nothing and raises nothing, whatever the pointers in it say."""
    real = tmp_path / "real"
    for name in ("objects", "refs"):
        (real / name).mkdir(parents=True)
    (real / "HEAD").write_text("ref: refs/heads/main\n")
    tree = tmp_path / "tree"
    tree.mkdir()

    def claim(pointer: bytes, common: bytes) -> None:
        (tree / ".git").write_bytes(pointer)
        (real / "commondir").write_bytes(common)
        found = at(tree)
        assert found is None or found.git_dir == real

    pointers = [f"gitdir: {real}\n".encode(), b"gitdir: ../real\n"]
    fuzz(claim, damaged(pointers), damaged([b"../real\n", b".\n", str(real).encode()]), inputs=400)
