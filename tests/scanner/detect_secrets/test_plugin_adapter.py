"""Plugins find through our adapter exactly what they find in detect-secrets itself.

Its own plugin tests cannot be run from what is published: no source distribution (0.14.3, 1.3.0,
1.4.0 and 1.5.0 were looked into) holds them. So both are given the same input, drawn from each
plugin's own expressions, and must say the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import detect_secrets
import pytest
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.scan import scan_file
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.settings import transient_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch.scanner.api import (
    FingerprintKey,
    Fragment,
    Gap,
    InWorktree,
    Match,
    Scanner,
    SecretValue,
    UsageError,
)
from stanch.scanner.detectors.plugins.detect_secrets import PluginDetector, package_settings

Token = Callable[[int], str]
Seen = set[tuple[int, str, str]]
CLASSES: dict[str, Any] = dict(get_mapping_from_secret_type_to_class())
BUILTIN: dict[str, Any] = {each.__name__: each for each in CLASSES.values()}
REGEX = sorted(name for name, each in BUILTIN.items() if issubclass(each, RegexBasedDetector))


def theirs(path: Path, *names: str) -> Seen:
    """What detect-secrets finds in a file, without the markers that we judge elsewhere."""
    told = package_settings()
    chosen = {
        "plugins_used": [each for each in told.plugins if not names or each["name"] in names],
        "filters_used": [each for each in told.filters if "allowlist" not in each["path"]],
    }
    with transient_settings(chosen) as current:
        current.disable_filters("detect_secrets.filters.heuristic.is_non_text_file")
        return {(each.line_number, each.type, each.secret_hash) for each in scan_file(str(path))}


def ours(path: Path, detector: PluginDetector) -> Seen:
    hits = detector.hits(path.read_text(encoding="utf-8"), str(path))
    return {
        (
            each.line,
            each.type,
            hashlib.sha1(each.value.reveal(), usedforsecurity=False).hexdigest(),
        )
        for each in hits
    }


def json_web_token(number: int) -> str:
    """A token with a header, claims and a signature that nobody made."""
    pieces = ({"alg": "HS256", "typ": "JWT"}, {"sub": str(number)}, {"signature": number})
    encoded = (base64.urlsafe_b64encode(json.dumps(each).encode()) for each in pieces)
    return b".".join(each.rstrip(b"=") for each in encoded).decode()


def lines_for(name: str) -> st.SearchStrategy[str]:
    """Lines that a plugin's own expressions match, among others that they do not."""
    patterns = [
        re.compile(each.pattern, each.flags & ~re.UNICODE | re.ASCII)
        for each in BUILTIN[name]().denylist
    ]
    hit = st.one_of([st.from_regex(each) for each in patterns])
    if name == "JwtTokenDetector":  # it also parses, which no expression can promise
        hit = st.integers().map(json_web_token)
    filler = st.sampled_from(["", "x = 1", "    return value  ", "# a comment", "\tkey: value"])
    line = st.one_of(hit, hit.map(lambda text: f'value = "{text}"'), filler)
    return st.lists(line, min_size=1, max_size=6).map("\n".join)


