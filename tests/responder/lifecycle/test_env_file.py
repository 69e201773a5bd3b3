from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.responder.lifecycle.backends.env_file import EnvFile, _parse
from stanch.responder.lifecycle.backends.naming import reference_of, variable
from stanch.responder.lifecycle.model.answer import Absent, Denied, Described, Listed, Present
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.error import SecretsConfigError
from stanch.responder.lifecycle.model.metadata import read
from stanch.responder.lifecycle.model.reference import parse

KEY = parse("secret://shop/test/stripe/api-key")


def store(folder: Path, text: str) -> EnvFile:
    (folder / ".env.test").write_text(text)
    return EnvFile(folder, service="shop")


def value(folder: Path, text: str) -> bytes:
    found = store(folder, text).read(KEY)
    assert isinstance(found, Present), found
    return found.value.reveal()


def test_values_are_read_as_shells_and_frameworks_write_them(tmp_path: Path) -> None:
    assert value(tmp_path, "STRIPE_API_KEY=plain # why\n") == b"plain"
    assert value(tmp_path, "export STRIPE_API_KEY='a # b'\n") == b"a # b"
    assert value(tmp_path, 'STRIPE_API_KEY="two\\nlines"\n') == b"two\nlines"
    assert value(tmp_path, 'STRIPE_API_KEY="two\nlines"\n') == b"two\nlines"
    assert value(tmp_path, "STRIPE_API_KEY=${HOME}\n") == b"${HOME}"  # nothing is put in


def test_metadata_of_comments_counts_for_what_is_below(tmp_path: Path) -> None:
    text = (
        "A_B=1\n# stanch: owner='payments team' rotation-period=90d\nSTRIPE_API_KEY=x\n"
        "# stanch: owner=risk\nSTRIPE_OTHER=y\n"
    )
    found = {
        str(each.reference): read(each.described.tags).known
        for each in store(tmp_path, text).entries()
        if isinstance(each, Listed)
    }
    assert "owner" not in found["secret://shop/test/a/b"]
    assert found[str(KEY)]["owner"] == "payments team"
    other = found["secret://shop/test/stripe/other"]
    assert (other["owner"], other["rotation-period"]) == ("risk", "90d")
    assert (other["service"], other["environment"]) == ("shop", "test")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\nB='open\n", 2),
        ("A=1\n# stanch: owner\n", 2),
        ("\n# stanch: ownr=me\nA=1\n", 2),
        ("# stanch: owner='me\n", 1),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(SecretsConfigError, match=rf"\.env\.test:{line}: ") as caught:
        store(tmp_path, text).read(KEY)
    assert caught.value.remedy


def test_a_mistake_s_message_does_not_repeat_the_line(tmp_path: Path) -> None:
    with pytest.raises(SecretsConfigError) as caught:
        store(tmp_path, "STRIPE_API_KEY='hunter2hunter2\n").read(KEY)
    assert "hunter2" not in str(caught.value) + caught.value.remedy


@given(st.binary(max_size=200))
def test_any_bytes_are_variables_or_a_mistake_with_a_line(data: bytes) -> None:
    for text in (data, b"# stanch: owner=" + data, b"A='" + data):
        try:
            _parse(text, Path(".env.test"))
        except SecretsConfigError as error:
            found = re.match(r"\.env\.test:\d+: ", str(error))
            assert found  # either answer is right


def test_an_empty_value_is_absent_and_says_where(tmp_path: Path) -> None:
    found = store(tmp_path, "A=1\nSTRIPE_API_KEY=\n").read(KEY)
    assert isinstance(found, Absent)
    assert found.why.endswith(".env.test:2")


def test_a_file_that_was_changed_has_another_version(tmp_path: Path) -> None:
    kept = store(tmp_path, "STRIPE_API_KEY=x\n")
    before = kept.read(KEY)
    os.utime(tmp_path / ".env.test", ns=(1, 1))
    now = kept.read(KEY)
    assert isinstance(before, Present)
    assert isinstance(now, Present)
    assert before.version != now.version
    assert isinstance(kept.read(replace(KEY, version=before.version)), Absent)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env.test")
    assert isinstance(EnvFile(tmp_path).read(KEY), Denied)


def test_the_place_is_file_and_line(tmp_path: Path) -> None:
    look = store(tmp_path, "A=1\nSTRIPE_API_KEY=x\n").describe(KEY)
    assert isinstance(look, Described)
    assert look.place == f"{tmp_path}/.env.test:2"


def test_a_variable_and_its_reference_find_each_other() -> None:
    assert variable(KEY) == "STRIPE_API_KEY"
    assert variable(parse("secret://shop/test/data-dog/app.key")) == "DATA_DOG_APP_KEY"
    assert reference_of("STRIPE_API_KEY", service="shop", environment=Environment.TEST) == KEY
    assert reference_of("PATH", service="shop", environment=Environment.TEST) is None
    assert reference_of("STRIPE_API_KEY", service="", environment=Environment.TEST) is None
