"""Lists and reads what AI assistants keep: read only, and nothing that is not theirs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InAgent
from stanch.scanner.model.record import Record
from stanch.scanner.sources.agents.assistant import (
    ASSISTANTS,
    CONFIGURATION,
    TRANSCRIPT,
    Assistant,
)
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.files.content import content
from stanch.scanner.sources.source import batched

_BATCH = 4  # files: transcripts are large


class Kept(NamedTuple):
    """A file of an assistant, and how it is shown."""

    full: str
    path: str
    assistant: str
    keeps: str


class Agents(Record):
    """What the assistants keep below ``home``, and in the ``project`` that somebody works in."""

    home: Path
    project: Path | None
    environ: Mapping[str, str]

    def batches(self) -> Iterator[tuple[Kept, ...] | Gap]:
        """Every file, each once; what cannot be listed is a gap."""
        return batched(self._files(), _BATCH)

    def read(self, batch: tuple[Kept, ...]) -> Iterator[Fragment | Gap]:
        """The files' content."""
        for each in batch:
            place = InAgent(path=each.path, assistant=each.assistant, keeps=each.keeps)
            yield from content(each.full, place)

    def close(self) -> None:
        """Nothing stays open between batches."""

    def label(self, item: Kept) -> str:
        """The path as shown."""
        return item.path

    def here(self) -> dict[str, dict[str, int]]:
        """How many files of each kind each assistant has; none for those that are not here."""
        counted: dict[str, dict[str, int]] = {each.name: {} for each in ASSISTANTS}
        for each in self._files():
            if isinstance(each, Kept):
                kinds = counted[each.assistant]
                kinds[each.keeps] = kinds.get(each.keeps, 0) + 1
        return counted

    def _files(self) -> Iterator[Kept | Gap]:
        seen: set[str] = set()
        for assistant in ASSISTANTS:
            for keeps, root, shown, pattern in self._places(assistant):
                for each in _found(root, pattern, assistant.logins):
                    if isinstance(each, Gap):
                        yield each
                        continue
                    full = os.path.realpath(each)
                    if full not in seen:
                        seen.add(full)
                        path = shown + display(os.path.relpath(each, root))
                        yield Kept(full, path, assistant.name, keeps)

    def _places(self, assistant: Assistant) -> Iterator[tuple[str, str, str, str]]:
        """Kind, root, how the root is shown, and pattern."""
        elsewhere = self.environ.get(assistant.moved, "") if assistant.moved else ""
        for keeps, patterns in (
            (TRANSCRIPT, assistant.transcripts),
            (CONFIGURATION, assistant.configurations),
        ):
            for pattern in patterns:
                yield keeps, str(self.home), "~/", pattern
                inside = pattern.removeprefix(f"{assistant.folder}/")
                if elsewhere and inside != pattern:
                    yield keeps, elsewhere, f"{display(elsewhere.rstrip('/'))}/", inside
        if self.project is not None:
            for pattern in assistant.project:
                keeps = TRANSCRIPT if "history" in pattern else CONFIGURATION
                yield keeps, str(self.project), "", pattern


def _found(root: str, pattern: str, logins: tuple[str, ...]) -> Iterator[str | Gap]:
    """The regular files that a pattern names, or that are below the folders it names."""
    for path in sorted(glob.glob(pattern, root_dir=root, include_hidden=True)):  # noqa: PTH207  # as below
        full = os.path.join(root, path)  # noqa: PTH118  # as strings, there may be many
        if os.path.isdir(full):  # noqa: PTH112  # as above
            yield from _below(full, logins)
        elif os.path.isfile(full) and os.path.basename(full) not in logins:  # noqa: PTH113, PTH119
            yield full


def _below(folder: str, logins: Iterable[str]) -> Iterator[str | Gap]:
    failed: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=failed.append):
        folders.sort()
        for name in sorted(names):
            full = os.path.join(root, name)  # noqa: PTH118  # as above
            if name not in logins and os.path.isfile(full) and not os.path.islink(full):  # noqa: PTH113, PTH114
                yield full
    for error in failed:
        yield Gap(
            path=display(str(error.filename)), why=error.strerror or "unreadable", incomplete=True
        )