@pytest.mark.parametrize("name", REGEX)
def test_a_builtin_plugin_finds_what_it_finds_in_its_own_home(name: str, tmp_path: Path) -> None:
    detector = PluginDetector([name])
    checked = 0

    @settings(
        max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(lines_for(name), st.sampled_from(["a.py", "a.txt", "a.go"]))
    def prove(text: str, file: str) -> None:
        nonlocal checked
        path = tmp_path / file
        path.write_text(text, encoding="utf-8", errors="replace")
        found = theirs(path, name)
        assert ours(path, detector) == found
        checked += bool(found)

    prove()
    # An address has no letters, so a filter of the package itself takes it away again.
    assert checked or name == "IPPublicDetector"


@pytest.mark.parametrize("kind", ["py", "yaml", "ini", "json", "go", "tf", "js", "toml", "cs"])
def test_keywords_and_entropy_are_judged_alike_in_every_kind_of_file(
    kind: str, tmp_path: Path
) -> None:
    chance = random.Random(kind)  # noqa: S311  # nothing is protected by it
    words = ["password", "api_key", "db_pass", "secret", "colour", "client_key"]
    shapes = ['{0} = "{1}"', "{0}: {1}", "{0}={1}", "{0} := '{1}'", 'if "{1}" == {0} {{', "# {1}"]
    alphabets = ["0123456789abcdef", "ABCDEFGHIJabcdefghij0123456789+/", "aaaab"]
    names = ("KeywordDetector", "Base64HighEntropyString", "HexHighEntropyString")
    detector = PluginDetector(names)
    total = 0
    for number in range(12):
        lines = ["[section]"] if kind == "ini" else []
        for _ in range(6):
            value = "".join(chance.choices(chance.choice(alphabets), k=chance.randint(8, 50)))
            lines.append(chance.choice(shapes).format(chance.choice(words), value))
        path = tmp_path / f"{number}.{kind}"
        path.write_text("\n".join(lines) + "\n")
        found = theirs(path, *names)
        assert ours(path, detector) == found
        total += len(found)
    assert total


def test_all_plugins_agree_over_the_source_of_the_plugins_themselves() -> None:
    detector = PluginDetector(["all"])
    folder = Path(detect_secrets.__file__).parent
    files = sorted((folder / "plugins").glob("*.py"))
    assert len(files) > 25
    assert sum(ours(path, detector) == theirs(path) for path in files) == len(files)


PLUGIN = """
import re
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector

class AcmeDetector(RegexBasedDetector):
    secret_type = "Acme Badge"
    denylist = [re.compile(r"acme-[0-9]{6}$")]

class OddDetector(BasePlugin):
    secret_type = "Odd Word"
    def analyze_string(self, string):
        yield from (word for word in string.split() if word.startswith("odd:"))
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "acme_plugin.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def key() -> FingerprintKey:
    return FingerprintKey(SecretValue(bytes(range(32))))


def scanned(key: FingerprintKey, path: Path, *plugins: str) -> list[Match | Gap]:
    scanner = Scanner(key=key, processes=1, plugins=PluginDetector(plugins))
    return list(scanner.scan_path(path))


def places(results: list[Match | Gap]) -> Iterator[tuple[str, str, int, int]]:
    for each in results:
        assert isinstance(each, Match)
        finding = each.finding
        yield finding.rule, finding.provider, finding.span.line, finding.span.column


def test_a_custom_plugin_from_a_file_runs_in_a_scan(plugin: Path, key: FingerprintKey) -> None:
    target = plugin.with_name("notes.txt")
    target.write_text("one\nbadge acme-123456   \nacme-123456 inside\nsay odd:thing twice\n")
    assert list(places(scanned(key, target, f"file://{plugin}"))) == [
        ("detect-secrets/AcmeDetector", "generic", 2, 7),
        ("detect-secrets/OddDetector", "generic", 4, 5),
    ]


def test_a_custom_plugin_from_a_module_runs_too(
    plugin: Path, key: FingerprintKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(plugin.parent))
    target = plugin.with_name("notes.txt")
    target.write_text("odd:thing\n")
    assert len(scanned(key, target, "module:acme_plugin")) == 1


def test_our_own_rule_names_a_credential_that_a_plugin_finds_too(
    plugin: Path, key: FingerprintKey, token: Token
) -> None:
    target = plugin.with_name("app.py")
    target.write_text(f'k = "{token(2)}"\n')
    assert [rule for rule, *_ in places(scanned(key, target, "all"))] == ["github-pat"]


def test_a_plugin_that_fails_makes_the_scan_incomplete_and_quotes_nothing(
    plugin: Path, key: FingerprintKey
) -> None:
    plugin.write_text(
        PLUGIN.replace("yield from (word", "raise ValueError(string)\n        yield from (word")
    )
    target = plugin.with_name("notes.txt")
    target.write_text("odd:thing\n")
    (gap,) = scanned(key, target, f"file://{plugin}")
    assert isinstance(gap, Gap)
    assert gap.incomplete
    assert "odd:" not in gap.why


@pytest.mark.parametrize(
    "name", ["NoSuchDetector", "file:///no/such/file.py", "module:no.such", "module:json"]
)
def test_a_plugin_that_is_not_there_is_refused_with_a_remedy(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        PluginDetector([name])
    assert caught.value.remedy


def test_known_types_name_their_provider(key: FingerprintKey) -> None:
    detector = PluginDetector(["AWSKeyDetector"])
    text = "key = AK" + "IA" + "Q3EGRBVNWKTX7MZP"
    fragment = Fragment(data=text.encode(), provenance=InWorktree(path="a.txt"))
    matches, gaps = detector.detect(fragment, key)
    assert not gaps
    assert [(each.finding.provider, each.finding.kind) for each in matches] == [
        ("aws", "aws-access-key")
    ]
