"""Judges one event of an AI assistant's hook: what it would send, run or show."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

from stanch.scanner.hook.check import ChangeCheck, ChangeResult, fingerprints
from stanch.scanner.hook.message import title
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Finding
from stanch.scanner.model.record import Record
from stanch.scanner.sources.files.worktree import Worktree
from stanch.scanner.sources.stream import Stream

LARGEST = 64 << 20
"""Bytes of an event; a larger one is refused, so that nothing passes unread."""

_DEEPEST = 64
_PATHS = frozenset({"file_path", "filePath", "path", "notebook_path", "filename", "file"})
_SHOWN = 5
# What an event says about itself, and holds nothing to check: a path is not a content.
_OWN = frozenset({"session_id", "transcript_path", "cwd", "hook_event_name", "tool_use_id"})


class Decision(Record):
    """The answer. ``reason`` holds no value of a credential, only previews."""

    block: bool
    reason: str

    def as_json(self) -> str:
        """One line of JSON."""
        decision = "block" if self.block else "allow"
        return json.dumps({"decision": decision, "reason": self.reason})


def judged(data: bytes, door: ChangeCheck, place: Path) -> Decision:
    """The decision on an event: a JSON object, as assistants write it to their hooks.

    Every text in it is checked, however deep, and every file of the working directory that it
    names: a tool that is about to read a file would send it.
    """
    event = _parsed(data)
    cwd = event.get("cwd")
    folder = Path(cwd) if isinstance(cwd, str) and Path(cwd).is_absolute() else place
    verdict = ChangeResult()
    texts = [_line_of(key, text) for key, text in _texts(event)]
    if texts:
        joined = "\n".join(texts).encode("utf-8", "replace")
        verdict += door.check(Stream(stream=io.BytesIO(joined), name="text"))
    for path in dict.fromkeys(_files(event, folder)):
        verdict += door.check(Worktree(root=path.parent, only=(path.name,)))
    return _decided(verdict)


def _decided(verdict: ChangeResult) -> Decision:
    if verdict.findings:
        count = fingerprints(verdict.findings)
        noun = "credential" if count == 1 else "credentials"
        named = "; ".join(dict.fromkeys(_line(each) for each in verdict.findings[:_SHOWN]))
        more = len(verdict.findings) - _SHOWN
        rest = f"; +{more} more" if more > 0 else ""
        return Decision(
            block=True,
            reason=f"stanch: {count} {noun} would leave this machine: {named}{rest}. Use a "
            "reference (an environment variable, a secret store) in place of the value.",
        )
    if not verdict.complete:
        return Decision(block=True, reason="stanch: not everything could be read, so not allowed")
    return Decision(block=False, reason="")


def _line(finding: Finding) -> str:
    where = "" if finding.provenance.source == "stream" else f" in {finding.path}"
    return f"{title(finding)} ({finding.rule}){where}, line {finding.span.line}"


def _parsed(data: bytes) -> dict[str, object]:
    if len(data) > LARGEST:
        raise UsageError(
            f"the event is larger than {LARGEST >> 20} MiB", remedy="send less at once"
        )
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        event = None  # its text may hold a credential, so no cause is quoted
    if not isinstance(event, dict):
        raise UsageError(
            "standard input is not one JSON object",
            remedy="let the assistant call it as a hook; docs/hooks.md has the set-up",
        )
    return event


def _texts(value: object, depth: int = 0, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text with its key; numbers and the like hold no credential."""
    if depth > _DEEPEST:
        raise UsageError("the event is nested too deeply", remedy="let the assistant call it")
    match value:
        case str() if key not in _OWN:
            yield key, value
        case dict():
            for name, each in value.items():
                yield from _texts(each, depth + 1, str(name))
        case list():
            for each in value:
                yield from _texts(each, depth + 1, key)
        case _:
            pass


def _line_of(key: str, text: str) -> str:
    """The key in front of a short text, as in a file: a password is known by its name."""
    return text if "\n" in text or not key.isidentifier() else f"{key} = {json.dumps(text)}"


def _files(event: dict[str, object], folder: Path) -> Iterator[Path]:
    """Files that the event names by one of the usual keys and that are there."""
    for key, text in _texts(event):
        if key in _PATHS and len(text) < 4096 and "\0" not in text and "\n" not in text:  # noqa: PLR2004  # the longest path
            path = folder / text
            try:
                found = path.is_file()
            except OSError:  # longer than any path, or within what nobody may enter
                found = False
            if found:
                yield path.resolve()
