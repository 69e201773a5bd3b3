"""What people wrote about commits: commit messages and annotated tags.

Notes need nothing of their own: they are files in commits of a ref.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.git.commit_metadata import instant
from stanch.scanner.sources.git.repository import Repository, records, start, why
from stanch.scanner.sources.source import batched

_LOG = (
    "log",
    "--stdin",
    "--no-walk=unsorted",
    "--no-show-signature",
    "--encoding=UTF-8",
    "--format=%H%x00%an <%ae>%x00%ct%x00%B%x00",
)
_FIELDS_OF_A_TAG = "".join(
    f"%({name})%00"
    for name in (
        "objecttype", "*objectname", "taggername", "taggeremail", "taggerdate:unix", "refname",
        "contents",
    )
)  # fmt: skip
_TAGS = (
    "for-each-ref",
    f"--format={_FIELDS_OF_A_TAG}",
    "refs/tags",
)
_FIELDS = 4
_TAG_FIELDS = 7
_PLACE = "commit messages"


class Message(NamedTuple):
    """A text and where it stands."""

    place: InCommit
    text: bytes


class GitMessages:
    """The messages of commits, and every annotated tag unless only the commits are asked for."""

    def __init__(
        self, *, repository: Repository, commits: Sequence[bytes], tags: bool = True
    ) -> None:
        self.repository, self.commits, self.tags = repository, commits, tags

    def batches(self) -> Iterator[tuple[Message, ...] | Gap]:
        """The messages in the order of the commits, then the tags by name."""
        yield from batched(self._commits(), 512)
        if self.tags:
            yield from batched(self._tags())

    def read(self, batch: tuple[Message, ...]) -> Iterator[Fragment | Gap]:
        """They are here already."""
        for message in batch:
            yield Fragment(data=message.text, provenance=message.place)

    def close(self) -> None:
        """Nothing is open."""

    def label(self, item: Message) -> str:
        """The place and the commit."""
        return f"{item.place.path} @ {item.place.commit[:12]}"

    def _commits(self) -> Iterator[Message | Gap]:
        if not self.commits:
            return
        feed = b"\n".join((*self.commits, b""))
        with start(self.repository, *_LOG, feed=feed) as git:
            found = records(git)
            for fields in zip(*[found] * _FIELDS, strict=False):
                oid, author, seconds, text = fields
                yield _message("commit message", oid.strip(), author, seconds, text)
        if git.failed:
            yield Gap(path=_PLACE, why=why(self.repository, git, "log"), incomplete=True)

    def _tags(self) -> Iterator[Message | Gap]:
        with start(self.repository, *_TAGS, name="for-each-tag") as git:
            found = records(git)
            for fields in zip(*[found] * _TAG_FIELDS, strict=False):
                kind, oid, tagger, email, seconds, ref, text = fields
                if kind.strip() == b"tag":
                    name = display(ref.removeprefix(b"refs/tags/"))
                    yield _message(
                        f"message of tag {name}", oid, b" ".join((tagger, email)), seconds, text
                    )
        if git.failed:
            yield Gap(path="tags", why=why(self.repository, git, "for-each-tag"), incomplete=True)


def _message(path: str, oid: bytes, author: bytes, seconds: bytes, text: bytes) -> Message:
    place = InCommit(
        path=path,
        commit=oid.decode(),
        author=author.decode("utf-8", "replace").strip(),
        committed_at=instant(seconds),
        message=True,
    )
    return Message(place, text)


def messages_of(repository: Repository, commits: Sequence[str]) -> GitMessages:
    """The messages of these commits alone."""
    return GitMessages(
        repository=repository, commits=[each.encode() for each in commits], tags=False
    )
