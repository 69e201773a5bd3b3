"""A store that cannot be used is refused as it is: one message, exit code 2, not a byte changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.responder.cli.conftest import Desk


def test_a_store_of_a_newer_stanch_is_refused_and_unchanged(case: Desk) -> None:
    case.sql("UPDATE schema_version SET version_num = '9999'")
    before = dump(case)
    done = case.stanch("incidents", "LK-1")
    assert (done.code, done.out) == (2, "")
    assert "schema 9999" in done.message
    assert "newer stanch" in done.remedy
    assert dump(case) == before


def test_a_file_that_is_no_database_is_refused_and_unchanged(desk: Desk) -> None:
    desk.home.mkdir(mode=0o700)
    text = "the diary of somebody else\n" * 400
    desk.database.write_text(text)
    done = desk.stanch("incidents")
    assert (done.code, done.out) == (2, "")
    assert str(desk.database) in done.message
    assert "not a database" in done.message
    assert desk.database.read_text() == text


def test_a_database_of_another_program_is_refused_and_unchanged(desk: Desk) -> None:
    desk.home.mkdir(mode=0o700)
    desk.sql("CREATE TABLE songs (title TEXT)")
    done = desk.stanch("incidents")
    assert (done.code, done.out) == (2, "")
    assert "not a stanch store" in done.message
    assert [name for (name,) in desk.sql("SELECT name FROM sqlite_master")] == ["songs"]


def test_an_altered_sealed_value_stops_the_run_before_it_acts(case: Desk) -> None:
    case.sql("UPDATE envelopes SET ciphertext = zeroblob(length(ciphertext))")
    done = case.stanch("approve", "LK-1", "--as", "bob", "--yes", "--reason", "it is time")
    assert done.code == 1, done.err
    assert "Traceback" not in done.out + done.err
    assert "altered" in done.out
    assert "CONTAINED" in done.out
    assert "PROVEN DEAD" not in done.out
    assert case.stanch("audit", "verify").code == 0, "the failure is on the record"


def test_another_master_key_opens_nothing_and_destroys_nothing(case: Desk) -> None:
    key = case.home / "master.key"
    right = key.read_bytes()
    key.write_bytes(bytes(reversed(right)))
    done = case.stanch("approve", "LK-1", "--as", "bob", "--yes", "--reason", "it is time")
    assert done.code == 2, done.err
    assert "master key" in done.message
    key.unlink()
    done = case.stanch("incidents")
    assert (done.code, "master key is gone" in done.message) == (2, True)
    assert not key.exists(), "no other key takes its place in silence"
    key.write_bytes(right)
    key.chmod(0o600)
    assert case.stanch("incidents", "LK-1").code == 0


def test_a_record_that_was_changed_is_said_by_the_exit_code(case: Desk) -> None:
    assert case.stanch("audit", "verify").code == 0
    case.sql("UPDATE ledger SET actor = 'nobody' WHERE seq = 3")
    done = case.stanch("audit", "verify")
    assert (done.code, done.out.count("TAMPERED")) == (1, 2), "the entry, and what rests on it"
    assert "entry 3" in done.out
    assert "backup" in done.err


def test_an_entry_that_cannot_be_read_is_tampering_and_no_internal_error(case: Desk) -> None:
    case.sql("UPDATE ledger SET detail = '{' WHERE seq = 3")
    done = case.stanch("audit", "verify")
    assert (done.code, "TAMPERED: edit at entry 3" in done.out) == (1, True), done.out + done.err


def test_an_approval_that_was_granted_in_the_database_calls_nobody_and_is_said(case: Desk) -> None:
    case.sql("UPDATE approvals SET decision = 'granted', decided_by = 'bob', decided_at = asked_at")
    case.sql("UPDATE runs SET state = 'running'")
    done = case.stanch("respond", "LK-1", "--as", "alice")
    assert done.code == 1, done.out + done.err
    assert "TAMPERED" in done.out
    assert "PROVEN DEAD" not in done.out
    acts = case.sql("SELECT detail FROM ledger WHERE action = 'step.acted'")
    assert not any('"delete-key"' in str(act) for act in acts)
    done = case.stanch("audit", "verify")
    assert done.code == 1
    assert "TAMPERED: LK-1: approvals" in done.out
    written = case.stanch("postmortem", "LK-1")
    assert written.code == 0, written.err
    assert any("TAMPERED" in page.read_text() for page in case.folder.rglob("*.md"))


def test_a_trigger_in_the_store_is_named(case: Desk) -> None:
    case.sql(
        "CREATE TRIGGER helper AFTER INSERT ON approvals BEGIN "
        "UPDATE approvals SET decision = 'granted'; END"
    )
    done = case.stanch("audit", "verify")
    assert (done.code, "trigger helper" in done.out) == (1, True)


def dump(desk: Desk) -> list[tuple[object, ...]]:
    return desk.sql("SELECT * FROM ledger ORDER BY seq") + desk.sql("SELECT * FROM schema_version")
