"""What is not sure enough is left out, and nothing else is: neither a copy nor a pair changes."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import Confidence, Finding, FingerprintKey, Match, Scanner, SecretValue
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.ruleset import load_builtin


def _found(target: Path, min_confidence: Confidence, history: Path | None = None) -> list[Finding]:
    key = FingerprintKey(SecretValue(bytes(32)))
    scanner = Scanner(key=key, processes=1, min_confidence=min_confidence, history_folder=history)
    files = history is None
    results = scanner.scan_path(target, worktree=files, history=not files, parts=False)
    return [each.finding for each in results if isinstance(each, Match)]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for each rule: its examples, then the same encoded, on the same line and elsewhere."""
    folder = tmp_path_factory.mktemp("examples")
    for rule in load_builtin():
        lines = []
        for number, template in enumerate((*rule.match, *rule.reject)):
            text = generate(template, number)
            encoded = base64.b64encode(text)
            lines += [text, b"copy: " + encoded, text + b" " + encoded]
        (folder / f"{rule.id}.env").write_bytes(b"\n".join(lines))
    return folder


@pytest.mark.parametrize("min_confidence", [Confidence.MEDIUM, Confidence.HIGH])
def test_the_others_are_what_they_are_without_it(
    examples: Path, min_confidence: Confidence
) -> None:
    everything = _found(examples, Confidence.LOW)
    sure = [each for each in everything if each.confidence.rank >= min_confidence.rank]
    assert 0 < len(sure) < len(everything)
    assert _found(examples, min_confidence) == sure


def test_what_is_not_sure_still_explains_a_copy_within_it(tmp_path: Path) -> None:
    hidden = generate("api_key%3D{base62:32}", 3).decode()
    (tmp_path / "app.env").write_text(f"URL=postgres://app:app@db,{hidden}\n")
    (low,) = _found(tmp_path, Confidence.LOW)
    assert (low.provider, low.confidence) == ("postgres", Confidence.LOW)
    assert _found(tmp_path, Confidence.MEDIUM) == []


def test_a_history_remembers_how_sure_it_was_asked_to_be(repo: Any, tmp_path: Path) -> None:
    repo.commit("a.env", f"KEY={generate('{aws_key_id}', 1).decode()}\n")
    repo.commit("b.env", "password=changeme\n")
    history = tmp_path / "state"
    counts = [
        len(_found(repo.path, min_confidence, history))
        for min_confidence in (Confidence.MEDIUM, Confidence.LOW, Confidence.MEDIUM, Confidence.LOW)
    ]
    assert counts[0] < counts[1]
    assert counts[2:] == counts[:2]
