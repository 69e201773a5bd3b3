"""Opens the repository that a hook or a job runs in, as git set it up for this very moment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import replace
from stanch.scanner.sources.git.bounds import CHANGE
from stanch.scanner.sources.git.discovery import enclosing
from stanch.scanner.sources.git.repository import Repository, opened

_INDEX = "GIT_INDEX_FILE"
_OBJECTS = "GIT_OBJECT_DIRECTORY"
_ALTERNATES = "GIT_ALTERNATE_OBJECT_DIRECTORIES"


@contextmanager
def checkout(place: Path, environ: Mapping[str, str]) -> Iterator[Repository]:
    """The repository around ``place``, with the index and the object store that git names.

    ``git commit -a`` and ``git commit FILE`` prepare another index than ``.git/index``, and a push
    that is not accepted yet lies in a quarantine (git-receive-pack(1)): git says so in variables,
    with paths that may be relative to the current directory.
    """
    layout = enclosing(place.resolve())
    if layout is None:
        raise UsageError(
            "this is not a git repository", remedy="run it in a repository, or see `stanch scan`"
        )
    with opened(layout, wary=False, bounds=CHANGE) as repository:
        yield replace(repository, environment=repository.environment | _given(environ, place))


def _given(environ: Mapping[str, str], place: Path) -> dict[str, str]:
    given = {}
    for name in (_INDEX, _OBJECTS):
        if path := environ.get(name):
            given[name] = str(place / path)
    if paths := environ.get(_ALTERNATES):
        given[_ALTERNATES] = os.pathsep.join(str(place / p) for p in paths.split(os.pathsep))
    return given
