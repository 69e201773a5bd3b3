"""What a server accepts: what its own default branch has accepted, and what is signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from stanch.scanner.hook.change.push_range import Update
from stanch.scanner.hook.policy.waiver_policy import ChangeWaivers, WaiverPolicy, Waivers, joined
from stanch.scanner.sources.git.query import commit_id, content, lines
from stanch.scanner.sources.git.repository import Repository
from stanch.scanner.suppression import BASELINE_NAME
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.suppressor import Suppressor

_LARGEST = 64 << 20  # bytes of a baseline


def accepted_by(
    repository: Repository,
    updates: Sequence[Update],
    *,
    waivers: str | None,
    waiver_key: str | None,
    today: date,
) -> Suppressor:
    """Judges by the baseline of the server's default branch, as it was before the push.

    Whoever pushes can write into a baseline of his own, so that one counts only where it is
    signed, where ``waivers`` says so, or when the repository is still empty.
    """
    brought = joined(_baseline(repository, update) for update in updates)
    empty = lines(repository, "for-each-ref", "--count=1") == []
    policy = WaiverPolicy(
        repository=repository,
        target=commit_id(repository, "HEAD"),
        asked=Waivers.HEAD.value if empty else waivers,
        waiver_key=waiver_key,
        today=today,
    )
    return policy.suppressor(ChangeWaivers(brought=brought))


def _baseline(repository: Repository, update: Update) -> Baseline | None:
    data = content(repository, update.new, BASELINE_NAME, most=_LARGEST)
    name = f"{BASELINE_NAME} of {update.ref}"
    return None if data is None else Baseline.parse(data, name=name)
