"""What loads can be planned; everything else is refused with a line and a way out."""

from __future__ import annotations

import contextlib
import textwrap
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.responder.domain.error import RunbookError
from stanch.responder.domain.runbook import Phase, Silence, runbook_for
from stanch.responder.domain.step import Effect, StepSpec
from stanch.responder.engine.document import MAX_BYTES, read
from stanch.responder.engine.loader import load_runbooks
from stanch.responder.engine.policy import load_policies


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    user: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    pass


SPECS = {
    spec.name: spec
    for spec in (
        StepSpec(
            name="x.find", title="Find", effect=Effect.READ, params=Nothing, outputs=("user", "arn")
        ),
        StepSpec(
            name="x.lock", title="Lock", effect=Effect.REVERSIBLE, params=Who, undo="x.unlock"
        ),
        StepSpec(
            name="x.unlock", title="Unlock", effect=Effect.REVERSIBLE, params=Who, undo="x.lock"
        ),
        StepSpec(name="x.delete", title="Delete", effect=Effect.FINAL, params=Who),
        StepSpec(name="x.check", title="Check", effect=Effect.READ, params=Who, proves=True),
    )
}
POLICY = """\
policy: two-eyes
title: Somebody else looks
group: security
expires: 4h
silence: hold
"""
GOOD = """\
runbook: good
version: 3
title: A thing leaked
answers:
  - {provider: x, kinds: [key]}
contained_by: check
proven_dead_by: audit
contain:
  - step: find
    uses: x.find
    after: []
  - step: lock
    uses: x.lock
    with: {user: "${find.user}"}
    after: [find]
  - step: check
    uses: x.check
    with: {user: "${find.user}"}
    after: [lock]
revoke:
  - step: delete
    uses: x.delete
    with: {user: "${find.user}", note: no}
    after: [check]
    approval: two-eyes
audit:
  - step: audit
    uses: x.check
    with: {user: "${find.user} of ${find.arn}"}
    after: [delete]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "two-eyes.yaml").write_text(POLICY)
    (tmp_path / "good.yaml").write_text(GOOD)
    return tmp_path


def test_a_runbook_becomes_steps_in_the_order_of_the_phases(folder: Path) -> None:
    runbook = load_runbooks(folder, SPECS)["good"]
    assert [step.id for step in runbook.steps] == ["find", "lock", "check", "delete", "audit"]
    assert runbook.steps[1].origin == "good.yaml:12"
    assert runbook.steps[3].phase is Phase.REVOKE
    assert runbook.policies["two-eyes"].expires == timedelta(hours=4)
    assert runbook.policies["two-eyes"].silence is Silence.HOLD


PART = """\
part: copies
title: What hangs on its copies
identify:
  - step: copy
    uses: x.find
    after: []
revoke:
  - step: shred
    uses: x.delete
    with: {user: "${copy.user}"}
    after: [copy]
    approval: two-eyes
