"""``stanch secrets rotate`` and ``repair`` as a person types them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from stanch.responder.cli.main import stanch
from stanch.responder.domain.error import UsageError
from stanch.responder.lab.aws import AwsLab
from stanch.responder.lifecycle.rotation.rotator import RotationFailed
from tests.responder.cli.test_secrets import KEY, TAGS, lab, made, place, refused, run

__all__ = ["lab", "place"]
WHY = ("--ticket", "CHG-7", "--reason", "it is due")


def current(lab: AwsLab) -> str:
    value: str = lab.client("secretsmanager").get_secret_value(SecretId=KEY.partition("//")[2])[
        "SecretString"
    ]
    return value


@pytest.mark.usefixtures("place")
def test_a_secret_is_rotated_kept_for_a_while_and_retired(lab: AwsLab) -> None:
    before = made(lab, {**TAGS, "rotator": "random"})
    said = run("rotate", KEY, *WHY)
    assert "the new value is current: not tried: no --check says how" in said
    assert "stanch secrets repair secret://shop/prod/stripe/api-key" in said
    after = current(lab)
    assert after != before
    assert "stanch secrets repair --now" in refused("rotate", KEY, *WHY).remedy
    assert "the old value is retired" in run("repair", "--now", KEY)
    assert "nothing is open" in run("repair", KEY)
    record = CliRunner().invoke(stanch, ["audit", "log"]).output
    assert "rotation.done" in record
    assert before not in record
    assert after not in record
    found = json.loads(run("list", "--format", "json", "--env", "prod"))
    assert "2026-11-30" not in json.dumps(found)  # rotated since


@pytest.mark.usefixtures("place")
def test_nobody_guesses_how_a_secret_is_rotated(lab: AwsLab) -> None:
    before = made(lab, TAGS)
    error = refused("rotate", KEY, *WHY)
    assert isinstance(error, UsageError)
    assert f"stanch secrets annotate {KEY} --rotator" in error.remedy
    assert current(lab) == before
    pair = refused("rotate", KEY, *WHY, "--with", "postgresql")
    assert "--rotation-admin" in pair.remedy
    too_long = refused("rotate", KEY, *WHY, "--with", "random", "--keep", "48h")
    assert "24h at most" in str(too_long)
    assert current(lab) == before


@pytest.mark.usefixtures("place")
def test_what_a_person_brings_is_tried_before_it_is_given(lab: AwsLab, tmp_path: Path) -> None:
    before = made(lab, TAGS)
    program = tmp_path / "check.py"
    program.write_text("import sys; sys.exit(sys.stdin.read() != 'works')")
    check = f"{sys.executable} {program}"
    arguments = ["secrets", "rotate", KEY, *WHY, "--with", "value", "--check", check]
    wrong = CliRunner().invoke(stanch, arguments, input="fails\n")
    assert isinstance(wrong.exception, RotationFailed)
    assert current(lab) == before
    right = CliRunner().invoke(stanch, arguments, input="works\n")
    assert right.exit_code == 0, right.output
    assert current(lab) == "works"


@pytest.mark.usefixtures("place")
def test_a_revoked_secret_is_given_to_nobody_until_it_is_restored(
    lab: AwsLab, capfd: pytest.CaptureFixture[str]
) -> None:
    value = made(lab, TAGS)
    run("get", KEY)
    done = CliRunner().invoke(stanch, ["secrets", "revoke", KEY, "--reason", "it leaked"])
    assert done.exit_code == 1
    assert "secrets-manager gives it to nobody" in done.output
    assert "STILL OPEN: the value itself still works: nothing says where it counts" in done.output
    assert "was given to" in done.output
    assert value not in done.output
    error = refused("get", KEY)
    assert "was revoked" in str(error)
    assert "it leaked" in str(error)
    assert "is given again" in run("revoke", "--restore", "--reason", "false alarm", KEY)
    capfd.readouterr()
    run("get", KEY)
    assert capfd.readouterr().out == value
