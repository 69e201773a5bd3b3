"""What doctor says of what is watched."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from stanch.responder.checkup.watch import watches
from stanch.responder.domain.check import State
from tests.responder.watch.conftest import Post, Watches


def said(post: Post) -> dict[State, list[str]]:
    found: dict[State, list[str]] = {State.GOOD: [], State.WRONG: []}
    for check in watches(post.house.settings):
        found[check.state].append(check.what)
        assert check.state is State.GOOD or check.remedy
    return found


def test_nothing_is_said_where_nothing_is_watched(watching: Watches) -> None:
    assert said(watching("")) == {State.GOOD: [], State.WRONG: []}


def test_who_would_not_be_believed_and_what_nobody_looks_at(
    watching: Watches, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    log.write_text("hello\n")
    post = watching(
        *("[watch.app]", 'kind = "file"', f'of = "{log}"'),
        *("[watch.acme]", 'kind = "github"', 'of = "127.0.0.1:9/acme"', 'secret = "env:NOT_SET"'),
    )
    first = said(post)[State.WRONG]
    assert first == [
        "acme: watch.acme.secret is empty (env:NOT_SET)",
        "app: nobody has looked yet",
        "acme: nobody has looked yet",
    ]
    post.look()
    found = said(post)
    assert found[State.GOOD] == ["app: 1 read"]
    assert found[State.WRONG][1:] == ["acme: 1 of 1 not read"]
    with post.house.store.transaction() as tx:
        (app,) = [each for each in tx.sources.list() if each.watch == "app"]
        tx.sources.save(app.noticed(tx.now() - timedelta(hours=1)))
    assert "app: nobody has looked for 60 min" in said(post)[State.WRONG]
