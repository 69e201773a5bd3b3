"""Who decides that a finding is hidden, and when that ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from stanch.scanner.api import (
    FingerprintKey,
    Fragment,
    InStream,
    Match,
    SecretValue,
    UsageError,
    builtin_rules,
)
from stanch.scanner.scan.engine import ScanEngine
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.digest import Recipe
from stanch.scanner.suppression.entry import Entry
from stanch.scanner.suppression.signature import WaiverKey, WaiverSigner
from stanch.scanner.suppression.suppressor import Review, Suppressor

Token = Callable[[int], str]
TODAY = date(2026, 6, 15)
RECIPE = Recipe(salt="5a" * 16, memory=8_192, passes=2)
KEY = FingerprintKey(SecretValue(bytes(range(32))))


@pytest.fixture(scope="module")
def judged() -> Callable[..., list[Match]]:
    rules = builtin_rules()

    def run(text: str, suppressor: Suppressor | None = None, path: str = "a.py") -> list[Match]:
        engine = ScanEngine(rules, KEY, suppressor=suppressor or Suppressor(None, today=TODAY))
        fragment = Fragment(data=text.encode(), provenance=InStream(path=path))
        return list(engine.scan(fragment))

    return run


def accepting(match: Match, *, expires: date | None = None) -> Entry:
    finding = match.finding
    return Entry(
        id=RECIPE.digest(finding.provider, finding.kind, match.parts),
        provider=finding.provider,
        kind=finding.kind,
        rule=finding.rule,
        path="somewhere",
        reason="a test",
        author="ann@example.org",
        added=TODAY,
        expires=expires,
    )


def baseline(*entries: Entry) -> Baseline:
    return Baseline(recipes=(RECIPE,)).adding(entries)


@pytest.mark.parametrize(
    ("end", "hides"),
    [(None, True), (TODAY, True), (TODAY - timedelta(days=1), False)],
)
def test_an_entry_counts_up_to_its_last_day(
    judged: Callable[..., list[Match]], token: Token, end: date | None, *, hides: bool
) -> None:
    text = f'k = "{token(1)}"\n'
    (match,) = judged(text)
    whole = baseline(accepting(match, expires=end))
    (again,) = judged(text, Suppressor(whole, today=TODAY))
    waiver = again.finding.waiver
    assert waiver is not None
    assert waiver.hides is hides
    assert hides or waiver.void == f"its waiver expired on {end}"


def test_an_entry_that_was_of_no_use_is_stale(
    judged: Callable[..., list[Match]], token: Token
) -> None:
    text = f'k = "{token(1)}"\n'
    (match,), (other,) = judged(text), judged(f'k = "{token(2)}"\n')
    whole = baseline(accepting(match), accepting(other))
    review = Review()
    assert not any(
        review.add(each.finding) for each in judged(text, Suppressor(whole, today=TODAY))
    )
    assert review.stale(whole) == (accepting(other),)


def test_with_a_waiver_key_only_what_its_owner_signed_counts(
    judged: Callable[..., list[Match]], token: Token, tmp_path: Path
) -> None:
    signer, stranger = WaiverSigner.create(tmp_path / "a"), WaiverSigner.create(tmp_path / "b")
    text = f'k = "{token(1)}"\n'
    (match,) = judged(text)
    bare = accepting(match)
    good = signer.signed(RECIPE, bare)
    for line, hides in (
        (bare, False),
        (stranger.signed(RECIPE, bare), False),
        (msgspec.structs.replace(good, reason="another"), False),
        (msgspec.structs.replace(good, within="*"), False),
        (signer.signed(Recipe(salt="6b" * 16), bare), False),
        (msgspec.structs.replace(bare, signature="zz"), False),
        (good, True),
    ):
        assert isinstance(line, Entry)
        judge = Suppressor(baseline(line), today=TODAY, waiver_key=WaiverKey(signer.public))
        (again,) = judged(text, judge)
        assert again.finding.waiver is not None
        assert again.finding.waiver.hides is hides


def test_with_a_waiver_key_markers_do_not_count(
    judged: Callable[..., list[Match]], token: Token, tmp_path: Path
) -> None:
    judge = Suppressor(
        None, today=TODAY, waiver_key=WaiverKey(WaiverSigner.create(tmp_path / "a").public)
    )
    (match,) = judged(f'k = "{token(1)}"  # stanch: allow it is revoked\n', judge)
    assert match.finding.waiver is not None
    assert not match.finding.waiver.hides


def test_a_waiver_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    WaiverSigner.create(tmp_path / "a")
    (tmp_path / "a").chmod(0o644)
    with pytest.raises(UsageError, match="read by others"):
        WaiverSigner.load(f"file:{tmp_path / 'a'}")


@pytest.mark.parametrize(
    "line",
    [
        'k = "{}"  # stanch: allow revoked in May',
        'k = "{}"  // stanch: allow revoked in May',
        'k = "{}"  /* stanch: allow revoked in May */',
        "<k>{}</k> <!-- stanch: allow revoked in May -->",
        "set k '{}' -- stanch: allow: revoked in May",
        "k = {}  ; stanch: allow revoked in May",
        "k = {}  % stanch: allow revoked in May",
        '(* stanch: allow revoked in May *) let k = "{}"',
        'k = "{}"  # stanch: allow[github-pat, other] revoked in May',
        '# stanch: allow-next revoked in May\nk = "{}"',
    ],
)
def test_a_marker_with_a_reason_hides_and_says_why(
    judged: Callable[..., list[Match]], token: Token, line: str
) -> None:
    (match,) = judged(line.format(token(1)) + "\n")
    assert match.finding.waiver is not None
    assert match.finding.waiver.hides
    assert match.finding.waiver.reason == "revoked in May"


@pytest.mark.parametrize(
    "line",
    [
        'k = "{}"  # stanch: allow',
        'k = "{}"  # stanch: allow  -',
        'k = "{}"  /* stanch: allow */',
    ],
)
def test_a_marker_without_a_reason_is_reported_and_hides_nothing(
    judged: Callable[..., list[Match]], token: Token, line: str
) -> None:
    (match,) = judged(line.format(token(1)) + "\n")
    assert match.finding.waiver is not None
    assert match.finding.waiver.void is not None
    assert "gives no reason" in match.finding.waiver.void


@pytest.mark.parametrize(
    "text",
    [
        'k = "{}"  # stanch: allow[aws-access-key] revoked in May',
        'k = "{}"\n# stanch: allow revoked in May',
        '# stanch: allow revoked in May\nk = "{}"',
        'k = "{}"  # stanch: allowance revoked in May',
        'x = 1 # stanch: allow-next far away\n\nk = "{}"',
        'x = 1 # pragma: allowlist nextline secret\nk = "{}"',
        '# pragma: allowlist secret\nk = "{}"',
    ],
)
def test_a_marker_for_something_else_does_not_count(
    judged: Callable[..., list[Match]], token: Token, text: str
) -> None:
    (match,) = judged(text.format(token(1)) + "\n")
    assert match.finding.waiver is None


@pytest.mark.parametrize(
    "text",
    [
        'k = "{}"  # pragma: allowlist secret',
        'k = "{}"  // pragma: whitelist secret',
        'k = "{}"  # pragma: allowlist-secret because it is old',
        '  # pragma: allowlist nextline secret\nk = "{}"',
        "<k>{}</k> <!-- pragma: allowlist secret -->",
        'k = "{}"  # gitleaks:allow',
        'k = "{}"  // betterleaks:allow',
        'k = "{}"  # trufflehog:ignore',
        'k = "{}"  /* kingfisher:ignore */',
        'k = "{}"  # ggignore',
    ],
)
def test_markers_of_other_tools_are_honoured(
    judged: Callable[..., list[Match]], token: Token, text: str
) -> None:
    (match,) = judged(text.format(token(1)) + "\n")
    assert match.finding.waiver is not None
    assert match.finding.waiver.hides


def test_the_hashes_of_a_detect_secrets_baseline_are_no_findings(
    judged: Callable[..., list[Match]],
) -> None:
    text = '{"hashed_' + 'secret": "' + "d0d5fa2de886d925e94346c06d300570" + "0687630a" + '"}\n'
    assert judged(text, path=".secrets.baseline") == []


def test_what_was_judged_before_is_judged_again_when_something_has_changed(
    judged: Callable[..., list[Match]], token: Token, tmp_path: Path
) -> None:
    (match,) = judged(f'k = "{token(1)}"\n')
    ending = accepting(match, expires=TODAY)
    key = WaiverKey(WaiverSigner.create(tmp_path / "a").public)
    bases = [
        Suppressor(None, today=TODAY),
        Suppressor(baseline(accepting(match)), today=TODAY),
        Suppressor(baseline(ending), today=TODAY),
        Suppressor(baseline(ending), today=TODAY + timedelta(days=1)),
        Suppressor(baseline(ending), today=TODAY, waiver_key=key),
        Suppressor(baseline(ending), today=TODAY, prefix="src/"),
    ]
    assert len({each.basis() for each in bases}) == len(bases)
    later = Suppressor(baseline(accepting(match)), today=TODAY + timedelta(days=1))
    assert later.basis() == bases[1].basis()
