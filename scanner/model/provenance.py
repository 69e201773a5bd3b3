"""Where a secret was seen: one variant for each kind of source, so no mixture exists.

Every variant has ``path``, ``source`` (the kind, as reports name it), ``link`` (the place's page,
where it is known), ``details`` (for programs) and ``words`` (the same for people, in one line).
``origin`` names what never changes and is the same wherever it is met, but for a commit: of an
image the layer, of a log the run; "" where there is no such thing. ``copies`` are what ``stanch
scan`` takes to read that copy again at whoever keeps it, and what can be taken away there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from stanch.scanner.model.record import Record

Detail = str | bool | None

_NONE: Mapping[str, Detail] = MappingProxyType({})
_NOWHERE: tuple[str, ...] = ()
_SHORT = 10  # characters of a commit that a person reads
_DIGEST = 12  # characters of a layer's digest that a person reads


class InWorktree(Record):
    """A file on disk. ``path`` is relative to the scanned root, with forward slashes."""

    path: str
    source = "worktree"
    origin = ""
    copies = _NOWHERE
    link = None
    details = _NONE
    words = ""


class InIndex(Record):
    """A staged change: the file as it would be committed."""

    path: str
    source = "staged"
    origin = ""
    copies = _NOWHERE
    link = None
    details = _NONE
    words = "staged"


class InStream(Record):
    """Text that arrived on standard input or another stream; ``path`` is its display name."""

    path: str
    source = "stream"
    origin = ""
    copies = _NOWHERE
    link = None
    details = _NONE
    words = "stream"


class InCommit(Record):
    """A blob in git history, with the commit that introduced it. ``committed_at`` is UTC.

    ``in_head`` says whether the value is still in HEAD at this path (None: not known), ``link`` is
    the page of its line where the repository's host is known. Of a ``message`` of a commit or an
    annotated tag ``path`` says what it is.
    """

    path: str
    commit: str
    author: str
    committed_at: datetime
    in_head: bool | None = None
    link: str | None = None
    message: bool = False
    details = _NONE  # reports have keys of their own for a commit
    origin = ""
    copies = _NOWHERE

    @property
    def source(self) -> str:
        """The kind of source, as reports name it."""
        return "git-message" if self.message else "git-history"

    @property
    def words(self) -> str:
        """Since when, and whether it is still there."""
        gone = "" if self.in_head is not False else ", gone from HEAD"
        return f"since {self.commit[:_SHORT]} {self.committed_at:%Y-%m-%d}{gone}"


class InTree(Record):
    """A file as a commit has it, where nobody looked since when. ``link`` as for a commit."""

    path: str
    commit: str
    link: str | None = None
    source = "git-tree"
    origin = ""
    copies = _NOWHERE

    @property
    def details(self) -> Mapping[str, Detail]:
        """The commit."""
        return {"tree": self.commit}

    @property
    def words(self) -> str:
        """Which commit's."""
        return f"in {self.commit[:_SHORT]}"


class InImage(Record):
    """A file in a layer of a container image, or what stands beside the layers.

    ``path`` is the file's in the layer, ``image`` the reference as it was asked for, ``manifest``
    the digest of the manifest. Of what is in no layer (configuration, annotations, an attestation)
    ``layer`` is None and ``path`` says what it is. ``instruction`` is the one that made the layer,
    None when the history does not tell. ``later`` says what a later layer does to the file:
    ``deleted``, ``overwritten``, or "" when it is still there; it can be had all the same.
    """

    path: str
    image: str
    manifest: str
    platform: str
    layer: str | None = None
    instruction: str | None = None
    base: bool = False
    later: str = ""
    copies: tuple[str, ...] = ()  # in a registry: every manifest of the image that has it
    link = None
    source = "image"

    @property
    def origin(self) -> str:
        """The layer, or the manifest of what is in none."""
        return self.layer or self.manifest

    @property
    def details(self) -> Mapping[str, Detail]:
        """All of it but the path."""
        return {
            "image": self.image,
            "manifest": self.manifest,
            "platform": self.platform,
            "layer": self.layer,
            "instruction": self.instruction,
            "base": self.base,
            "later": self.later or None,
        }

    @property
    def words(self) -> str:
        """The layer, what made it, and whether the file can still be seen."""
        if self.layer is None:
            return ", ".join(filter(None, [f"{self.platform}, in no layer", self.instruction]))
        said = [f"layer {self.layer.rpartition(':')[2][:_DIGEST]} of {self.platform}"]
        if self.base:
            said.append("from the base image")
        if self.later:
            said.append(f"{self.later} by a later layer, and recoverable")
        if self.instruction:
            said.append(self.instruction)
        return ", ".join(said)


class InLog(Record):
    """A line of a log: of a CI job, or of another stream that a provider keeps.

    ``path`` is the log's name below its run; ``run``, ``job`` and ``step`` are what the provider
    calls them, "" where there is none; ``attempt`` counts from 1.
    """

    path: str
    provider: str
    run: str = ""
    attempt: int = 1
    job: str = ""
    step: str = ""
    link: str | None = None
    copies: tuple[str, ...] = ()  # what a provider deletes as a whole: a run's logs, a stream
    source = "log"

    @property
    def origin(self) -> str:
        """The run and its job; a stream has none."""
        return "/".join((self.provider, self.run, str(self.attempt), self.job)) if self.run else ""

    @property
    def details(self) -> Mapping[str, Detail]:
        """All of it but the path."""
        return {
            "provider": self.provider,
            "run": self.run or None,
            "attempt": str(self.attempt),
            "job": self.job or None,
            "step": self.step or None,
        }

    @property
    def words(self) -> str:
        """The provider, and what ran."""
        ran = [f"run {self.run}" if self.run else "", self.job, self.step]
        return ", ".join(filter(None, [f"{self.provider} log", *ran]))


class InAgent(Record):
    """A file that an AI assistant keeps on this machine: what was said, or its configuration."""

    path: str
    assistant: str
    keeps: str
    link = None
    source = "agent"
    origin = ""
    copies = _NOWHERE

    @property
    def details(self) -> Mapping[str, Detail]:
        """Whose it is, and what."""
        return {"assistant": self.assistant, "keeps": self.keeps}

    @property
    def words(self) -> str:
        """The same, in one line."""
        return f"{self.keeps} of {self.assistant}"


Provenance = InWorktree | InIndex | InCommit | InTree | InStream | InImage | InLog | InAgent
