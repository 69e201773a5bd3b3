"""The file itself: what it holds, what it refuses, and what it gives away."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest

from stanch.scanner.api import SecretValue, UsageError
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.digest import Recipe
from stanch.scanner.suppression.entry import Entry, Imported

RECIPE = Recipe(salt="5a" * 16, memory=8_192, passes=2)
HEAD = Baseline(recipes=(RECIPE,)).text()


def entry(mark: str = "0", *, expires: date | None = None, reason: str = "a test") -> Entry:
    return Entry(
        id=(mark * 32)[:32],
        provider="generic",
        kind="password",
        rule="generic-assignment",
        path="a.py",
        reason=reason,
        author="ann@example.org",
        added=date(2026, 1, 2),
        expires=expires,
    )


def imported() -> Imported:
    return Imported(
        sha1="a" * 40,
        path="old.py",
        detector="Secret Keyword",
        reason="kept",
        author="ann@example.org",
        added=date(2026, 1, 2),
        expires=None,
        is_secret=False,
    )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    whole = Baseline(recipes=(RECIPE,)).adding([entry("b"), entry("a"), imported()])
    whole.write(tmp_path / "file")
    assert Baseline.read(tmp_path / "file") == whole
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_entries_are_one_a_line_and_sorted() -> None:
    text = Baseline(recipes=(RECIPE,)).adding([entry("b"), entry("a"), entry("c")]).text()
    ids = [json.loads(line)["id"][0] for line in text.splitlines()[1:]]
    assert ids == ["a", "b", "c"]


def test_of_two_entries_for_the_same_the_one_that_ends_first_counts() -> None:
    both = [entry("a"), entry("a", expires=date(2027, 1, 1)), entry("a", expires=date(2028, 1, 1))]
    for order in (both, both[::-1]):
        (kept,) = Baseline(recipes=(RECIPE,)).adding(order).entries
        assert kept.expires == date(2027, 1, 1)


def test_replacing_an_entry_can_make_it_last_longer() -> None:
    short = Baseline(recipes=(RECIPE,)).adding([entry("a", expires=date(2026, 2, 1))])
    assert short.replacing([entry("a")]).entries == (entry("a"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not begin"),
        (HEAD.replace('"version":1', '"version":2'), "version 2"),
        (HEAD.replace("argon2id", "md5"), "'md5'"),
        (HEAD.replace('"memory":8192', '"memory":8'), "out of bounds"),
        (HEAD.replace('"memory":8192', '"memory":99999999'), "out of bounds"),
        (HEAD.replace('"passes":2', '"passes":4000'), "out of bounds"),
        (HEAD + "<" * 7 + " HEAD\n", ":2: a conflict of git"),
        (HEAD + '{"type":"entry"}\n', ":2: this line is not understood"),
        (HEAD + "no json\n", ":2: this line is not understood"),
        (HEAD + "\udce9\n", ":2: this line is not understood"),
        ("".join(HEAD.replace("5a" * 16, f"{n:032x}") for n in range(5)), "more than 4"),
    ],
)
def test_what_is_not_understood_is_refused_by_line_and_with_a_remedy(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Baseline.parse(text.encode(errors="surrogateescape"), name="file")
    assert said in str(caught.value)
    assert caught.value.remedy


def test_an_expiry_has_to_be_written_even_when_it_is_never() -> None:
    line = json.loads(msgspec.json.encode(entry()))
    assert line["expires"] is None
    del line["expires"]
    with pytest.raises(UsageError, match="expires"):
        Baseline.parse((HEAD + json.dumps(line)).encode(), name="file")


def test_the_same_password_has_another_digest_in_another_repository() -> None:
    parts = {"value": SecretValue(b"correct horse")}
    other = replace(RECIPE, salt="6b" * 16)
    assert RECIPE.digest("generic", "password", parts) != other.digest("generic", "password", parts)


def test_every_part_and_its_name_enter_the_digest() -> None:
    pairs = [
        {"id": SecretValue(b"one"), "secret": SecretValue(b"two")},
        {"id": SecretValue(b"one"), "secret": SecretValue(b"three")},
        {"id": SecretValue(b"one")},
        {"id": SecretValue(b"onesecrettwo")},
        {"id": SecretValue(b"two"), "secret": SecretValue(b"one")},
    ]
    digests = {RECIPE.digest("aws", "access-key", each) for each in pairs}
    digests.add(RECIPE.digest("aws", "access-key-id", pairs[0]))
    assert len(digests) == 6


def test_new_baselines_make_each_guess_cost_what_owasp_asks_for() -> None:
    fresh = Recipe.fresh()
    assert (fresh.memory, fresh.passes) == (19_456, 2)
    assert Recipe.fresh().salt != fresh.salt
