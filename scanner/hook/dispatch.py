"""What each hook holds against the gate, and what it says."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from stanch.scanner.detectors.ruleset.ruleset import configured_texts, with_texts
from stanch.scanner.hook.arguments import Options
from stanch.scanner.hook.build import Choice, accepted, gate, trusted_key
from stanch.scanner.hook.check import ChangeCheck, ChangeResult
from stanch.scanner.hook.exclusions import exclusion
from stanch.scanner.local.stream import say
from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.scan.trust import Standing, Trust, of_commit, standing
from stanch.scanner.sources.files.worktree import Worktree

if TYPE_CHECKING:
    from stanch.scanner.hook.change.push_range import Update
    from stanch.scanner.sources.git.repository import Repository

_WHAT = {
    "run": "check",
    "pre-commit": "commit",
    "pre-merge-commit": "merge",
    "pre-push": "push",
    "commit-msg": "commit",
    "pre-receive": "push",
}
_TRUST = {"pre-receive": Trust.BASE}  # whoever pushes has written all the rest
_SCISSORS = b"# ------------------------ >8 ------------------------"


def decide(options: Options, environ: Mapping[str, str], place: Path) -> int:
    """Check what the command names, say what was found, return the exit code."""
    for name in options.unknown_plugins:
        sys.stderr.write(f"stanch: --disable-plugin {name}: no rule stands for it, ignored\n")
    excluded = exclusion(
        files=options.exclude_files,
        lines=options.exclude_lines,
        secrets=options.exclude_secrets,
        plugins=options.disabled,
    )
    choice = Choice(
        min_confidence=options.min_confidence,
        baseline=options.baseline,
        fingerprint_key=options.fingerprint_key,
        waiver_key=options.waiver_key,
        exclusion=excluded,
        plugins=options.plugins,
        trust=options.trust or _TRUST.get(options.command, Trust.TREE),
    )
    verdict = _verdict(Situation(options=options, environ=environ, place=place, choice=choice))
    if options.json and verdict.findings:
        from stanch.scanner.reports import jsonl  # noqa: PLC0415  # a clean commit prints nothing

        sys.stdout.writelines(jsonl.line(finding) + "\n" for finding in verdict.findings)
    if verdict.exit_code or verdict.waived:
        from stanch.scanner.hook.message import blocked  # noqa: PLC0415  # as above

        for line in blocked(verdict, what=_WHAT[options.command]):
            say(line)
    return verdict.exit_code


class Situation(Record):
    """What was asked, and where."""

    options: Options
    environ: Mapping[str, str]
    place: Path
    choice: Choice

    @property
    def today(self) -> date:
        """By which waivers expire: a day on the reader's calendar."""
        return date.today()  # noqa: DTZ011

    def gate(self) -> ChangeCheck:
        """The gate with what counts here."""
        found = standing(self.choice.trust, self.place)
        suppressor = accepted(
            self.choice, self.environ, self.place, today=self.today, standing=found
        )
        return gate(self.choice, self.environ, suppressor=suppressor, standing=found)


def _verdict(at: Situation) -> ChangeResult:
    match at.options.command:
        case "run" if at.options.names and not at.options.staged:
            return at.gate().check(
                Worktree(root=at.place.resolve(), only=_below(at.options.names, at.place))
            )
        case "run" | "pre-commit" | "pre-merge-commit":
            return _staged(at)
        case "pre-push":
            return _pushed(at)
        case "commit-msg":
            return _message(at)
        case _:
            return _received(at)


def _staged(at: Situation) -> ChangeResult:
    from stanch.scanner.hook.change.commit_changes import replaced  # noqa: PLC0415  # plain files need no git
    from stanch.scanner.hook.change.hook_repository import checkout  # noqa: PLC0415  # as above
    from stanch.scanner.sources.git.blobs import Blobs  # noqa: PLC0415  # as above
    from stanch.scanner.sources.git.index import Staged  # noqa: PLC0415  # as above

    with checkout(at.place, at.environ) as repository:
        return at.gate().check(
            Staged(repository=repository),
            before=lambda: Blobs(repository=repository, blobs=replaced(repository)),
        )


