"""A broker that is away is one line, and holds nothing up."""

from __future__ import annotations

import secrets
from contextlib import closing
from typing import TYPE_CHECKING

from stanch.responder.domain.ports import Errand
from stanch.responder.worker.app import make_app
from stanch.responder.worker.doorbell import CeleryDoorbell

if TYPE_CHECKING:
    from tests.responder.cli.conftest import Desk

AWAY = "redis://:hidden@127.0.0.1:1/0"


def test_a_silent_broker_is_news_once_and_its_password_is_not_said() -> None:
    app = make_app(AWAY, sweep_seconds=60)
    with closing(app):
        bell = CeleryDoorbell(app)
        assert bell.lost() is None
        for subject in ("1", "2", "3"):
            bell.ring(Errand.NOTIFY, subject)
        assert bell.silent
        said = bell.lost()
        assert said is not None
        assert "127.0.0.1:1" in said
        assert "hidden" not in said
        assert bell.lost() is None


def test_a_response_without_its_broker_is_done_here_and_said_in_one_line(desk: Desk) -> None:
    desk.configure(
        '[broker]\nurl = "redis://127.0.0.1:1/0"\n[worker]\nstandby_seconds = 0.2\n'
        '[people.alice]\ngroups = ["security"]\n[people.bob]\ngroups = ["security"]\n'
    )
    (desk.folder / "a.env").write_text(f'db_password = "{secrets.token_urlsafe(14)}"\n')
    done = desk.stanch("respond", "--all", "a.env", "--as", "alice")
    assert done.code == 0, done.err
    assert "Waits for a decision by bob." in " ".join(done.out.replace("│", " ").split())
    assert done.err.count("does not answer") == 1
    assert "kept in the store" in done.err
    assert "`stanch doctor` looks at it" in done.err
    assert "{" not in done.err  # no log
    assert "Traceback" not in done.err
