"""Copies are found, asked about after the credential, taken away, and told of truthfully."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from stanch.responder.domain.run import RunState, StepState
from stanch.responder.engine import dispatch
from stanch.responder.lab.aws import AwsLab
from stanch.responder.postmortem.build import build
from stanch.scanner.model.provenance import InImage, InWorktree
from tests.responder.providers.copies.conftest import ALICE, Office, in_log

CIRCLE = "log:circleci/circleci.com/gh/acme/app/9"


@pytest.fixture
def leaky(lab: AwsLab) -> str:
    """The target of an image in the lab's registry."""
    ecr = lab.client("ecr")
    ecr.create_repository(repositoryName="team/app")
    put = ecr.put_image(
        repositoryName="team/app", imageTag="1", imageManifest=json.dumps({"schemaVersion": 2})
    )
    host = f"{lab.account_id}.dkr.ecr.{lab.region}.amazonaws.com"
    return f"image:{host}/team/app@{put['image']['imageId']['imageDigest']}"


def aws(lab: AwsLab) -> str:
    return f'[aws]\nendpoint_url = "{lab.endpoint_url}"\nregion = "{lab.region}"\n'


def in_image(target: str) -> InImage:
    return InImage(
        path="app/.env",
        image="image:app:1",
        manifest="",
        platform="linux/amd64",
        layer=f"sha256:{'a' * 64}",
        copies=(target,),
    )


def pulled(lab: AwsLab) -> bool:
    images = lab.client("ecr").batch_get_image(
        repositoryName="team/app", imageIds=[{"imageTag": "1"}]
    )["images"]
    return bool(images)


def told(office: Office) -> str:
    report = build(office.house.casefiles.case(office.incident), now=datetime.now(UTC))
    return "\n".join(report.residual)


def test_an_image_is_archived_once_the_credential_is_dealt_with_and_undo_brings_it_back(
    office: Callable[[str], Office],
    lab: AwsLab,
    leaky: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatch, "SETTLED", timedelta(0))  # the lab settles at once
    room = office(aws(lab))
    room.seen(in_image(leaky))
    assert dict(room.card().facts)["Can be read in"] == leaky
    assert room.contain() is RunState.WAITING_APPROVAL
    ask = room.card().ask
    assert ask is not None
    assert ask.title.startswith("Archive the image")
    assert "targetStorageClass=ARCHIVE" in ask.calls[0]
    assert "gets 404" in ask.calls[1]
    assert f"The credential can be read in {leaky}: a person is asked." in told(room)
    assert pulled(lab)

    assert room.answer() is RunState.DONE
    assert not pulled(lab)
    assert dict(room.card().facts)["Taken away"] == f"{leaky}: out of reach"
    assert f"{leaky} is out of reach: ECR says ARCHIVED" in told(room)
    report = build(room.house.casefiles.case(room.incident), now=datetime.now(UTC))
    assert "archive-images" not in {action.id for action in report.actions}

    room.run = room.house.responses.undo(room.incident, by=ALICE)
    assert room.settle() is RunState.WAITING_APPROVAL
    assert room.answer() is RunState.DONE
    assert pulled(lab)
    assert dict(room.card().facts)["Can be read in"] == f"{leaky} (brought back by an undo)"


def test_who_says_no_is_heard_and_the_copy_is_told_of(
    office: Callable[[str], Office], lab: AwsLab, leaky: str
) -> None:
    room = office(aws(lab))
    room.seen(in_image(leaky), in_log(CIRCLE, link="https://app.circleci.com/9"))
    assert room.contain() is RunState.WAITING_APPROVAL
    assert room.answer(granted=False) is RunState.WAITING_APPROVAL
    ask = room.card().ask
    assert ask is not None
    assert "CircleCI deletes no log" in ask.calls[0]
    assert "(https://app.circleci.com/9)" in ask.calls[0]
    assert room.answer() is RunState.DONE
    assert pulled(lab)
    facts = dict(room.card().facts)
    assert facts["Can be read in"] == f"{leaky} (a person said no, or nobody said yes)"
    assert facts["Taken away"] == f"{CIRCLE}: gone, a person says"
    assert f"The credential can be read in {leaky}" in told(room)
    assert "nobody has looked" in told(room)


def test_what_nobody_keeps_asks_nobody(office: Callable[[str], Office]) -> None:
    room = office("")
    room.seen(InWorktree(path="deploy/env.sh"))
    assert room.contain() is RunState.DONE
    steps = room.steps()
    assert steps["archive-image"].state is StepState.DONE
    assert not any("[" in name for name in steps)
    assert "Can be read in" not in dict(room.card().facts)


def test_the_same_copy_is_asked_about_once(office: Callable[[str], Office]) -> None:
    room = office("")
    room.seen(in_log(CIRCLE), in_log(CIRCLE, step="another"))
    assert room.contain() is RunState.WAITING_APPROVAL
    assert [name for name in room.steps() if "[" in name] == ["copy-by-hand[0]"]


def test_a_copy_that_is_seen_too_late_is_told_of_and_taken_up_by_the_next_response(
    office: Callable[[str], Office],
) -> None:
    room = office("")
    room.seen(InWorktree(path="deploy/env.sh"))
    assert room.contain() is RunState.DONE
    room.seen(in_log(CIRCLE))
    assert "when the run had looked already" in dict(room.card().facts)["Can be read in"]
    assert f"The credential can be read in {CIRCLE}: it was seen when" in told(room)
    assert room.contain() is RunState.WAITING_APPROVAL
    assert dict(room.card().facts)["Can be read in"] == f"{CIRCLE} (a person is asked)"
