"""Judges one event of an AI assistant's hook: what it would send, run or show."""

from __future__ import annotations

import errno
import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from stanch.scanner.hook.check import ChangeCheck, ChangeResult, fingerprints
from stanch.scanner.hook.message import title
from stanch.scanner.model.error import UsageError, printable
from stanch.scanner.model.finding import Finding
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record, replace
from stanch.scanner.sources.content.window import BINARY
from stanch.scanner.sources.files.worktree import Worktree
from stanch.scanner.sources.stream import Stream

LARGEST = 64 << 20
"""Bytes of an event; a larger one is refused, so that nothing passes unread."""

_DEEPEST = 64
_LONGEST = 4096  # a path
_ADDRESS = "file://"
_PATHS = frozenset(
    {
        *("file_path", "filepath", "path", "notebook_path", "filename", "file", "target"),
        *("file_paths", "filepaths", "paths", "files", "filenames", "target_file", "uri", "url"),
    }
)  # in lower case
_LONGEST_NAME = 16
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
    texts = [_line_of(key, text) for key, text in _texts(event, own=_OWN)]
    if texts:
        joined = "\n".join(texts).encode("utf-8", "replace")
        verdict += door.check(Stream(stream=io.BytesIO(joined), name="text"))
    for path in dict.fromkeys(_files(event, folder)):
        verdict += _file(path, door)
    return _decided(verdict)


def _file(path: Path | Gap, door: ChangeCheck) -> ChangeResult:
    """The verdict over a file that would be sent; one that is not looked at is not allowed."""
    if isinstance(path, Gap):
        return ChangeResult(gaps=(path,))
    found = door.check(Worktree(root=path.parent, only=(path.name,)))
    unread = tuple(replace(gap, incomplete=True) for gap in found.gaps if gap.why != BINARY)
    return replace(found, gaps=unread)


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
        named = "; ".join(f"{gap.path}: {gap.why}" for gap in verdict.gaps[:_SHOWN])
        reason = f"stanch: not everything could be read, so not allowed ({printable(named)})"
        return Decision(block=True, reason=reason)
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
        event = json.loads(data, object_pairs_hook=_every)
    except (ValueError, RecursionError):
        event = None  # its text may hold a credential, so no cause is quoted
    if not isinstance(event, dict):
        raise UsageError(
            "standard input is not one JSON object",
            remedy="let the assistant call it as a hook; docs/hooks.md has the set-up",
        )
    return event


def _every(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object with all values of a key that is there several times: readers differ in theirs."""
    found: dict[str, object] = {}
    for key, value in pairs:
        found[key] = [found[key], value] if key in found else value
    return found


def _texts(
    value: object, depth: int = 0, key: str = "", *, own: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Every text with its key; numbers and the like hold no credential.

    What an event says about itself, under its ``own`` keys, stands at its top alone: further down
    the same names are an assistant's to choose.
    """
    if depth > _DEEPEST:
        raise UsageError("the event is nested too deeply", remedy="let the assistant call it")
    match value:
        case str():
            yield key, value
        case dict():
            for name, each in value.items():
                if name not in own or not isinstance(each, str):
                    if len(name) > _LONGEST_NAME:  # no name, but a value in the place of one
                        yield "", str(name)
                    yield from _texts(each, depth + 1, str(name))
        case list():
            for each in value:
                yield from _texts(each, depth + 1, key)
        case _:
            pass


def _line_of(key: str, text: str) -> str:
    """The key in front of a short text, as in a file: a password is known by its name."""
    return text if "\n" in text or not key.isidentifier() else f"{key} = {json.dumps(text)}"


def _files(event: dict[str, object], folder: Path) -> Iterator[Path | Gap]:
    """Files that the event names by one of the usual keys and that are there."""
    for key, text in _texts(event):
        if key.lower() in _PATHS:
            yield from _named(text, folder)


def _named(text: str, folder: Path) -> Iterator[Path | Gap]:
    """What a path leads to, as a tool would understand it: with a home, or as an address."""
    if len(text) >= _LONGEST or "\n" in text:
        return  # no path; as a text it is checked all the same
    if "\0" in text:
        yield Gap(path="a path", why="it holds a NUL", incomplete=True)
        return
    if text.lower().startswith(_ADDRESS):
        text = unquote(text[len(_ADDRESS) :].removeprefix("localhost"))
    try:
        path = (folder / Path(text).expanduser()).resolve()
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a folder with a NUL
        return
    except (OSError, RuntimeError) as error:  # no entry, a loop, nobody's home
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            return
        yield Gap(path=text, why=f"cannot be looked at ({type(error).__name__})", incomplete=True)
        return
    if stat.S_ISREG(mode):
        yield path
    elif not stat.S_ISDIR(mode):
        yield Gap(path=text, why="neither a file nor a folder", incomplete=True)
