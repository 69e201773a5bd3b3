"""Values move once, provably, from wherever a run was killed; and the plain file goes last."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.migration.listing import Form, read_listing
from stanch.responder.lifecycle.migration.plan import Verdict, Wishes
from stanch.responder.lifecycle.migration.proof import SLO
from stanch.responder.lifecycle.migration.result import Phase, Result, State
from stanch.responder.lifecycle.migration.run import Orders
from stanch.scanner.model.secret import SecretValue
from tests.responder.conftest import Room
from tests.responder.lifecycle.migration_desk import (
    STRIPE,
    TAGS,
    VALUE,
    Desk,
    Killed,
    Memory,
    planned,
    verdicts,
)


@pytest.fixture
def desk(room: Room, tmp_path: Path) -> Desk:
    first, second = tmp_path / ".env.prod", tmp_path / "more.env"
    first.write_text(f"# the shop\nPORT=8080\nexport STRIPE_API_KEY='{VALUE}' # live\nDEBUG=true\n")
    second.write_text(f"DB_PASSWORD={VALUE[::-1]}\n")
    return Desk(store=Memory(), room=room, paths=(first, second))


def test_a_plan_says_what_goes_where_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".env.prod"
    path.write_text(
        "STRIPE_API_KEY=of-the-test-1\nPORT=8080\nTOKEN=of-the-test-2\nEMPTY_KEY=\n"
        "URL_KEY=https://${HOST}/x\nDB_PASSWORD=of-the-test-3\nOLD_KEY=secret://shop/prod/old/key\n"
        "A_KEY=of-the-test-4\nB_KEY=of-the-test-4\nC_KEY=of-the-test-5\nC_KEY=of-the-test-6\n"
    )
    store = Memory(kept={"shop/prod/db/password": (SecretValue(b"another"), {})})
    plan = planned(store, path)
    assert verdicts(plan) == [
        ("STRIPE_API_KEY", Verdict.CREATE),
        ("PORT", Verdict.PLAIN),
        ("TOKEN", Verdict.UNNAMED),
        ("EMPTY_KEY", Verdict.EMPTY),
        ("URL_KEY", Verdict.COMPOSED),
        ("DB_PASSWORD", Verdict.CONFLICT),
        ("OLD_KEY", Verdict.REFERENCE),
        ("A_KEY", Verdict.SHARED),
        ("B_KEY", Verdict.SHARED),
        ("C_KEY", Verdict.AMBIGUOUS),
        ("C_KEY", Verdict.AMBIGUOUS),
    ]
    assert plan.result().state is State.FAILED
    assert store.created == []
    said = json.dumps(plan.result().words)
    assert "of-the-test" not in said


def test_what_lacks_metadata_is_not_planned_and_the_words_to_say_are_named(tmp_path: Path) -> None:
    path = tmp_path / ".env.prod"
    path.write_text("# stanch: owner=shop-team\nSTRIPE_API_KEY=of-the-test-1\n")
    row = planned(Memory(), path, wishes=Wishes()).rows[0]
    assert row.verdict is Verdict.INCOMPLETE
    assert "--rotation-period 90d" in row.detail
    assert "owner" not in row.detail  # the comment has it
    assert planned(Memory(), path).rows[0].verdict is Verdict.CREATE


def test_a_list_of_names_without_values_is_never_a_complete_plan(tmp_path: Path) -> None:
    github, gitlab = tmp_path / "gh.json", tmp_path / "gl.json"
    github.write_text(json.dumps({"total_count": 1, "secrets": [{"name": "STRIPE_API_KEY"}]}))
    gitlab.write_text(
        json.dumps(
            [{"key": "DB_PASSWORD", "value": "of-the-test-1"}, {"key": "X_KEY", "hidden": True}]
        )
    )
    assert [read_listing(path).form for path in (github, gitlab)] == [Form.GITHUB, Form.GITLAB]
    plan = planned(Memory(), github, gitlab)
    assert verdicts(plan) == [
        ("STRIPE_API_KEY", Verdict.UNREADABLE),
        ("DB_PASSWORD", Verdict.CREATE),
        ("X_KEY", Verdict.UNREADABLE),
    ]
    assert plan.result().state is State.INCOMPLETE


@pytest.mark.parametrize("text", ["{", '{"other": []}', '[{"value": "x"}]', "[1]"])
def test_what_is_no_list_is_a_usage_error_that_does_not_quote_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ci.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_listing(path)
    assert str(path) in str(caught.value)


def test_a_store_that_does_not_answer_ends_it_before_anything_is_written(desk: Desk) -> None:
    desk.store.away = True
    found = desk.run()
    assert list(found) == [Phase.PLAN]
    assert found[Phase.PLAN].state is State.INCOMPLETE


def test_the_whole_way_leaves_references_and_no_value_in_files_or_record(desk: Desk) -> None:
    found = desk.run()
    assert {phase: result.state for phase, result in found.items()} == {
        Phase.PLAN: State.DONE,
        Phase.WRITE: State.DONE,
        Phase.VALIDATE: State.DONE,
        Phase.CONSISTENCY: State.DONE,
        Phase.CHECK: State.SKIPPED,
        Phase.PERFORMANCE: State.DONE,
        Phase.GUARD: State.DONE,
    }
    assert desk.paths[0].read_text() == (
        f"# the shop\nPORT=8080\nexport STRIPE_API_KEY={STRIPE}\nDEBUG=true\n"
    )
    assert desk.paths[0].stat().st_mode & 0o777 == 0o600
    assert desk.store.kept["shop/prod/stripe/api-key"][0].reveal() == VALUE.encode()
    with desk.room.store.snapshot() as tx:
        record = "".join(str(entry.event) for entry in tx.ledger.entries())
    assert VALUE not in record


def test_a_dry_run_changes_neither_store_nor_file_nor_record(desk: Desk) -> None:
    before = desk.paths[0].read_text()
    assert list(desk.run(apply=False)) == [Phase.PLAN]
    assert (desk.store.created, desk.paths[0].read_text()) == ([], before)
    assert desk.room.recorded("migration.plan") == []


def test_killed_at_any_call_the_next_run_finishes_and_writes_nothing_twice(desk: Desk) -> None:
    texts = [path.read_text() for path in desk.paths]
    kills = 0
    for last in range(1, 200):
        for path, text in zip(desk.paths, texts, strict=True):
            path.write_text(text)
        desk.store = Memory(kill_at=last)
        try:  # on the same record: results of older runs must not mislead either
            desk.run()
        except Killed:
            kills += 1
        else:
            assert kills == last - 1  # no call of a whole run was left out
            return
        desk.store.kill_at = -1
        found = desk.run()
        assert found[Phase.GUARD].state is State.DONE, last
        assert sorted(desk.store.created) == ["shop/prod/db/password", "shop/prod/stripe/api-key"]
        left = "".join(path.read_text() for path in desk.paths)
        assert VALUE not in left
        assert VALUE[::-1] not in left
    pytest.fail("a run is longer than was tried")


def test_what_was_done_is_not_done_again_but_what_came_back_is(desk: Desk) -> None:
    text = desk.paths[0].read_text()
    desk.run()
    again = desk.run()
    assert all(again[phase].before for phase in (Phase.WRITE, Phase.VALIDATE, Phase.CONSISTENCY))
    desk.paths[0].write_text(text)  # somebody put the plain file back
    back = desk.run()
    assert back[Phase.GUARD].state is State.DONE
    assert VALUE not in desk.paths[0].read_text()
    del desk.store.kept["shop/prod/stripe/api-key"]  # and somebody emptied the store
    desk.paths[0].write_text(text)
    assert not desk.run()[Phase.WRITE].before
    assert "shop/prod/stripe/api-key" in desk.store.kept


def test_a_lost_answer_is_settled_by_looking(desk: Desk) -> None:
    desk.store.lost_answers = True
    found = desk.run()
    assert found[Phase.WRITE].state is State.DONE
    assert {line.said for line in found[Phase.WRITE].lines} == {"present"}


def test_a_failed_check_leaves_the_file_as_it_is(desk: Desk) -> None:
    before = desk.paths[0].read_text()
    desk.check = lambda _: Result(phase=Phase.CHECK, state=State.FAILED, summary="1")
    assert Phase.GUARD not in desk.run()
    assert desk.paths[0].read_text() == before


def test_slow_reads_leave_the_file_as_it_is(desk: Desk) -> None:
    ticks = iter(range(1000))
    desk.seconds = lambda: float(next(ticks))
    found = desk.run()
    assert found[Phase.PERFORMANCE].state is State.FAILED
    assert Phase.GUARD not in found


def test_a_store_that_changed_the_value_is_noticed(desk: Desk) -> None:
    desk.run(guard=False)
    desk.store.kept["shop/prod/stripe/api-key"] = (
        SecretValue(b"swapped-by-someone"),
        desk.store.kept["shop/prod/stripe/api-key"][1],
    )
    found = desk.run()
    assert found[Phase.PLAN].state is State.FAILED
    assert list(found) == [Phase.PLAN]
    assert VALUE in desk.paths[0].read_text()


def test_replacing_needs_a_word_and_goes_by_compare_and_set(desk: Desk) -> None:
    path = desk.paths[0]
    tags = TAGS | {
        "service": "shop",
        "environment": "prod",
        "tenant": "none",
    }
    store = Memory(kept={STRIPE.path: (SecretValue(b"another"), tags)})
    assert planned(store, path).rows[1].verdict is Verdict.CONFLICT
    desk.store, desk.paths = store, (path,)
    wishes = Wishes(tags=TAGS, replace=frozenset({"STRIPE_API_KEY"}))
    migration = replace(desk.migration(), wishes=wishes)
    results = {each.phase: each for each in migration.run(Orders(apply=True, slo=SLO))}
    assert [line.said for line in results[Phase.WRITE].lines] == ["replaced"]
    assert store.kept[STRIPE.path][0].reveal() == VALUE.encode()


def test_a_comment_that_still_holds_the_value_keeps_the_file(desk: Desk) -> None:
    path = desk.paths[0]
    path.write_text(f"# old: {VALUE}\n" + path.read_text())
    found = desk.run()[Phase.GUARD]
    assert found.state is State.FAILED
    assert "line 1" in found.lines[0].detail
    assert "STRIPE_API_KEY='" in path.read_text()


def test_copies_beside_it_and_gits_history_are_said(desk: Desk) -> None:
    folder = desk.paths[0].parent
    (folder / ".env.prod.bak").write_bytes(desk.paths[0].read_bytes())
    for words in (
        ("init", "-q"),
        ("add", "-f", ".env.prod"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", "--no-verify"),
    ):
        subprocess.run(("git", *words), cwd=folder, check=True)
    found = desk.run()[Phase.GUARD]
    said = {(line.name, line.said) for line in found.lines}
    assert {
        (".env.prod", "replaced"),
        (".env.prod.bak", "a copy"),
        (".env.prod", "tracked"),
        (".env.prod", "in history"),
        (".env.prod", "hook"),
    } <= said
    assert found.state is State.FAILED
    assert "/.env.prod\n" in (folder / ".gitignore").read_text()
    assert (folder / ".git" / "hooks" / "pre-commit").exists()


def test_a_value_that_changes_after_it_was_proven_keeps_the_file(desk: Desk) -> None:
    def swapped(_: object) -> Result:
        tags = desk.store.kept[STRIPE.path][1]
        desk.store.kept[STRIPE.path] = (SecretValue(b"swapped-by-someone"), tags)
        return Result(phase=Phase.CHECK, state=State.DONE, summary="0")

    desk.check = swapped
    found = desk.run()[Phase.GUARD]
    assert found.state is State.FAILED
    assert "has another value" in found.lines[0].detail
    assert VALUE in desk.paths[0].read_text()


def test_a_file_that_is_edited_meanwhile_is_not_replaced(desk: Desk) -> None:
    def edited(_: object) -> Result:
        with desk.paths[0].open("a") as file:
            file.write("NEW=1\n")
        return Result(phase=Phase.CHECK, state=State.DONE, summary="0")

    desk.check = edited
    found = desk.run()[Phase.GUARD]
    assert "it was changed" in found.lines[0].detail
    assert desk.paths[0].read_text().endswith("NEW=1\n")
    desk.check = None
    assert desk.run()[Phase.GUARD].state is State.DONE
    assert desk.paths[0].read_text().endswith(f"{STRIPE}\nDEBUG=true\nNEW=1\n")


def test_another_identity_is_tried_anew_and_so_is_what_rests_on_it(desk: Desk) -> None:
    desk.run(guard=False)
    other = replace(desk.migration(), terms={Phase.VALIDATE: "another role"})
    found = {each.phase: each for each in other.run(Orders(apply=True, slo=SLO))}
    assert found[Phase.WRITE].before
    assert not any(found[each].before for each in (Phase.VALIDATE, Phase.CONSISTENCY))
