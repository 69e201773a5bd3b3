"""Our identity in AWS, and whether it may do what the enabled runbooks need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from stanch.responder.domain.check import Check, State
from stanch.responder.domain.clock import skew
from stanch.responder.domain.error import Retryable, StanchError
from stanch.responder.providers.aws.adapter.client import AwsClients, AwsSettings

_ROLE = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/"
)
_POLICY = "`stanch doctor --iam-policy` prints the policy to attach"
_AREA = "aws"


def aws(settings: AwsSettings, actions: Sequence[str]) -> Iterator[Check]:
    """Who we are, and each action that IAM's simulator says we may not do."""
    with closing(AwsClients(settings)) as clients:
        asked = datetime.now(UTC)
        try:
            caller = clients.sts().get_caller_identity()
        except NoCredentialsError:
            yield Check(
                State.WRONG, _AREA, "there are no AWS credentials",
                "give this process an identity: a role, or AWS_PROFILE",
            )  # fmt: skip
            return
        except ClientError as error:
            code = error.response["Error"]["Code"]
            remedy = "renew this process's credentials (a role, or AWS_PROFILE)"
            yield Check(State.WRONG, _AREA, f"AWS refuses our credentials: {code}", remedy)
            return
        except BotoCoreError as error:
            where = settings.endpoint_url or f"STS in {settings.region}"
            yield Check(
                State.UNKNOWN, _AREA, f"{where} cannot be reached: {type(error).__name__}",
                "check the network and [aws] region, or use --offline",
            )  # fmt: skip
            return
        yield Check(State.GOOD, _AREA, f"we are {caller['Arn']}")
        yield from _account(settings, str(caller["Account"]))
        yield from _clock(caller["ResponseMetadata"]["HTTPHeaders"], asked)
        yield from _regions(clients)
        if actions:
            yield from _permissions(clients, str(caller["Arn"]), actions)


def _account(settings: AwsSettings, ours: str) -> Iterator[Check]:
    if settings.accounts and ours not in settings.accounts:
        yield Check(
            State.WRONG,
            _AREA,
            f"our account {ours} is not among [aws] accounts",
            f"add {ours} to [aws] accounts, or use an identity of one of them",
        )


def _clock(headers: Mapping[str, str], asked: datetime) -> Iterator[Check]:
    """By AWS's own time, to the second, in its answer."""
    with suppress(KeyError, TypeError, ValueError):
        theirs = parsedate_to_datetime(headers["date"]).astimezone(UTC)
        between = (asked, datetime.now(UTC))
        yield skew(_AREA, "AWS's clock", theirs, between, step=timedelta(seconds=1))


def _regions(clients: AwsClients) -> Iterator[Check]:
    """A thief is looked for in the Regions that are searched, and nowhere else."""
    named = frozenset(clients.settings.regions)
    if not named:
        return
    try:
        enabled = frozenset(clients.enabled_regions())
    except (StanchError, Retryable) as error:
        yield Check(
            State.UNKNOWN,
            _AREA,
            f"which Regions are enabled cannot be asked: {error}",
            f"allow ec2:DescribeRegions; {_POLICY}",
        )
        return
    if unknown := sorted(named - enabled):
        yield Check(
            State.WRONG,
            _AREA,
            f"[aws] regions names what the account has not enabled: {', '.join(unknown)}",
            "correct [aws] regions, or leave it out: then every enabled Region is searched",
        )
    if unsearched := sorted(enabled - named):
        yield Check(
            State.GOOD,
            _AREA,
            f"enabled, but not searched for activity: {', '.join(unsearched)}",
            "leave [aws] regions out unless a policy keeps everybody out of them",
        )


def _permissions(clients: AwsClients, arn: str, actions: Sequence[str]) -> Iterator[Check]:
    if arn.endswith(":root"):
        yield Check(
            State.WRONG, _AREA, "this is the root user, which no policy limits",
            "make a role for Stanch",
        )  # fmt: skip
        return
    try:
        denied = _denied(clients, _principal(clients, arn), actions)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        yield Check(
            State.UNKNOWN,
            _AREA,
            f"whether {len(actions)} actions are allowed cannot be asked: {code}",
            f"allow iam:SimulatePrincipalPolicy and iam:GetRole to ourselves; {_POLICY}",
        )
        return
    except BotoCoreError as error:
        said = f"IAM cannot be reached: {type(error).__name__}"
        yield Check(State.UNKNOWN, _AREA, said, "check the network, or use --offline")
        return
    for action in denied:
        yield Check(State.WRONG, _AREA, f"not allowed: {action}", _POLICY)
    if not denied:
        said = f"all {len(actions)} actions of the enabled runbooks are allowed"
        yield Check(State.GOOD, _AREA, said)


def _principal(clients: AwsClients, arn: str) -> str:
    """The ARN that the simulator knows: a session's role, with its path."""
    session = _ROLE.match(arn)
    if session is None:
        return arn
    return str(clients.iam().get_role(RoleName=session["role"])["Role"]["Arn"])


def _denied(clients: AwsClients, principal: str, actions: Sequence[str]) -> list[str]:
    pages = clients.iam().get_paginator("simulate_principal_policy")
    return sorted(
        result["EvalActionName"]
        for page in pages.paginate(PolicySourceArn=principal, ActionNames=list(actions))
        for result in page["EvaluationResults"]
        if result["EvalDecision"] != "allowed"
    )
