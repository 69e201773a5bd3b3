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
from dataclasses import dataclass, field, replace
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
    lines: tuple[int, ...]  # the last counts, as for shells and frameworks
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path: Path
    version: str  # another after each change: of which variable, nobody knows
    changed_at: datetime
    variables: Mapping[str, _Variable]
    bare: tuple[int, ...]  # lines without "=": their text may be a value, and is never shown


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
        return _read(self._file(reference.environment), reference)

    def read_many(self, references: Sequence[Reference]) -> Mapping[Reference, Read]:
        """Each file is read once."""
        files = {each: self._file(each) for each in {ref.environment for ref in references}}
        answers: dict[Reference, Read] = {}
        for each in references:
            answers[each] = _read(files[each.environment], each)
        return answers

    def describe(self, reference: Reference) -> Look:
        """Where it stands, and what the comments above it say."""
        file = self._file(reference.environment)
        if isinstance(file, NotGiven):
            return _with_line(file, reference)
        found = _found(file, reference)
        if isinstance(found, Absent):
            return found
        return _described(file, found, service=reference.service, at=reference.environment)

    def entries(self, *, under: str = "") -> Iterator[Listed | Denied | Unreachable]:
        """The variables of every file that is there, for the service that works here."""
        for environment in Environment:
            file = self._file(environment)
            if isinstance(file, Denied | Unreachable):
                yield file
            if isinstance(file, NotGiven):
                continue
            for line in () if under else file.bare:
                yield Listed(reference=None, described=_bare(file, line, at=environment))
            for name, found in file.variables.items():
                reference = reference_of(name, service=self._service, environment=environment)
                if under and not (reference and reference.path.startswith(under)):
                    continue
                described = _described(file, found, service=self._service, at=environment)
                if reference is None:
                    described = replace(described, note=self._unnamed(name, file, environment))
                yield Listed(reference=reference, described=described)

    def _unnamed(self, name: str, file: _File, environment: Environment) -> str:
        """Why a variable has no reference, and what gives it one."""
        if not self._service:
            return (
                "whose it is is not known: write service to [secrets] of stanch.toml, "
                "then `stanch secrets list`"
            )
        wanted = f"secret://{self._service}/{environment}/TOOL/NAME"
        return (
            f"{name} is no TOOL_NAME: where it is a secret, "
            f"`stanch secrets migrate {file.path} --map {name}={wanted}`"
        )

    def _file(self, environment: Environment) -> _File | NotGiven:
        path = self.path(environment)
        try:
            # A pipe or device is no file of settings, and would hold us up for ever.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return Absent(why=f"there is no {path}", remedy=f"write into a new file {path}:")
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
        variables, bare = _parse(data, path)
        return _File(
            path=path,
            version=f"file-{status.st_mtime_ns}",
            changed_at=datetime.fromtimestamp(status.st_mtime, UTC),
            variables=variables,
            bare=bare,
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


def _parse(data: bytes, path: Path) -> tuple[dict[str, _Variable], tuple[int, ...]]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SecretsConfigError(
            f"{path}:{line}: it is not UTF-8", remedy="save the file as UTF-8"
        ) from None
    found: dict[str, _Variable] = {}
    bare: list[int] = []
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
            before = found.pop(binding.key).lines if binding.key in found else ()
            found[binding.key] = _Variable(value=value, lines=(*before, line), tags=dict(tags))
        else:
            bare.append(line)
    return found, tuple(bare)


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


def _read(file: _File | NotGiven, reference: Reference) -> Read:
    if isinstance(file, NotGiven):
        return _with_line(file, reference)
    found = _found(file, reference)
    if isinstance(found, Absent):
        return found
    name = variable(reference)
    if reference.version not in {"", file.version}:
        return Absent(why=f"{NAME} keeps no version {reference.version}")
    if not len(found.value):
        return Absent(
            why=f"{name} is empty in {file.path}:{found.lines[-1]}",
            remedy="write its value behind the = there",
        )
    return Present(value=found.value, version=file.version, created_at=file.changed_at)


def _with_line(answer: NotGiven, reference: Reference) -> NotGiven:
    if isinstance(answer, Absent):
        return replace(answer, remedy=f"{answer.remedy} {variable(reference)}=VALUE")
    return answer


def _found(file: _File, reference: Reference) -> _Variable | Absent:
    name = variable(reference)
    found = file.variables.get(name)
    if found is not None:
        return found
    bare = f"; nothing is read from {_lines(file.bare)}, without =" if file.bare else ""
    return Absent(
        why=f"{name} is not in {file.path}{bare}",
        remedy=f"add the line {name}=VALUE to {file.path}",
    )


def _lines(numbers: tuple[int, ...]) -> str:
    said = " and ".join(map(str, numbers))
    return f"line {said}" if len(numbers) == 1 else f"lines {said}"


def _bare(file: _File, line: int, *, at: Environment) -> Described:
    return Described(
        place=f"{file.path}:{line}",
        tags={"environment": str(at)},
        changed_at=file.changed_at,
        note="nothing is read from this line, which has no =: write NAME=value, or put # before it",
    )


def _described(file: _File, found: _Variable, *, service: str, at: Environment) -> Described:
    return Described(
        place=f"{file.path}:{found.lines[-1]}",
        tags={"service": service, "environment": str(at), **found.tags},
        versions={file.version: frozenset({Stage.CURRENT})},
        changed_at=file.changed_at,
        note=f"{_lines(found.lines)} of {file.path} give it: the last counts"
        if len(found.lines) > 1
        else "",
    )
