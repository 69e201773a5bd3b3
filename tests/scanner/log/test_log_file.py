from __future__ import annotations

import base64
import gzip
import io
import random
import textwrap
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stanch.scanner.api import Confidence, Match, Scanner
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.log.clean import Masked
from tests.scanner.conftest import Outcome, sorted_out

Token = Callable[[int], str]
STAMP = "2025-04-07T12:57:33.2904078Z "
GITLAB = "2024-05-22T12:12:34.123456Z "


def github(*lines: str) -> str:
    return "\ufeff" + "".join(f"{STAMP}{line}\n" for line in lines)


def scanned(scanner: Scanner, tmp_path: Path, text: str | bytes, name: str = "job.txt") -> Outcome:
    data = text.encode() if isinstance(text, str) else text
    (tmp_path / name).write_bytes(data)
    return sorted_out(iter(scanner.scan_target(f"log:{tmp_path / name}")))


def only(outcome: Outcome) -> tuple[Match, InLog]:
    (match,) = outcome.matches
    place = match.finding.provenance
    assert isinstance(place, InLog)
    assert outcome.incomplete == []
    return match, place


def test_a_finding_names_the_step_and_points_at_the_raw_line_and_column(
    scanner: Scanner, tmp_path: Path, token: Token
) -> None:
    secret = token(1)
    outcome = scanned(
        scanner,
        tmp_path,
        github(
            "##[group]Runner Image",
            "##[endgroup]",
            "##[group]Run npm test",
            "npm test",
            "##[endgroup]",
            f"\x1b[36;1mtoken\x1b[0m {secret}",
        ),
    )
    match, place = only(outcome)
    assert (place.provider, place.step) == ("github", "Run npm test")
    line = f"{STAMP}\x1b[36;1mtoken\x1b[0m {secret}"
    span = match.finding.span
    assert (span.line, span.column) == (6, line.index(secret) + 1)
    assert (span.end_line, span.end_column) == (6, len(line) + 1)


def test_a_value_that_gitlab_cut_in_two_is_one(
    scanner: Scanner, tmp_path: Path, token: Token
) -> None:
    secret = token(2)
    outcome = scanned(
        scanner,
        tmp_path,
        f"{GITLAB}00O section_start:1716379954:step_script\r\x1b[0K\x1b[0Kdone\n"
        f"{GITLAB}01O pushing with {secret[:17]}\n"
        f"{GITLAB}01E warning: of the other stream\n"
        f"{GITLAB}01O+{secret[17:]} now\n"
        f"{GITLAB}00O section_end:1716379954:step_script\r\x1b[0Ksection_start:1:after_script\r\n",
    )
    match, place = only(outcome)
    assert match.parts["value"].reveal().decode() == secret
    assert (place.provider, place.step) == ("gitlab", "step_script")
    span = match.finding.span
    assert (span.line, span.column) == (2, len(f"{GITLAB}01O pushing with ") + 1)
    assert span.end_line == 4


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_wrapped_base64_under_time_stamps_is_opened(
    scanner: Scanner, tmp_path: Path, token: Token, layers: int
) -> None:
    inner = f"first line of what was dumped\nGITHUB_TOKEN={token(3)}\nlast line\n".encode()
    for _ in range(layers):
        inner = "\n".join(textwrap.wrap(base64.b64encode(inner).decode(), 76)).encode()
    outcome = scanned(scanner, tmp_path, github("dump:", *inner.decode().split("\n"), "done"))
    match, _ = only(outcome)
    assert match.parts["value"].reveal().decode() == token(3)
    assert match.finding.span.line == 2
    assert match.finding.reason.count("base64") == layers


def test_the_memory_of_a_runner_gives_names_and_values(
    scanner: Scanner, tmp_path: Path, token: Token
) -> None:
    chance = random.Random(4)  # noqa: S311  # nothing is protected by it
    plain = "".join(chance.choices("abcdefghkmnpqrstuvwxyz23456789", k=28))
    dump = (
        f'"DEPLOY_THING":{{"value":"{plain}","isSecret":true}}'
        f'"github_token":{{"value":"{token(4)}","isSecret":true}}'
        '"system.debug":{"value":"false","isSecret":false}'
    )
    twice = base64.b64encode(base64.b64encode(dump.encode())).decode()
    for text in (dump, twice):
        outcome = scanned(scanner, tmp_path, github("x", text))
        found = {
            each.parts["value"].reveal().decode(): each.finding.within for each in outcome.matches
        }
        assert found == {plain: "DEPLOY_THING", token(4): "github_token"}


def test_what_a_provider_has_masked_is_no_finding(scanner: Scanner, tmp_path: Path) -> None:
    outcome = scanned(
        scanner,
        tmp_path,
        github(
            "git clone https://x-access-token:***@github.com/acme/app",
            "password=***",
            "curl https://[MASKED]:[MASKED]@example.com",
            "DB=postgres://app:[REDACTED]@db.internal/app",
            "PASSWORD=****",
        ),
    )
    sure = [each for each in outcome.matches if each.finding.confidence is not Confidence.LOW]
    assert sure == []
    (said,) = outcome.gaps
    assert said.why == "prints 3 logins in a URL that the provider has masked (line 1)"


