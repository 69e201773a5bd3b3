"""Whether what a history held is still there: in HEAD, at the path where it was found."""

from __future__ import annotations

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.model.finding import Finding
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.model.record import replace
from stanch.scanner.sources.git.blob_reader import Blob, BlobReader
from stanch.scanner.sources.git.commit_metadata import placed
from stanch.scanner.sources.git.repository import Repository, records, start
from stanch.scanner.sources.git.web_link import link, web_address


class Head:
    """The contents of HEAD, each read once and only where something was found."""

    def __init__(self, repository: Repository, engine: Engine, below: str) -> None:
        self._repository = repository
        self._engine = engine
        self._below = below
        self._web = web_address(repository.layout)
        self._blobs: dict[str, str] = {}
        self._known: bool | None = None  # whether the listing of HEAD is whole
        self._fingerprints: dict[str, frozenset[str] | None] = {}

    def marked(self, finding: Finding) -> Finding:
        """The finding with ``in_head`` and the ``link`` to its line."""
        place = finding.provenance
        if not isinstance(place, InCommit) or place.message:
            return finding
        held = self._held(place.path)
        return replace(
            finding,
            provenance=replace(
                place,
                in_head=None if held is None else finding.fingerprint in held,
                link=link(self._web, place.commit, self._below + place.path, finding.span.line),
            ),
        )

    def _held(self, path: str) -> frozenset[str] | None:
        """The fingerprints in HEAD's content at a path; None when it cannot be read."""
        if path not in self._fingerprints:
            self._fingerprints[path] = self._read(path.partition("!")[0])
        return self._fingerprints[path]

    def _read(self, path: str) -> frozenset[str] | None:
        if self._known is None:
            self._known = self._list()
        if not self._known:
            return None
        oid = self._blobs.get(self._below + path)
        if oid is None:
            return frozenset()
        reader = BlobReader(repository=self._repository, place=placed)
        found: set[str] = set()
        try:
            for piece in reader.read((Blob(oid, path),)):
                if isinstance(piece, Fragment):
                    found |= {each.finding.fingerprint for each in self._engine.scan(piece)}
                elif piece.incomplete:
                    return None
        finally:
            reader.close()
        return frozenset(found)

    def _list(self) -> bool:
        """Take note of the object ids by path; false without a commit, or with a broken one."""
        with start(self._repository, "ls-tree", "-r", "-z", "--full-tree", "HEAD") as git:
            rows = [row.partition(b"\t") for row in records(git)]
        self._blobs = {
            path.decode("utf-8", "replace"): facts.split()[2].decode() for facts, _, path in rows
        }
        return not git.failed
