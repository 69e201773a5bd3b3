"""`stanch sources` and `stanch watch`: what a person sees and types."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stanch.responder.cli import sources as showing
from stanch.responder.cli import watch as running
from stanch.responder.config import load
from stanch.responder.domain.error import ConfigError, UsageError
from stanch.responder.domain.watched import Judged, Source, Suspicion, source_id
from stanch.responder.services.lookout import lookouts
from tests.responder.watch.conftest import Post, Watches
from tests.scanner.sources.remote.conftest import GitHost

Start = Callable[[], GitHost]
Token = Callable[[int], str]
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(showing.command, arguments, env={"COLUMNS": "80"})


@pytest.fixture
def post(git_host: Start, watching: Watches, token: Token) -> Post:
    host = git_host()
    host.repository("app")
    host.push("app", {"a.env": f"TOKEN={token(1)}\n"})
    return watching("[watch.app]", 'kind = "git"', f'of = "{host.url("app")}"')


def test_what_nobody_has_looked_at_is_not_called_read(post: Post) -> None:
    assert post.sources() == ()
    done = run()
    assert "not yet" in done.output
    assert done.exit_code == 3


def test_after_a_look_all_is_said_within_80_columns(post: Post) -> None:
    post.look()
    done = run()
    assert done.exit_code == 0, done.output
    assert "0 s ago" in done.output or "s ago" in done.output
    assert "█ 1" in done.output
    assert max(map(len, done.output.splitlines())) <= 80
    (row,) = json.loads(run("--format", "json").output)
    assert (row["watch"], row["sources"], row["failures"]) == ("app", 1, [])
    assert (row["waiting"], sum(row["found_by_day"])) == (0, 1)


def test_what_failed_names_its_remedy_and_exits_3(git_host: Start, watching: Watches) -> None:
    post = watching("[watch.app]", 'kind = "git"', f'of = "{git_host().url("none")}"')
    post.look()
    done = run()
    assert done.exit_code == 3
    said = " ".join(done.output.split())
    assert "there is no repository" in said
    assert "→ mend its name" in said
    assert max(map(len, done.output.splitlines())) <= 80


def test_a_name_that_is_not_watched_is_a_mistake(post: Post) -> None:
    del post
    with pytest.raises(UsageError, match="nothing is watched under the name"):
        CliRunner().invoke(showing.command, ["nope"], catch_exceptions=False)


def test_a_person_makes_a_change_an_incident_or_lays_it_aside(post: Post) -> None:
    post.look()
    (source,) = post.sources()
    for number, rule in enumerate(("anomaly-stream", "anomaly-stream", "password")):
        doubt = suspicion(source, rule=rule, fingerprint=f"v1:{number}")
        with post.house.store.transaction() as tx:
            assert tx.sources.suspect(doubt)
            assert not tx.sources.suspect(doubt), "the same is asked once"
    listed = run("app")
    assert listed.exit_code == 1
    assert "9.0% of the text is encoded" in listed.output
    opened = run("--open", "1", "--as", "alice")
    assert "LK-2 is open" in opened.output, opened
    (incident, exposures), _ = post.incidents()
    assert (incident.kind, exposures[0].reason) == ("anomaly", "9.0% of the text is encoded")
    run("--dismiss", "2", "--as", "alice")
    with post.house.store.snapshot() as tx:
        assert [each.id for each in tx.sources.suspicions()] == [3]
        assert [each.incident for each in tx.sources.suspicions(Judged.INCIDENT)] == [2]
        last = [entry.event for entry in tx.ledger.entries()][-1]
    assert (last.action, last.actor) == ("suspicion.dismissed", "cli:alice")
    for typed, said in (("1", "judged already"), ("3", "value was not kept"), ("9", "nothing")):
        with pytest.raises(UsageError, match=said):
            CliRunner().invoke(showing.command, ["--open", typed], catch_exceptions=False)


def suspicion(source: Source, *, rule: str, fingerprint: str) -> Suspicion:
    return Suspicion(
        id=0,
        source=source.id,
        rule=rule,
        place="build.log",
        reason="9.0% of the text is encoded",
        fingerprint=fingerprint,
        found_at=NOW,
    )


def test_watch_once_says_what_is_new_and_exits_1_then_0(post: Post) -> None:
    del post
    runner = CliRunner()
    first = runner.invoke(running.command, ["--once"])
    assert first.exit_code == 1, first.output
    assert first.output.splitlines()[-1].startswith("1 new; `stanch incidents` lists")
    again = runner.invoke(running.command, ["--once"])
    assert (again.exit_code, again.output.splitlines()[-1][:5]) == (0, "0 new")


def test_nothing_to_watch_is_a_mistake(watching: Watches) -> None:
    watching("")
    with pytest.raises(UsageError, match="nothing is watched"):
        CliRunner().invoke(running.command, [], catch_exceptions=False)


def test_a_file_that_configures_nothing_is_said_with_the_one_that_does(
    watching: Watches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching("")
    monkeypatch.chdir(tmp_path)
    said = f"[watch.NAME] in {tmp_path / 'home' / 'stanch.toml'}"
    assert f"write {said}\n" in run().output
    (tmp_path / "stanch.toml").touch()
    said += f"; {tmp_path / 'stanch.toml'} is not read"
    assert said in run().output
    with pytest.raises(UsageError) as raised:
        CliRunner().invoke(running.command, [], catch_exceptions=False)
    assert said in raised.value.remedy


def test_watch_once_says_what_helps_where_it_could_not_read(
    watching: Watches, tmp_path: Path
) -> None:
    watching("[watch.app]", 'kind = "file"', f'of = "{tmp_path}"')
    done = CliRunner().invoke(running.command, ["--once"])
    assert done.exit_code == 3
    assert (
        f"not read: {tmp_path}: {tmp_path} is a directory; name a file; watch each" in done.stderr
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (('kind = "githb"', 'of = "acme"'), "[watch.acme] kind: 'githb' is not known"),
        (('of = "acme"',), "[watch.acme] kind: is missing"),
        (('kind = "github"',), "[watch.acme] of: is missing"),
        (('kind = "github"', "of = 1"), "[watch.acme] of: Expected `str`"),
        (('kind = "git"', 'of = "/srv/app.git"'), "[watch.acme] of: a local path is not watched"),
        (('kind = "git"', 'of = "srv/app.git"'), "[watch.acme] of: the address names no protocol"),
        (('kind = "gitea"', 'of = "acme"'), "[watch.acme] of: "),
        (('kind = "file"', 'of = "app.log"'), "[watch.acme] of: is no whole path"),
        (('kind = "file"', 'of = "~nobody-has-this/app.log"'), "of: is no whole path"),
        (('kind = "file"', 'of = "/a\\u0000b"'), "of: has characters that no name has"),
        (('kind = "github"', 'off = "acme"'), "'off' is not a setting"),
        (('kind = "git"', 'of = "x"', 'secret = "env:X"'), "secret: says nothing of git"),
        (('kind = "github"', 'of = "x"', 'secret = "hunter2"'), "secret: is no reference"),
        (('kind = "github"', 'of = "x"', "every = 0"), "every"),
        (('kind = "github"', 'of = " "'), "of: names nothing"),
    ],
)
def test_a_mistake_in_the_configuration_names_file_and_key(
    tmp_path: Path, lines: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "stanch.toml"
    file.write_text("\n".join(("[watch.acme]", *lines)))
    with pytest.raises(ConfigError) as raised:
        load({"STANCH_HOME": str(tmp_path)})
    assert str(file) in str(raised.value)
    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_news_that_nobody_reads_is_late() -> None:
    source = Source.fresh("acme", "owner", "github:acme", NOW - timedelta(hours=2))
    (row,) = lookouts({"acme": "github:acme"}, [source], [], NOW)
    assert (row.as_of, row.late, row.whole) == (None, timedelta(hours=2), False)
    read = Source.fresh("acme", "git", "https://x/app.git", NOW)
    assert read.id == source_id("acme", "https://x/app.git")
    (none,) = lookouts({"other": "file"}, [source], [], NOW)
    assert (none.sources, none.whole) == (0, False)