def test_jenkins_notes_are_no_secrets_and_hide_none(
    scanner: Scanner, tmp_path: Path, token: Token
) -> None:
    secret = token(5)
    note = "\x1b[8mha:" + base64.b64encode(random.Random(5).randbytes(200)).decode() + "\x1b[0m"  # noqa: S311
    log = (
        f"Started by user {note}ann\n"
        f"[Pipeline] {{ (Deploy)\n[2024-01-01T00:00:00.000Z] token {secret[:9]}{note}{secret[9:]}\n"
        "Finished: SUCCESS\n"
    )
    match, place = only(scanned(scanner, tmp_path, log))
    assert (place.provider, place.step, match.finding.span.line) == ("jenkins", "Deploy", 3)
    assert match.parts["value"].reveal().decode() == secret


def test_what_was_overwritten_on_the_screen_is_still_in_the_log(
    scanner: Scanner, tmp_path: Path, token: Token
) -> None:
    match, _ = only(scanned(scanner, tmp_path, f"10%\rtoken {token(6)}\rall done, nothing here\n"))
    assert (match.finding.span.line, match.finding.span.column) == (1, 11)


def test_the_archive_of_a_run_names_job_and_step_and_says_each_once(
    scanner: Scanner, tmp_path: Path, token: Token
) -> None:
    step = github(f"token {token(7)}")
    whole = github("##[group]Run first", f"token {token(7)}", f"also {token(8)}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("build (3.11)/2_Run tests.txt", step)
        archive.writestr("0_build (3.11).txt", whole)
    outcome = scanned(scanner, tmp_path, buffer.getvalue(), "run.zip")
    places = [each.finding.provenance for each in outcome.matches]
    assert [(each.job, each.step, each.provider) for each in places if isinstance(each, InLog)] == [
        ("build (3.11)", "Run tests", "github"),
        ("build (3.11)", "Run first", "github"),
    ]
    assert set(outcome.secrets) == {token(7), token(8)}


def test_a_compressed_log_keeps_its_lines_and_a_cut_one_is_incomplete(
    scanner: Scanner, tmp_path: Path, token: Token
) -> None:
    packed = gzip.compress(github("one", f"token {token(9)}", *["more"] * 5000).encode())
    match, place = only(scanned(scanner, tmp_path, packed, "job.txt.gz"))
    assert (match.finding.span.line, place.path.endswith("job.txt.gz")) == (2, True)
    cut = scanned(scanner, tmp_path, packed[:-20], "cut.gz")
    assert len(cut.incomplete) == 1


def test_the_name_of_a_step_shows_no_value(scanner: Scanner, tmp_path: Path, token: Token) -> None:
    _, place = only(scanned(scanner, tmp_path, github(f"##[group]Run deploy {token(10)}")))
    assert place.step == "Run deploy •••"
    assert token(10) not in place.words


def test_a_secret_at_the_border_of_windows_is_found_once_where_it_is(
    scanner: Scanner, tmp_path: Path, token: Token
) -> None:
    filler = "x" * 99
    lines = [filler] * 30_000
    wanted = {}
    for number, at in enumerate((8100, 8150, 8154, 8155, 8156, 8200, 16300, 29_999)):
        lines[at] = f"token {token(20 + number)}"
        wanted[token(20 + number)] = at + 1
    outcome = scanned(scanner, tmp_path, github(*lines))
    found = {
        each.parts["value"].reveal().decode(): each.finding.span.line for each in outcome.matches
    }
    assert (found, len(outcome.matches)) == (wanted, len(wanted))
    assert {each.finding.span.column for each in outcome.matches} == {len(STAMP) + 7}


def test_a_log_that_is_not_there_is_a_users_mistake(scanner: Scanner, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="there is no file"):
        scanner.scan_target(f"log:{tmp_path / 'no.txt'}")


@pytest.mark.parametrize(
    "within", ["\x1b[01;31m\x1b[K", "\x1b]8;;https://example.com\x07", "\x1b_bk;t=1\x07", "\x1b(B"]
)
def test_a_value_in_which_a_terminal_changes_its_colour_is_one(
    scanner: Scanner, tmp_path: Path, token: Token, within: str
) -> None:
    secret = token(30)
    line = f"token {secret[:11]}{within}{secret[11:]}"
    match, _ = only(scanned(scanner, tmp_path, github("first", line)))
    assert match.parts["value"].reveal().decode() == secret
    assert match.finding.span.end_column == len(STAMP + line) + 1


@pytest.mark.parametrize(
    "before", [b"\a\aline\n" * 20 + b"\0\n", b"a\r\r\nhello\n"], ids=["binary", "python"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_log_is_text_whatever_a_step_prints_into_it(
    scanner: Scanner, tmp_path: Path, token: Token, before: bytes, *, packed: bool
) -> None:
    log = before + token(1).encode() + b"\n"
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as made:
        made.writestr("0_job.txt", log)
    (tmp_path / "job.txt").write_bytes(log)
    name = "logs.zip" if packed else "job.txt"
    outcome = sorted_out(iter(scanner.scan_log(str(tmp_path / name))))
    assert outcome.secrets == [token(1)]


def test_many_masked_addresses_cost_little() -> None:
    masked = Masked()
    began = time.process_time()
    masked.hear((b"://" + b"*" * 400 + b"\n") * 2600, 1)
    assert time.process_time() - began < 0.1
    assert masked.first == 0
