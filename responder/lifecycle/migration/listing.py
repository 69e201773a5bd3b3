"""What is to be moved: the variables of an env file, or of a list that a CI system exported."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from dotenv.parser import Binding, parse_stream

from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.backends.env_file import note
from stanch.responder.lifecycle.model.environment import LONG, Environment
from stanch.scanner.model.secret import SecretValue

LARGEST = 1 << 20  # bytes; no list of settings is larger
_FRONT = re.compile(r"\s*(?:export\s+)?")


class Form(StrEnum):
    """What wrote the list."""

    ENV = "env"
    GITHUB = "github"  # names only: GitHub gives no value back
    GITLAB = "gitlab"  # values, but of hidden variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable. ``value`` is None where the list cannot have it."""

    name: str
    value: SecretValue | None
    path: Path
    line: int
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A file, as it was read."""

    path: Path
    form: Form
    data: bytes
    variables: tuple[Variable, ...]


def read_listing(path: Path) -> Listing:
    """Every variable of a file. Raises UsageError that names file, line and remedy."""
    data = _bytes(path)
    if path.suffix == ".json":
        form, variables = _exported(path, data)
        return Listing(path=path, form=form, data=data, variables=variables)
    return Listing(path=path, form=Form.ENV, data=data, variables=tuple(_env(path, data)))


def named_environment(path: Path) -> Environment | None:
    """The environment that ``.env.prod`` or ``.env.production`` is named after."""
    last = path.name.rpartition(".")[2]
    word = LONG.get(last, last)
    return Environment(word) if word in tuple(Environment) else None


def rewritten(listing: Listing, references: Mapping[str, str]) -> bytes:
    """The file with references for these variables; comments behind their values go with them."""
    made = []
    for binding in parse_stream(io.StringIO(listing.data.decode("utf-8"))):
        text = binding.original.string
        reference = references.get(binding.key or "")
        if reference is not None:
            front = _FRONT.match(text)
            lead = front[0] if front else ""
            text = f"{lead}{binding.key}={reference}\n"
        made.append(text)
    return "".join(made).encode()


def _bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise UsageError(
                f"{path} is a directory", remedy=f"name the files in it, such as {path}/.env.prod"
            )
        if not path.is_file():
            raise UsageError(
                f"there is no file {path}", remedy="see `stanch secrets migrate --help`"
            )
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", remedy="let this user read it") from None
    if len(data) > LARGEST:
        raise UsageError(
            f"{path} is larger than {LARGEST >> 20} MiB", remedy="name a file of settings"
        )
    return data


def _env(path: Path, data: bytes) -> Iterator[Variable]:
    tags: dict[str, str] = {}
    for binding, line in _bindings(path, data):
        if binding.key is None:
            note(binding.original.string, line, path, tags)
        elif binding.value is None:  # what stands there may be a value: it is never shown
            raise UsageError(
                f"{path}:{line}: there is no = in this line",
                remedy="write NAME=value, or begin a comment with #",
            )
        else:
            value = SecretValue(binding.value.encode())
            yield Variable(name=binding.key, value=value, path=path, line=line, tags=dict(tags))


def _bindings(path: Path, data: bytes) -> Iterator[tuple[Binding, int]]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}:{line}: it is not UTF-8", remedy="save it as UTF-8") from None
    for binding in parse_stream(io.StringIO(text)):
        said = binding.original.string
        line = binding.original.line + said[: len(said) - len(said.lstrip())].count("\n")
        if binding.error:
            raise UsageError(
                f"{path}:{line}: this is no NAME=value",
                remedy="close the quotes, or begin a comment with #",
            )
        yield binding, line


def _exported(path: Path, data: bytes) -> tuple[Form, tuple[Variable, ...]]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: this is no JSON", remedy=_FORMS) from None
    if isinstance(found, dict):  # as GitHub's API pages it
        found = found.get("secrets")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise UsageError(f"{path}: this is no list of CI variables", remedy=_FORMS)
    form = Form.GITLAB if any("key" in each for each in found) else Form.GITHUB
    key = "key" if form is Form.GITLAB else "name"
    made = []
    for number, each in enumerate(found, 1):
        name = each.get(key)
        if not isinstance(name, str) or not name:
            raise UsageError(f"{path}: entry {number} has no {key}", remedy=_FORMS)
        made.append(
            Variable(name=name, value=_value(each, form), path=path, line=_line(data, name))
        )
    return form, tuple(made)


_FORMS = (
    "write it with `gh secret list --json name` (names only) or "
    "`glab api projects/ID/variables`; a .json file is taken for one of these"
)


def _value(each: dict[str, Any], form: Form) -> SecretValue | None:
    value = each.get("value")
    if form is Form.GITHUB or each.get("hidden") or not isinstance(value, str):
        return None
    return SecretValue(value.encode())


def _line(data: bytes, name: str) -> int:
    at = data.find(json.dumps(name).encode())
    return data.count(b"\n", 0, max(at, 0)) + 1
