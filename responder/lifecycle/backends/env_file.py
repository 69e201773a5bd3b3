"""A service's ``.env.ENVIRONMENT`` file, read anew for each answer.

Metadata stands in comments, and counts for all variables below it::

    # stanch: owner=payments-team data-classification=internal
    # stanch: rotation-period=90d last-rotated=2026-11-30 tenant=none
    STRIPE_API_KEY=...

Service and environment are known from where the file is.
"""

from __future__ import annotations

import io
import os
import shlex
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dotenv.parser import parse_stream

from stanch.responder.lifecycle.backends.naming import reference_of, variable
from stanch.responder.lifecycle.backends.read_only import ReadOnly
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Denied,
    Described,
    Listed,
    Look,
    NotGiven,
    Present,
    Read,
    Stage,
    Unreachable,
)
from stanch.responder.lifecycle.model.backend import Ability
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.error import SecretsConfigError
from stanch.responder.lifecycle.model.metadata import KEYS
from stanch.responder.lifecycle.model.reference import Reference
from stanch.scanner.model.secret import SecretValue

NAME = "env-file"
_MARK = "stanch:"
_LARGEST = 1 << 20  # bytes; no file of settings is larger
_OTHERS_WRITE = 0o002


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variable:
    value: SecretValue
    line: int
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path: Path
    version: str  # another after each change: of which variable, nobody knows
    changed_at: datetime
    variables: Mapping[str, _Variable]


class EnvFile(ReadOnly):
    """The port over ``folder/.env.ENVIRONMENT`` of one service."""

    name = NAME
    abilities: frozenset[Ability] = frozenset()

    def __init__(self, folder: Path, *, service: str = "") -> None:
        self._folder = folder
        self._service = service

    def path(self, environment: Environment) -> Path:
        """Where the file of an environment is."""
        return self._folder / f".env.{environment}"

    def read(self, reference: Reference) -> Read:
        """The value as the file has it now."""
        file = self._file(reference.environment)
        return file if isinstance(file, NotGiven) else _read(file, reference)

    def read_many(self, references: Sequence[Reference]) -> Mapping[Reference, Read]:
        """Each file is read once."""
        files = {each: self._file(each) for each in {ref.environment for ref in references}}
        answers: dict[Reference, Read] = {}
        for each in references:
            file = files[each.environment]
            answers[each] = file if isinstance(file, NotGiven) else _read(file, each)
        return answers

    def describe(self, reference: Reference) -> Look:
        """Where it stands, and what the comments above it say."""
        file = self._file(reference.environment)
        if isinstance(file, NotGiven):
            return file
        found = file.variables.get(variable(reference))
        if found is None:
            return Absent(why=f"{variable(reference)} is not in {file.path}")
        return _described(file, found, service=reference.service, at=reference.environment)

    def entries(self, *, under: str = "") -> Iterator[Listed | Denied | Unreachable]:
        """The variables of every file that is there, for the service that works here."""
        for environment in Environment:
            file = self._file(environment)
            if isinstance(file, Denied | Unreachable):
                yield file
            if isinstance(file, NotGiven):
                continue
            for name, found in file.variables.items():
                reference = reference_of(name, service=self._service, environment=environment)
                if under and not (reference and reference.path.startswith(under)):
                    continue
                yield Listed(
                    reference=reference,
                    described=_described(file, found, service=self._service, at=environment),
                )

    def _file(self, environment: Environment) -> _File | NotGiven:
        path = self.path(environment)
        try:
            # A pipe or device is no file of settings, and would hold us up for ever.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return Absent(why=f"there is no {path}")
        except PermissionError:
            return Denied(
                why=f"{path} cannot be read by this user",
                remedy=f"as its owner: `chmod 600 {path}`",
            )
        except OSError as error:
            return Unreachable(why=f"{path}: {error.strerror}")
        try:
            status = os.fstat(descriptor)
            refused = _refused(path, status.st_mode)
            if refused is not None:
                return refused
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(_LARGEST + 1)
        except OSError as error:
            return Unreachable(why=f"{path}: {error.strerror}")
        finally:
            os.close(descriptor)
        if len(data) > _LARGEST:
            raise SecretsConfigError(
                f"{path} is larger than {_LARGEST >> 20} MiB", remedy="keep only variables in it"
            )
        return _File(
            path=path,
            version=f"file-{status.st_mtime_ns}",
            changed_at=datetime.fromtimestamp(status.st_mtime, UTC),
            variables=_parse(data, path),
        )


def _refused(path: Path, mode: int) -> Denied | None:
    """Why what lies there is not read."""
    if not stat.S_ISREG(mode):
        kind = "is a directory" if stat.S_ISDIR(mode) else "is no regular file"
        return Denied(
            why=f"{path} {kind}",
            remedy=f"move it away, and write lines of NAME=value into a file {path}",
        )
    if mode & _OTHERS_WRITE:
        return Denied(
            why=f"{path} may be changed by others than its owner",
            remedy=f"see what is in it, then `chmod 600 {path}`",
        )
    return None


def _parse(data: bytes, path: Path) -> dict[str, _Variable]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SecretsConfigError(
            f"{path}:{line}: it is not UTF-8", remedy="save the file as UTF-8"
        ) from None
    found: dict[str, _Variable] = {}
    tags: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        said = binding.original.string
        line = binding.original.line + said[: len(said) - len(said.lstrip())].count("\n")
        if binding.error:
            raise SecretsConfigError(
                f"{path}:{line}: this is no NAME=value",
                remedy="close the quotes, or begin a comment with #",
            )
        if binding.key is None:
            note(said, line, path, tags)
        elif binding.value is not None:
            value = SecretValue(binding.value.encode())
            found[binding.key] = _Variable(value=value, line=line, tags=dict(tags))
    return found


def note(text: str, line: int, path: Path, tags: dict[str, str]) -> None:
    """What a comment says about the variables below it."""
    said = text.strip().removeprefix("#").strip()
    if not said.startswith(_MARK):
        return
    try:
        words = shlex.split(said.removeprefix(_MARK))
    except ValueError:
        words = [""]
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in KEYS:
            raise SecretsConfigError(
                f"{path}:{line}: a stanch comment says KEY=VALUE, with keys {', '.join(KEYS)}",
                remedy="write for example: # stanch: owner=payments-team rotation-period=90d",
            )
        tags[key] = value


def _read(file: _File, reference: Reference) -> Read:
    name = variable(reference)
    found = file.variables.get(name)
    if reference.version not in {"", file.version}:
        return Absent(why=f"{NAME} keeps no version {reference.version}")
    if found is None:
        return Absent(why=f"{name} is not in {file.path}")
    if not len(found.value):
        return Absent(why=f"{name} is empty in {file.path}:{found.line}")
    return Present(value=found.value, version=file.version, created_at=file.changed_at)


def _described(file: _File, found: _Variable, *, service: str, at: Environment) -> Described:
    return Described(
        place=f"{file.path}:{found.line}",
        tags={"service": service, "environment": str(at), **found.tags},
        versions={file.version: frozenset({Stage.CURRENT})},
        changed_at=file.changed_at,
    )
