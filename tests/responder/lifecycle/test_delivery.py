"""Values for a program, and a program of which we are the parent. Real processes, real memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.delivery.child import NotRunnable, Renewal, supervise
from stanch.responder.lifecycle.delivery.handover import Mode, handed_over, in_memory
from stanch.scanner.model.secret import SecretValue

VALUE = SecretValue(b"a value\nof two lines")
PATH = {b"PATH": os.environb[b"PATH"]}


def test_a_variable_holds_the_value_and_others_stay() -> None:
    with handed_over({"KEY": VALUE}, {b"OTHER": b"x"}, Mode.ENVIRONMENT) as made:
        assert made == {b"OTHER": b"x", b"KEY": VALUE.reveal()}


def test_what_no_variable_can_hold_is_refused_without_being_shown() -> None:
    with (
        pytest.raises(UsageError, match="NUL") as caught,
        handed_over({"KEY": SecretValue(b"a\0b")}, {}, Mode.ENVIRONMENT),
    ):
        pass
    assert "--fd" in caught.value.remedy


def test_a_descriptor_is_read_as_often_as_wanted_and_never_written() -> None:
    with handed_over({"KEY": VALUE}, {}, Mode.DESCRIPTOR) as made:
        path = Path(os.fsdecode(made[b"KEY"]))
        assert [path.read_bytes(), path.read_bytes()] == [VALUE.reveal()] * 2
        with pytest.raises(PermissionError):
            path.write_bytes(b"other")
        number = int(path.name)
        assert os.get_inheritable(number)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(number)


def test_a_file_is_the_owner_s_alone_in_memory_and_gone_afterwards() -> None:
    with handed_over({"KEY": VALUE}, {}, Mode.FILE) as made:
        path = Path(os.fsdecode(made[b"KEY"]))
        assert path.read_bytes() == VALUE.reveal()
        assert in_memory(path)
        modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)]
        assert modes == [0o400, 0o700]
    assert not path.parent.exists()


def test_what_lies_in_memory_is_known_by_its_mount() -> None:
    assert not in_memory(Path("/proc/self"))
    assert in_memory(Path("/dev/shm"))


def shell(script: str, environment: Mapping[bytes, bytes] = PATH, **more: Renewal) -> int:
    return supervise(["sh", "-c", script], environment, **more)


def test_the_end_of_the_program_is_ours() -> None:
    assert shell("exit 7") == 7
    assert shell("kill -TERM $$") == 143
    assert shell('[ "$KEY" = "a value" ]', {**PATH, b"KEY": b"a value"}) == 0


def test_a_signal_that_a_process_sends_us_reaches_the_program() -> None:
    script = "trap 'exit 9' {0}; kill -{0} $PPID; while :; do sleep 0.01; done"
    for name in ("TERM", "USR1", "HUP", "INT"):
        assert shell(script.format(name)) == 9


@pytest.mark.parametrize(("name", "code"), [("not-there-at-all", 127), ("/etc/passwd", 126)])
def test_what_cannot_be_run_ends_as_in_a_shell(name: str, code: int) -> None:
    with pytest.raises(NotRunnable) as caught:
        supervise([name], PATH)
    assert caught.value.exit_code == code
    assert name in str(caught.value)


def renewal(*given: Mapping[bytes, bytes] | None, grace: float = 5.0) -> Renewal:
    answers = list(given)
    return Renewal(every=0.01, grace=grace, environment=lambda: answers.pop(0) if answers else None)


SLEEPER = '[ "$KEY" = new ] && exit 5; exec sleep 30'


def test_the_program_is_started_anew_with_new_values() -> None:
    assert shell(SLEEPER, renewal=renewal(None, {**PATH, b"KEY": b"new"})) == 5


def test_a_program_that_does_not_end_is_killed_before_it_is_started_anew() -> None:
    stubborn = f"trap '' TERM; {SLEEPER}"
    assert shell(stubborn, renewal=renewal({**PATH, b"KEY": b"new"}, grace=0.05)) == 5


def test_a_program_that_ends_by_itself_is_not_started_anew() -> None:
    assert shell("exit 3", renewal=renewal(None, None)) == 3
