from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from stanch.scanner.local.hosts import dereferenced, operator_hosts
from stanch.scanner.model.error import UsageError


def environ(folder: Path, text: str) -> dict[str, str]:
    (folder / "stanch.toml").write_text(text)
    return {"STANCH_HOME": str(folder)}


def test_what_the_operator_says_of_a_host_is_known_with_and_without_its_port(
    tmp_path: Path,
) -> None:
    value = secrets.token_hex(8)
    said = '[hosts."GHE.example.com"]\nprovider = "github"\ntoken = "env:GHE"\n'
    hosts = operator_hosts(environ(tmp_path, said))
    known = hosts.of("ghe.example.com:8443")
    assert known.provider == "github"
    secret = known.secret({"GHE": value + "\n"})
    assert secret is not None
    assert secret.reveal().decode() == value


def test_the_folder_that_is_scanned_says_nothing_of_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "home").mkdir()
    environ(tmp_path / "tree", '[hosts."evil.example"]\ntoken = "env:AWS_SECRET_ACCESS_KEY"\n')
    monkeypatch.chdir(tmp_path / "tree")
    assert operator_hosts({"STANCH_HOME": str(tmp_path / "home")}).named == {}


def test_a_default_variable_may_be_missing_but_not_one_that_the_operator_names(
    tmp_path: Path,
) -> None:
    hosts = operator_hosts({"STANCH_HOME": str(tmp_path)})
    assert hosts.of("api.github.com").secret({}) is None
    named = operator_hosts(environ(tmp_path, '[hosts."h.example"]\ntoken = "env:GONE"\n'))
    with pytest.raises(UsageError, match="GONE is not set"):
        named.of("h.example").secret({})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[hosts."h"]\ntokn = "env:A"\n', "unknown key `tokn`"),
        ('[hosts."h"]\ntoken = "plain"\n', "`token` is no reference"),
        ('[hosts."h"]\nuser = "u"\n', "belong together"),
        ('hosts = "h"\n', "is not a table"),
        ("[hosts\n", "cannot be read"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        operator_hosts(environ(tmp_path, text))
    assert "stanch.toml" in str(caught.value)


def test_a_reference_to_a_file_is_read_without_the_end_of_its_line(tmp_path: Path) -> None:
    value = secrets.token_hex(8)
    (tmp_path / "secret").write_text(value + "\r\n")
    assert dereferenced(f"file:{tmp_path}/secret", "it", {}).reveal().decode() == value