"""


def test_a_part_waits_for_containment_and_its_steps_stand_in_their_phases(folder: Path) -> None:
    (folder / "parts").mkdir()
    (folder / "parts" / "copies.yaml").write_text(PART)
    (folder / "good.yaml").write_text(GOOD.replace("contain:", "include: [copies]\ncontain:", 1))
    runbook = load_runbooks(folder, SPECS)["good"]
    ids = [step.id for step in runbook.steps]
    assert ids == ["find", "lock", "check", "copy", "delete", "shred", "audit"]
    assert runbook.steps[3].after == ("check",)
    assert runbook.steps[3].origin == "copies.yaml:4"
    assert runbook.containing == {"find", "lock", "check"}
    assert runbook.steps[5].after == ("copy",)


def test_a_runbook_of_ones_own_may_include_a_shipped_part(folder: Path, tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    (shipped / "parts").mkdir(parents=True)
    (shipped / "parts" / "copies.yaml").write_text(PART)
    (folder / "good.yaml").write_text(GOOD.replace("contain:", "include: [copies]\ncontain:", 1))
    found = load_runbooks(folder, SPECS, over=shipped)["good"]
    assert found.step("shred") is not None


@pytest.mark.parametrize(
    ("part", "include", "said"),
    [
        (PART, "[copis]", "no part 'copis'"),
        (PART.replace("part: copies", "part: other"), "[copies]", "must be the file's name"),
        (PART.replace("title", "titel"), "[copies]", "titel"),
        (PART.replace("step: copy", "step: find"), "[copies]", "exists already"),
    ],
)
def test_a_part_that_does_not_fit_is_refused(
    folder: Path, part: str, include: str, said: str
) -> None:
    (folder / "parts").mkdir()
    (folder / "parts" / "copies.yaml").write_text(part)
    (folder / "good.yaml").write_text(GOOD.replace("contain:", f"include: {include}\ncontain:", 1))
    with pytest.raises(RunbookError, match=said):
        load_runbooks(folder, SPECS)


def test_yaml_does_not_guess_types(folder: Path) -> None:
    assert load_runbooks(folder, SPECS)["good"].steps[3].params["note"] == "no"


def test_a_leak_is_answered_by_its_runbook_or_by_none(folder: Path) -> None:
    runbooks = load_runbooks(folder, SPECS)
    found = runbook_for(runbooks.values(), "x", "key")
    assert found is not None
    assert found.id == "good"
    assert runbook_for(runbooks.values(), "x", "token") is None


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "remedy"),
    [
        ("title:", "titel:", 3, "unknown key 'titel'", "'title'"),
        ("contain:", "contian:", 8, "unknown key 'contian'", "'contain'"),
        ("    uses: x.lock", "    uses: x.lok", 13, "no step 'x.lok'", "'x.lock'"),
        ("x.lock\n    with", "x.lock\n    wiht", 14, "unknown key 'wiht'", "'with'"),
        ('{user: "${find.user}"}\n    after: [find]', "{usr: a}\n    after: [find]", 14,
         "unknown key 'usr'", "'user'"),
        ('{user: "${find.user}"}\n    after: [find]', "{note: a}\n    after: [find]", 14,
         "'user' is missing", "user"),
        ('${find.user}"}\n    after: [lock]', '${find.usr}"}\n    after: [lock]', 16,
         "no output 'usr'", "'user'"),
        ('${find.user}"}\n    after: [lock]', '${fnd.user}"}\n    after: [lock]', 16,
         "'fnd', which does not exist", "'find'"),
        ('${find.user}"}\n    after: [lock]', '${audit.user}"}\n    after: [lock]', 16,
         "not over when 'check' starts", "audit"),
        ('${find.user}"}\n    after: [lock]', '${find}"}\n    after: [lock]', 16,
         "is not a reference", "${step.output}"),
        ("after: [lock]", "after: [lokc]", 16, "'lokc', which does not exist", "'lock'"),
        ("after: [lock]", "after: [audit]", 16, "later phase", "move"),
        ("after: []", "after: [check]", 9, "wait for each other", "after"),
        ("    after: [lock]\n", "", 16, "'after' is missing", "after"),
        ("approval: two-eyes", "approval: two-eye", 25, "no policy 'two-eye'", "'two-eyes'"),
        ("    approval: two-eyes\n", "", 21, "cannot be undone", "two-eyes"),
        ("step: lock", "step: find", 12, "exists already", "good.yaml:9"),
        ("step: lock", "step: Lock!", 12, "not a step id", "a-z"),
        ("contained_by: check", "contained_by: lock", 6, "that proves", "check"),
        ("proven_dead_by: audit", "proven_dead_by: check", 7, "that proves", "audit"),
        ("version: 3", "version: three", 2, "not a version", "whole number"),
        ("runbook: good", "runbook: other", 1, "must be the file's name", "good"),
        ("title: A thing leaked", "title: A\ntitle: B", 4, "given twice", "good.yaml:3"),
        ("title: A thing leaked", "title: &a A", 3, "aliases are not allowed", "write it out"),
        ("title: A thing leaked", "title: !!python/name:os.system x", 3, "tags", "remove"),
        ("title: A thing leaked", "title: [a]", 3, "a text is expected", "one value"),
        ("title: A thing leaked", "title: 'open", 3, "not valid YAML", "docs/runbooks.md"),
        ("title: A thing leaked", "title: " + "[" * 20 + "]" * 20, 3, "nested too deeply", "flat"),
        ("after: [lock]", "after: lock", 19, "a list is expected", "[a, b]"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_a_way_out(
    folder: Path, old: str, new: str, line: int, message: str, remedy: str
) -> None:
    assert old in GOOD
    (folder / "good.yaml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(RunbookError) as caught:
        load_runbooks(folder, SPECS)
    assert f"good.yaml:{line}:" in str(caught.value)
    assert message in str(caught.value)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("expires: 4h", "expires: four hours", 4, "not a duration"),
        ("expires: 4h", "expires: 0h", 4, "not a duration"),
        ("silence: hold", "silence: hodl", 5, "not an outcome for silence"),
        ("group: security", "group: ''", 3, "no group"),
        ("group: security\n", "", 1, "'group' is missing"),
    ],
)
def test_a_mistake_in_a_policy_is_named_with_its_line(
    folder: Path, old: str, new: str, line: int, message: str
) -> None:
    (folder / "policies" / "two-eyes.yaml").write_text(POLICY.replace(old, new, 1))
    with pytest.raises(RunbookError) as caught:
        load_policies(folder)
    assert f"two-eyes.yaml:{line}:" in str(caught.value)
    assert message in str(caught.value)


def test_two_runbooks_for_the_same_leak_are_refused(folder: Path) -> None:
    (folder / "more.yaml").write_text(GOOD.replace("runbook: good", "runbook: more"))
    with pytest.raises(RunbookError, match=r"more\.yaml:1: good\.yaml answers x key already"):
        load_runbooks(folder, SPECS)


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RunbookError, match="not a folder"):
        load_runbooks(tmp_path / "none", SPECS)


def test_a_folder_without_policies_is_fine(tmp_path: Path) -> None:
    assert load_runbooks(tmp_path, SPECS) == {}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"- a", "`key: value` lines are expected"),
        (b"a: " + b"x" * MAX_BYTES, "larger than 64 KiB"),
        (b"a: \x00", "not valid YAML"),
        (b"[a]: b", "a text is expected"),
    ],
)
def test_what_is_not_a_table_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(RunbookError, match=message):
        read(raw, "f.yaml")


@given(st.one_of(st.binary(max_size=200), st.text(alphabet="ab:-[]{}&*!'\"\n |>#", max_size=80)))
def test_no_input_makes_the_reader_fail_otherwise(raw: bytes | str) -> None:
    with contextlib.suppress(RunbookError):
        read(raw.encode() if isinstance(raw, str) else raw, "f.yaml")


def test_deep_nesting_is_refused_before_anything_is_built() -> None:
    with pytest.raises(RunbookError, match="nested too deeply"):
        read(b"a: " + b"[" * 30_000, "f.yaml")


def test_a_long_runbook_is_refused(folder: Path) -> None:
    more = textwrap.indent("- step: s{n}\n  uses: x.find\n  after: []\n", "  ")
    steps = "".join(more.replace("{n}", str(n)) for n in range(120))
    (folder / "good.yaml").write_text(GOOD.replace("revoke:", f"identify:\n{steps}revoke:"))
    with pytest.raises(RunbookError, match="125 steps"):
        load_runbooks(folder, SPECS)
