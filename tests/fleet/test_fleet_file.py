"""A mistake in a fleet's file is said with its line and the nearest key, before a scan."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from stanch.responder.domain.fleet import HostLimit
from stanch.responder.fleet.file import FleetFileError, read

GOOD = 'targets = ["github:acme"]\n'


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        (GOOD + 'exlude = ["x"]\n', ":2: unknown key `exlude`", "`exclude`"),
        (GOOD + '[limits."github.com"]\nslot = 2\n', ':3: [limits."github.com"]', "`slots`"),
        (GOOD + "[limits.default]\nslots = 0\n", ":3: `slots` is not between", "slots = 4"),
        (GOOD + '[limits.default]\nrate = "fast"\n', ":3: `rate` is 'fast'", '"60/min"'),
        (GOOD + "losses = true\n", ":2: `losses`", "losses = 4"),
        ("targets = 'github:acme'\n", ":1: `targets` is no list", "targets = "),
        ("targets = []\n", ":1: no targets are named", "github:ORG"),
        ('targets = [\n "github:",\n]\n', ":2: github: names nobody", "github:NAME"),
        ('targets = [\n "gone/app",\n]\n', ":2: gone/app does not exist", "stanch scan --help"),
        ('targets = ["*.git"]\n', ":1: nothing fits `*.git`", "below"),
        ('targets = ["agents:"]\n', ":1: `agents:` is another thing", "agents:"),
        ('targets = ["https://u:p@h/a.git"]\n', ":1: the address of h holds", "token"),
        ('targets = ["ext::sh -c id"]\n', ":1: ", "HOST/PATH"),
        ('targets = ["github:a",\n "github:a"]\n', ": `github:a` names", "once"),
        (GOOD + 'exclude = ["*"]\n', ":2: nothing is left to scan", "narrow it: github:acme"),
        ("targets = [\n", "is not TOML", "syntax"),
    ],
)
def test_a_mistake_is_said_where_it_stands(
    tmp_path: Path, text: str, message: str, remedy: str
) -> None:
    file = tmp_path / "org.toml"
    file.write_text(text)
    with pytest.raises(FleetFileError) as caught:
        read(file)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert remedy in caught.value.remedy
    assert caught.value.exit_code == 2


def test_paths_begin_at_the_file_and_hosts_have_their_limits(tmp_path: Path) -> None:
    for name in ("mirrors/a.git", "mirrors/b.git"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "saved.tar").touch()
    file = tmp_path / "org.toml"
    file.write_text(
        'name = "acme"\n'
        'targets = ["mirrors/*.git", "image:saved.tar", "image:r.example/app:1", "github:acme",\n'
        '  "git@git.example.com:tools/x.git", "log:github/acme/app", "log:jenkins/ci.example/a"]\n'
        '[limits."github.com"]\nslots = 2\nrate = "30/min"\nburst = 5\n'
        "[limits.default]\nslots = 3\n"
    )
    found = read(file)
    assert [(unit.name, unit.host, unit.lists) for unit in found.units] == [
        ("mirrors/a.git", "", False),
        ("mirrors/b.git", "", False),
        ("image:saved.tar", "", False),
        ("image:r.example/app:1", "r.example", False),
        ("github:acme", "github.com", True),
        ("git.example.com/tools/x", "git.example.com", False),
        ("log:github/acme/app", "github.com", False),
        ("log:jenkins/ci.example/a", "ci.example", False),
    ]
    assert found.units[2].target == f"image:{tmp_path / 'saved.tar'}"
    assert found.limits.of("github.com") == HostLimit(slots=2, pace=timedelta(seconds=2), burst=5)
    assert found.limits.of("r.example:443") == HostLimit(slots=3)
    assert found.limits.of("") == HostLimit()