def _pushed(at: Situation) -> ChangeResult:
    from stanch.scanner.hook.change.hook_repository import checkout  # noqa: PLC0415  # a commit needs none of it
    from stanch.scanner.hook.change.push_range import Update, pushed  # noqa: PLC0415  # as above

    remote = at.options.names[0] if at.options.names else ""
    framework = at.environ.get("PRE_COMMIT") == "1"  # it has eaten the input
    branch = at.environ.get("PRE_COMMIT_LOCAL_BRANCH")  # alone, where all of it is new
    if tip := at.environ.get("PRE_COMMIT_TO_REF") or (branch if framework else None):
        ref = at.environ.get("PRE_COMMIT_REMOTE_BRANCH", "the pushed branch")
        remote = at.environ.get("PRE_COMMIT_REMOTE_NAME", remote)
        updates = [Update(ref=ref, new=tip, old=at.environ.get("PRE_COMMIT_FROM_REF"))]
    else:
        updates = pushed(_input())
    if framework and not updates:
        raise SourceError(
            "pre-commit does not say what is pushed, so nothing of it was read",
            remedy="let git call the hook: stanch hook install --type pre-push",
        )
    known = f"--remotes={_literal(remote)}" if remote else "--remotes"
    with checkout(at.place, at.environ) as repository:
        return _commits(repository, updates, known, at.gate())


def _received(at: Situation) -> ChangeResult:
    from stanch.scanner.hook.change.hook_repository import checkout  # noqa: PLC0415  # as above
    from stanch.scanner.hook.change.push_range import received  # noqa: PLC0415  # as above
    from stanch.scanner.hook.policy.pre_receive import accepted_by  # noqa: PLC0415  # as above
    from stanch.scanner.hook.policy.waiver_policy import SETTING, Waivers  # noqa: PLC0415  # as above
    from stanch.scanner.sources.git.query import commit_id  # noqa: PLC0415  # as above

    updates = received(_input())
    with checkout(at.place, at.environ) as repository:
        # The server's own configuration lies beside its repository, where no push can reach it.
        theirs = [] if repository.layout.top else configured_texts(at.place)
        found = of_commit(repository, commit_id(repository, "HEAD"), beside=theirs)
        if at.choice.trust is Trust.NONE:
            found = Standing(rules=with_texts(theirs))
        if at.choice.baseline is not None or at.choice.trust is Trust.NONE:
            suppressor = accepted(at.choice, at.environ, at.place, today=at.today, standing=found)
        else:
            suppressor = accepted_by(
                repository,
                updates,
                waivers=Waivers.HEAD if at.choice.trust is Trust.TREE else at.environ.get(SETTING),
                waiver_key=trusted_key(at.choice, at.environ),
                today=at.today,
            )
        door = gate(at.choice, at.environ, suppressor=suppressor, standing=found)
        return _commits(repository, updates, "--all", door)


def _commits(
    repository: Repository, updates: list[Update], known: str, door: ChangeCheck
) -> ChangeResult:
    from stanch.scanner.hook.change.commit_changes import committed, earlier  # noqa: PLC0415  # as above
    from stanch.scanner.hook.change.push_range import brought  # noqa: PLC0415  # as above
    from stanch.scanner.sources.git.blobs import Blobs  # noqa: PLC0415  # as above
    from stanch.scanner.sources.git.message import messages_of  # noqa: PLC0415  # as above

    commits = brought(repository, updates, known=known)
    changes = committed(repository, commits)
    contents = door.check(
        Blobs(repository=repository, blobs=changes.new, places=changes.places),
        before=lambda: Blobs(repository=repository, blobs=earlier(changes)),
    )
    return contents + door.check(messages_of(repository, commits))


def _message(at: Situation) -> ChangeResult:
    from stanch.scanner.sources.stream import Stream  # noqa: PLC0415  # only a message is a stream

    names = at.options.names
    if len(names) != 1:
        raise UsageError("commit-msg needs the file with the message", remedy="let git run it")
    try:
        text = (at.place / names[0]).read_bytes()
    except OSError as error:
        raise SourceError(
            f"the message {names[0]} cannot be read: {error.strerror}", remedy="let git run it"
        ) from error
    # What git strips (git-commit(1), --cleanup) is not committed; blanks keep the line numbers.
    lines = text.partition(_SCISSORS)[0].splitlines(keepends=True)
    kept = b"".join(b"\n" if line.startswith(b"#") else line for line in lines)
    return at.gate().check(Stream(stream=io.BytesIO(kept), name="commit message"))


def _below(names: tuple[str, ...], place: Path) -> tuple[str, ...]:
    """The names as paths below the current directory."""
    found = []
    for name in names:
        path = os.path.relpath(os.path.join(place, name), place)  # noqa: PTH118  # with `..`
        if path.startswith("..") or (place / path).is_dir():
            raise UsageError(
                f"`{name}` is no file below the current directory",
                remedy="name files; `stanch scan` reads directories",
            )
        found.append(path)
    return tuple(found)


def _literal(remote: str) -> str:
    """A remote's name for a pattern of git; a URL instead of a name leads to none."""
    return "".join(f"[{each}]" if each in "*?[" else each for each in remote)


def _input() -> list[str]:
    return sys.stdin.read().splitlines()
