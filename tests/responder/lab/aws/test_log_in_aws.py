"""The scanner's logs of AWS against the emulator, which is the responder's."""

from __future__ import annotations

import time
from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from stanch.responder.lab.aws.lab import AwsLab
from stanch.scanner.api import FingerprintKey, Scanner, SecretValue
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.log.provider import aws
from tests.scanner.conftest import Outcome, github_token, sorted_out

GROUP = "/aws/codebuild/app"
STREAM = "2024/01/[$LATEST]abc"


@pytest.fixture(scope="module")
def filled(running_lab: AwsLab) -> Iterator[AwsLab]:
    logs = running_lab.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    for name in (STREAM, "quiet"):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
    now = int(time.time() * 1000)
    said = ["hello\n", "two\n lines\n", f"token {github_token(1)}\n"]
    events = [{"timestamp": now + n, "message": line} for n, line in enumerate(said)]
    logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=events)
    yield running_lab
    logs.delete_log_group(logGroupName=GROUP)


@pytest.fixture
def scanner(filled: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Scanner:
    monkeypatch.setattr(aws, "_client", lambda service, _region: filled.client(service))
    return Scanner(key=FingerprintKey(SecretValue(bytes(range(32)))), processes=1)


def scanned(scanner: Scanner, target: str) -> Outcome:
    return sorted_out(iter(scanner.scan_target(f"log:{target}")))


def test_cloudwatch_reads_a_group_and_a_stream_whose_names_have_slashes(scanner: Scanner) -> None:
    for target in (GROUP, f"{GROUP}/{STREAM}"):
        outcome = scanned(scanner, f"cloudwatch/eu-west-1/{target}")
        (match,) = outcome.matches
        place = match.finding.provenance
        assert isinstance(place, InLog)
        assert (place.path, place.provider) == (f"{GROUP}/{STREAM}", "cloudwatch")
        assert match.finding.span.line == 4
        assert place.copies == (f"log:cloudwatch/eu-west-1/{GROUP}/{STREAM}",)
        assert place.link is not None
        assert place.link.endswith("/log-events/2024$252F01$252F$255B$2524LATEST$255Dabc")
        assert outcome.incomplete == []


def test_a_group_that_is_not_there_is_never_clean(scanner: Scanner) -> None:
    (gap,) = scanned(scanner, "cloudwatch/eu-west-1/no/such").incomplete
    assert gap.why == "there is no log group no/such in eu-west-1"


def test_codebuild_reads_logs_and_what_a_project_has_in_clear(
    scanner: Scanner, filled: AwsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = boto3.client(
        "codebuild",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # the stub asks nobody
    )
    listed = [
        {"name": "NPM_TOKEN", "value": github_token(2), "type": "PLAINTEXT"},
        {"name": "OTHER", "value": "app/token", "type": "SECRETS_MANAGER"},
    ]
    environment = {
        "type": "LINUX_CONTAINER",
        "image": "x",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": listed,
    }
    where = {"groupName": GROUP, "streamName": STREAM}
    with Stubber(made) as stub:
        stub.add_response("batch_get_projects", {"projects": [{"environment": environment}]})
        stub.add_response("list_builds_for_project", {"ids": ["app:1", "app:2"]})
        stub.add_response(
            "batch_get_builds",
            {
                "builds": [
                    {"id": "app:1", "buildStatus": "FAILED", "logs": where},
                    {"id": "app:2", "buildStatus": "FAILED", "logs": {"groupName": "null"}},
                ]
            },
        )
        clients = {"codebuild": made, "logs": filled.client("logs")}
        monkeypatch.setattr(aws, "_client", lambda service, _region: clients[service])
        outcome = scanned(scanner, "codebuild/eu-west-1/app")
    assert [each.finding.path for each in outcome.matches] == [
        "app/environment",
        f"{GROUP}/{STREAM}",
    ]
    assert outcome.incomplete == []


def test_what_aws_refuses_is_incomplete_and_names_the_permissions(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = boto3.client(
        "logs",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # as above
    )
    with Stubber(made) as stub:
        stub.add_client_error("describe_log_groups", "AccessDeniedException")
        monkeypatch.setattr(aws, "_client", lambda _service, _region: made)
        (gap,) = scanned(scanner, "cloudwatch/eu-west-1/app").incomplete
    assert "AWS answers AccessDeniedException; it needs AWS credentials" in gap.why
