"""References in code, and the variables of env files that hold values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.inventory.discovery.form import Mention, mentions
from stanch.responder.lifecycle.inventory.discovery.item import Found, Item, Unseen
from stanch.scanner.api import Fragment, Gap, texts

_SKIPPED = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__", ".tox"})
_ENV = re.compile(r"\.env(?:\.[A-Za-z0-9_.-]{1,60})?\Z")
_SAMPLE = re.compile(r"\.(?:example|sample|template|dist)\Z")
_LINE = re.compile(
    rb"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]{0,120})[ \t]*=([^\n]*)", re.MULTILINE
)
TELLING = re.compile(
    r"(?i)pass|pwd|secret|token|api_?key|access_?key|private|credential|passphrase|dsn\b|_key\b|_auth"
)
_LARGEST = 1 << 20  # bytes of an env file

#: What managed stores hold: names as their references say them, by store.
Known = Mapping[str, frozenset[str]]


def referred(paths: Sequence[Path], known: Known) -> Iterator[Item | Unseen]:
    """Every reference below the paths; one to a store that was listed and has none is a problem."""
    for root in paths:
        _require(root)
        seen: set[tuple[str, int, str]] = set()
        for text in texts(root):
            if isinstance(text, Gap):
                if text.incomplete:
                    yield Unseen(place=f"{root}/{text.path}", why=text.why)
                continue
            for mention in mentions(text.data):
                path, line = _place(text, mention)
                key = (path, line, mention.text)
                if key not in seen:  # windows of a large file overlap
                    seen.add(key)
                    here = root / path if root.is_dir() else root
                    yield _item(mention, f"{here}:{line}", known)


def variables(paths: Sequence[Path]) -> Iterator[Item | Unseen]:
    """Variables of env files whose names tell of secrets, also in files that git ignores."""
    for root in paths:
        _require(root)
        for path in _env_files(root):
            try:
                with path.open("rb") as file:
                    data = file.read(_LARGEST + 1)
            except OSError as error:
                yield Unseen(place=str(path), why=str(error.strerror))
                continue
            if len(data) > _LARGEST:
                yield Unseen(place=str(path), why=f"larger than {_LARGEST >> 20} MiB")
                continue
            yield from _values(path, data)


def _values(path: Path, data: bytes) -> Iterator[Item]:
    for found in _LINE.finditer(data):
        name, value = found[1].decode("ascii"), found[2].strip(b" \t\r\"'")
        refers = any(True for _ in mentions(b"=" + value))  # ``referred`` says so
        if not value or refers or not TELLING.search(name):
            continue
        line = data.count(b"\n", 0, found.start()) + 1
        yield Item(
            kind=Found.VARIABLE,
            name=name,
            place=f"{path}:{line}",
            store="env-file",
            problem="its value is outside of every managed store",
        )


def _item(mention: Mention, place: str, known: Known) -> Item:
    store, name = mention.store, mention.name
    if mention.form == "secret":
        lost = bool(known) and not any(name in names for names in known.values())
    else:
        lost = store in known and name not in known[store]
    return Item(
        kind=Found.REFERENCE,
        name=mention.text,
        place=place,
        store=store,
        problem="no store that was listed has it" if lost else "",
        kept_as=name,
    )


def _place(text: Fragment, mention: Mention) -> tuple[str, int]:
    line = text.data.count(b"\n", 0, mention.offset) + text.first_line
    return text.at(line, 1).path, line


def _env_files(root: Path) -> Iterator[Path]:
    if root.is_file():
        if _ENV.match(root.name):
            yield root
        return
    for folder, folders, files in os.walk(root, followlinks=False):
        folders[:] = sorted(each for each in folders if each not in _SKIPPED)
        for name in sorted(files):
            path = Path(folder) / name
            if _ENV.match(name) and not _SAMPLE.search(name) and path.is_file():
                yield path


def _require(root: Path) -> None:
    if not root.exists():
        raise UsageError(
            f"there is no {root}", remedy="name a folder or file; `stanch secrets discover --help`"
        )
