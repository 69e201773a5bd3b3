"""What cannot be scanned, planned or written: said once, with exit code and remedy."""

from __future__ import annotations

import shutil
import signal
import socket
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.responder.cli.conftest import Case, Desk


def test_history_of_what_is_no_repository_is_refused(desk: Desk) -> None:
    (desk.folder / "plain").mkdir()
    done = desk.stanch("respond", "plain", "--history")
    assert (done.code, done.out) == (2, "")
    assert "plain is not in a git repository" in done.message
    assert "--history" in done.remedy


def test_a_target_that_is_missing_is_said_before_anything_is_begun(desk: Desk, leak: Path) -> None:
    done = desk.stanch("respond", leak.name, "misisng")
    assert (done.code, done.out) == (2, "")
    assert "misisng" in done.message
    assert desk.sql("SELECT count(*) FROM incidents") == [(0,)]


def test_what_leaks_nothing_is_no_incident(desk: Desk) -> None:
    (desk.folder / "plain").mkdir()
    (desk.folder / "plain" / "app.py").write_text("print(42)\n")
    done = desk.stanch("respond", "plain")
    assert (done.code, done.out.strip(), done.err) == (0, "nothing leaked", "")


@pytest.mark.parametrize(
    ("right", "wrong", "remedy"),
    [
        ("contained_by:", "containd_by:", "'contained_by'"),
        ("uses: aws.iam.disable_access_key", "uses: aws.iam.disable_acces_key", "disable_access"),
        ("approval: final-revocation", "approval: final-revokation", "'final-revocation'"),
        ("after: [owner]", "after: [ownr]", "'owner'"),
        ("${owner.user}", "${owner.usr}", "'user'"),
    ],
)
def test_a_wrong_word_in_a_runbook_of_ones_own_names_line_and_nearest(
    desk: Desk, right: str, wrong: str, remedy: str
) -> None:
    folder = own_runbooks(desk)
    book = folder / "aws-access-key.yaml"
    text = book.read_text()
    book.write_text(text.replace(right, wrong))
    line = text[: text.index(right)].count("\n") + 1
    done = desk.stanch("runbooks", "check", str(folder))
    assert (done.code, done.out) == (2, "")
    assert done.message.startswith("aws-access-key.yaml:"), done.err
    # A mistake that concerns the whole step is reported at the step's first line.
    named = int(done.message.split(":")[1])
    assert line - 3 <= named <= line, done.err
    assert remedy in done.remedy


def test_a_wrong_runbook_in_force_stops_every_command_that_would_follow_it(desk: Desk) -> None:
    folder = own_runbooks(desk)
    (folder / "aws-access-key.yaml").write_text("runbook: aws-access-key\n")
    desk.configure(f'[runbooks]\nfolder = "{folder}"\n')
    done = desk.stanch("respond", ".", "--as", "alice")
    assert (done.code, done.out) == (2, "")
    assert done.message == "aws-access-key.yaml:1: the key 'version' is missing"


def own_runbooks(desk: Desk) -> Path:
    folder = desk.folder / "books"
    with resources.as_file(resources.files("stanch.runbooks")) as shipped:
        shutil.copytree(shipped, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    return folder


def test_an_aws_that_does_not_answer_is_waited_for_and_never_called_contained(
    desk: Desk, leak: Path, identity: dict[str, str]
) -> None:
    desk.environment.update(identity)
    desk.configure(f'[aws]\nendpoint_url = "http://127.0.0.1:{closed_port()}"\n')
    process = desk.start("respond", leak.name, "--as", "alice")
    try:
        assert process.stderr is not None
        said = process.stderr.readline() + process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert said.startswith("waiting: LK-1 owner: sts:GetCallerIdentity"), said + rest
    assert "no answer from AWS" in said
    assert "help: " in said
    assert process.returncode == 130
    assert "`stanch respond LK-1` goes on" in rest
    assert "Traceback" not in rest
    assert "CONTAIN" not in out.replace("Contain", "")
    card = desk.stanch("incidents", "LK-1").out
    assert "MAY BE LIVE" in card
    assert "CONTAINED" not in card
    assert desk.stanch("audit", "verify").code == 0


def test_credentials_that_aws_does_not_know_fail_the_step_with_its_remedy(
    waiting: Case, desk: Desk, leak: Path, identity: dict[str, str]
) -> None:
    desk.configure((waiting.folder / "home" / "stanch.toml").read_text())
    desk.environment.update(identity)
    done = desk.stanch("respond", leak.name, "--as", "alice")
    assert done.code == 1
    assert "does not accept Stanch's own credentials" in unwrapped(done.out)
    assert "renew them" in unwrapped(done.out)
    assert "CONTAINED" not in done.out
    assert "Traceback" not in done.out + done.err
    assert desk.sql("SELECT state FROM incidents") == [("open",)]


def test_without_credentials_of_its_own_the_step_says_so(desk: Desk, leak: Path) -> None:
    desk.configure(f'[aws]\nendpoint_url = "http://127.0.0.1:{closed_port()}"\n')
    done = desk.stanch("respond", leak.name, "--as", "alice")
    assert done.code == 1
    assert "no AWS credentials of its own" in unwrapped(done.out)
    assert "CONTAINED" not in done.out


def test_a_postmortem_does_not_overwrite_a_file_with_its_folder(case: Desk) -> None:
    (case.folder / "report").write_text("mine")
    done = case.stanch("postmortem", "LK-1", "--output", "report")
    assert (done.code, done.out) == (2, "")
    assert "'report' is a file" in done.err
    assert (case.folder / "report").read_text() == "mine"


def test_a_postmortem_that_cannot_be_written_says_where(case: Desk) -> None:
    (case.folder / "report").mkdir()
    (case.folder / "report" / "LK-1.md").mkdir()
    done = case.stanch("postmortem", "LK-1", "--output", "report")
    assert (done.code, done.out) == (2, "")
    assert "report" in done.message


@pytest.fixture
def identity(plant: Callable[[str, str], str]) -> dict[str, str]:
    """An AWS identity that nobody knows."""
    return {
        "AWS_ACCESS_KEY_ID": "AK" + "IA" + "Q3EGSTANCHTESTSX"[:16],
        "AWS_SECRET_ACCESS_KEY": plant("our own secret key", "s" * 20 + "/" + "t" * 19),
    }


def closed_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def unwrapped(card: str) -> str:
    """The text of a card without its frame and line breaks."""
    return " ".join(card.replace("│", " ").split())


def test_a_target_that_is_not_there_names_the_command_that_was_typed(desk: Desk) -> None:
    done = desk.stanch("respond", "/nope")
    assert done.code == 2
    assert "`stanch respond --help`" in done.remedy
    assert "stanch scan" not in done.remedy
