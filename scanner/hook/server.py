"""What a server accepts: the baselines that the pushed commits carry, or none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from scanner.hook.pushed import Update
from scanner.sources.repository import Repository, start
from scanner.suppression import BASELINE_NAME
from scanner.suppression.baseline import Baseline
from scanner.suppression.judge import Suppressor


def accepted_by(
    repository: Repository, updates: Iterable[Update], *, waiver_key: str | None, today: date
) -> Suppressor:
    """Judges by every baseline at the root of a pushed commit's tree.

    Whoever pushes can write into it: with a ``waiver_key`` only what its owner signed counts.
    """
    baselines = [
        Baseline.parse(data, name=f"{BASELINE_NAME} of {update.ref}")
        for update in updates
        if (data := _blob(repository, update.new)) is not None
    ]
    joined: Baseline | None = None
    for each in baselines:
        recipes = tuple(dict.fromkeys((*(joined.recipes if joined else ()), *each.recipes)))
        before = joined.lines if joined else ()
        joined = Baseline(recipes=recipes).adding((*before, *each.lines))
    key = None
    if waiver_key:
        from scanner.suppression.signature import WaiverKey  # noqa: PLC0415  # loads cryptography

        key = WaiverKey(waiver_key)
    return Suppressor(joined, today=today, waiver_key=key)


def _blob(repository: Repository, commit: str) -> bytes | None:
    """The baseline's bytes in a commit, None when it has none."""
    feed = f"{commit}:{BASELINE_NAME}\n".encode()
    with start(repository, "cat-file", "--batch", feed=feed) as git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        header = git.stdout.readline().split()
        content = git.stdout.read()
    return content[:-1] if len(header) == 3 and header[1] == b"blob" else None  # noqa: PLR2004  # "<oid> <type> <size>"
