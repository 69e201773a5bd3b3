from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.anomaly.baseline import LATEST, Baseline, shifts
from stanch.scanner.anomaly.measure import Reading
from stanch.scanner.anomaly.stream_tap import MOST_KEPT, Ear
from stanch.scanner.anomaly.survey import Survey
from stanch.scanner.api import FingerprintKey, UsageError

Draw = Callable[..., str]
Code = Callable[..., str]

QUIET = [Reading(size=100_000, suspicious=n, entropy=(3.2, 3.6, 3.9)) for n in (30, 28, 33, 31, 29)]
LOUD = Reading(size=100_000, suspicious=1240, entropy=(3.2, 3.6, 3.9))


def _heard(text: bytes, key: FingerprintKey, *, step: int = 1 << 16) -> tuple[Ear, Survey]:
    survey = Survey(key)
    ear = Ear(io.BytesIO(text), "ci/build", survey)
    while ear.read(step):
        pass
    return ear, survey


def test_a_sudden_flood_is_an_anomaly_with_its_evidence() -> None:
    (shift,) = shifts((*QUIET, *QUIET[:4]), LOUD)
    assert shift.reason == "12.4 suspicious strings per KB, usual 0.3 ± 0.01 over 9 scans"


def test_four_scans_are_too_few_to_call_anything_unusual() -> None:
    assert shifts(tuple(QUIET[:4]), LOUD) == ()


def test_usual_scatter_is_no_anomaly() -> None:
    for count in (0, 20, 35, 45):
        now = Reading(size=100_000, suspicious=count, entropy=(3.2, 3.6, 3.9) if count else ())
        assert shifts(tuple(QUIET), now) == ()


def test_one_string_in_a_short_log_of_a_silent_job_is_no_anomaly() -> None:
    silent = tuple(Reading(size=900, suspicious=0, entropy=()) for _ in range(9))
    assert shifts(silent, Reading(size=900, suspicious=1, entropy=(3.5, 3.5, 3.5))) == ()
    loud = Reading(size=900, suspicious=12, entropy=(3.5, 3.5, 3.5))
    assert len(shifts(silent, loud)) == 1


def test_a_log_that_suddenly_holds_much_encoded_text_is_an_anomaly() -> None:
    usual = [each._replace(encoded=n) for each, n in zip(QUIET, (90, 0, 300, 120, 60), strict=True)]
    (shift,) = shifts(tuple(usual), QUIET[0]._replace(encoded=9_000))
    assert shift.reason == "9.0% of the text is encoded, usual 0.1% ± 0.0% over 5 scans"
    assert shifts(tuple(usual), QUIET[0]._replace(encoded=1_500)) == ()
    assert shifts(tuple(QUIET), QUIET[0]._replace(encoded=9_000)) == ()


def test_another_kind_of_string_at_the_usual_rate_is_an_anomaly() -> None:
    now = Reading(size=100_000, suspicious=31, entropy=(4.8, 5.3, 5.5))
    (shift,) = shifts(tuple(QUIET), now)
    assert shift.reason == (
        "suspicious strings have 5.3 bits of entropy a character, usual 3.6 ± 0.0 over 5 scans"
    )


def test_after_many_such_scans_the_new_rate_is_usual() -> None:
    assert shifts((*QUIET, *[LOUD] * 6), LOUD) == ()


def test_what_is_kept_is_private_bounded_and_holds_only_counts(
    tmp_path: Path, key: FingerprintKey, draw: Draw
) -> None:
    values = [draw(number) for number in range(50)]
    _, survey = _heard("\n".join(values).encode(), key)
    baseline = Baseline(tmp_path / "home", "stream:ci/build")
    for _ in range(LATEST + 7):
        baseline.remember(survey.measure.reading())
    assert stat.S_IMODE(baseline.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(baseline.path.parent.stat().st_mode) == 0o700
    text = baseline.path.read_text()
    held = json.loads(text)
    assert len(held["scans"]) == LATEST
    assert set(held) == {"version", "scans"}
    assert {key for scan in held["scans"] for key in scan} == {
        *("size", "suspicious", "entropy", "encoded")
    }
    assert "ci/build" not in text
    assert "ci" not in baseline.path.name
    assert not any(value[at : at + 6] in text for value in values for at in range(34))
    assert baseline.readings()[-1] == survey.measure.reading()
    assert [each.name for each in baseline.path.parent.iterdir()] == [baseline.path.name]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 50_000,
        b"\xff\xfe",
        b"x" * 70_000,
        b'{"version": 2, "scans": []}',
        b'{"version": 1}',
        b'{"version": 1, "scans": [7]}',
        b'{"version": 1, "scans": [{"size": -1, "suspicious": 0, "entropy": []}]}',
        b'{"version": 1, "scans": [{"size": 1, "suspicious": 1, "entropy": [NaN, 1, 1]}]}',
        b'{"version": 1, "scans": [{"size": 1, "suspicious": 1, "entropy": []}]}',
    ],
)
def test_a_broken_baseline_is_an_error_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    baseline = Baseline(tmp_path, "stream:x")
    baseline.path.parent.mkdir()
    baseline.path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        baseline.readings()
    assert "delete it" in caught.value.remedy


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)), min_size=5, max_size=12))
def test_no_history_makes_the_statistics_fail(history: list[tuple[int, int]]) -> None:
    readings = tuple(Reading(size=s, suspicious=n, entropy=(1.0, 2.0, 3.0)) for s, n in history)
    for now in readings:
        shifts(readings, now)


def test_a_stream_is_judged_once_it_has_been_heard_however_it_was_read(
    key: FingerprintKey, code: Code, draw: Draw
) -> None:
    lines = code(1, 3000).splitlines(keepends=True)
    lines.insert(1234, f"export x={draw(4)}\n")
    text = "".join(lines).encode()
    found = []
    for step in (7919, 1 << 20):
        ear, _ = _heard(text, key, step=step)
        found.append([odd.match.finding for odd in ear.oddities()])
    assert found[0] == found[1]
    assert [(each.path, each.span.line, each.span.column) for each in found[0]] == [
        ("ci/build", 1235, 10)
    ]


def test_an_ear_forgets_the_most_crowded_pieces_first(
    key: FingerprintKey, code: Code, draw: Draw
) -> None:
    alone = f"x={draw(1)}\n"
    quiet = code(1, 700)
    crowd = "".join(f"{draw(number, 'base36', 300)}\n" for number in range(200))
    text = alone + quiet + crowd * (MOST_KEPT // 190)
    ear, _ = _heard(text.encode(), key)
    assert ear._count <= MOST_KEPT
    assert ear._kept[0].found[0].token == draw(1).encode()


def test_a_line_without_end_is_heard_in_bounded_memory(key: FingerprintKey) -> None:
    ear, survey = _heard(b"ab1 " * 1_000_000, key)
    assert len(ear._rest) < 2 << 20
    assert list(ear.oddities()) == []
    assert survey.measure.reading().size == 4_000_000
