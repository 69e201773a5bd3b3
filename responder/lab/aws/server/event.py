"""A call as CloudTrail writes it down.

Shapes: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from stanch.responder.lab.aws.server.call import Call
from stanch.responder.lab.aws.server.journal import redact
from stanch.responder.lab.aws.server.state import Caller

_GLOBAL = frozenset({"iam"})  # services whose events are kept in us-east-1
_GLOBAL_REGION = "us-east-1"
# Data events: not in the event history.
_DATA = {
    "s3": re.compile(
        r"(Get|Put|Delete|Head|Restore|Select|Copy)Object|DeleteObjects|ListObjects|.*MultipartUpload.*"
    ),
    "dynamodb": re.compile(r".*Item|Query|Scan|Transact.*|ExecuteStatement"),
    "lambda": re.compile(r"Invoke"),
    "sqs": re.compile(r".*Message(Batch)?|.*MessageVisibility"),
    "sns": re.compile(r"Publish(Batch)?"),
    "logs": re.compile(r"PutLogEvents"),
}
_READS = ("Get", "List", "Describe", "Head", "Lookup", "Simulate")
_ELEMENT = "<{0}>(.*?)</{0}>"
_HTTP_ERROR = 400


def region_of(call: Call) -> str:
    """Where the event of this call is kept."""
    return _GLOBAL_REGION if call.service in _GLOBAL else call.region


def is_recorded(call: Call) -> bool:
    """Whether this call is a management event."""
    data = _DATA.get(call.service)
    return data is None or not data.fullmatch(call.api)


def write(
    call: Call, caller: Caller, *, source_ip: str, at: float, answer: tuple[int, bytes]
) -> dict[str, Any]:
    """The event, in the shape of one item of LookupEvents' ``Events``."""
    detail = _detail(call, caller, source_ip=source_ip, at=at, answer=answer)
    return {
        "EventId": detail["eventID"],
        "EventName": call.api,
        "EventSource": detail["eventSource"],
        "EventTime": at,
        "Username": _username(caller),
        "AccessKeyId": caller.access_key_id,
        "ReadOnly": str(detail["readOnly"]).lower(),
        "Resources": _resources(call),
        "CloudTrailEvent": json.dumps(detail),
    }


def _detail(
    call: Call, caller: Caller, *, source_ip: str, at: float, answer: tuple[int, bytes]
) -> dict[str, Any]:
    read = call.api.startswith(_READS)
    code, message = error_of(*answer)
    detail: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(caller),
        "eventTime": _stamp(at),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": call.api,
        "awsRegion": region_of(call),
        "sourceIPAddress": source_ip,
        "userAgent": call.user_agent,
        "requestParameters": _camel(redact(call.params)) or None,
        "responseElements": None
        if code or (read and call.service != "sts")
        else _elements(call, answer[1]),
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": read,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": caller.account_id,
        "eventCategory": "Management",
    }
    if code:
        detail |= {"errorCode": code, "errorMessage": message}
    return detail


def error_of(status: int, body: bytes) -> tuple[str | None, str]:
    """The AWS error code and message in an answer; the code is None when it is none."""
    if status < _HTTP_ERROR:
        return None, ""
    text = body.decode("utf-8", "replace")
    if text.lstrip().startswith("{"):
        parsed = json.loads(text)
        code = str(parsed.get("__type") or parsed.get("code") or status).rsplit("#", 1)[-1]
        return code, str(parsed.get("message") or parsed.get("Message") or "")
    return _element(text, "Code") or str(status), _element(text, "Message") or ""


def _identity(caller: Caller) -> dict[str, Any]:
    identity: dict[str, Any] = {
        "type": {"User": "IAMUser"}.get(caller.kind, caller.kind),
        "principalId": caller.principal_id,
        "arn": caller.arn,
        "accountId": caller.account_id,
        "accessKeyId": caller.access_key_id,
    }
    if caller.user_name:
        identity["userName"] = caller.user_name
    if caller.issued_at is not None:
        identity["sessionContext"] = {
            "attributes": {"creationDate": _stamp(caller.issued_at), "mfaAuthenticated": "false"}
        }
        if caller.kind == "AssumedRole":
            role = caller.arn.split("/")[1]
            identity["sessionContext"]["sessionIssuer"] = {
                "type": "Role",
                "principalId": caller.principal_id.split(":")[0],
                "arn": f"arn:aws:iam::{caller.account_id}:role/{role}",
                "accountId": caller.account_id,
                "userName": role,
            }
    return identity


def _username(caller: Caller) -> str:
    return caller.user_name or caller.arn.rsplit("/", 1)[-1]


def _elements(call: Call, body: bytes) -> dict[str, Any] | None:
    """What the answer created, without secrets: enough to follow a credential to its children."""
    text = body.decode("utf-8", "replace")
    if call.api == "CreateAccessKey":
        names = ("UserName", "AccessKeyId", "Status", "CreateDate")
        return {"accessKey": _chosen(text, names)}
    if call.service == "sts":
        if not call.api.startswith(("AssumeRole", "GetSessionToken", "GetFederationToken")):
            return None
        found: dict[str, Any] = {"credentials": _chosen(text, ("AccessKeyId", "Expiration"))}
        if call.api.startswith("AssumeRole"):
            found["assumedRoleUser"] = _chosen(text, ("AssumedRoleId", "Arn"))
        return found
    if call.api in ("CreateUser", "CreateRole"):
        kind = call.api.removeprefix("Create")
        return {kind.lower(): _chosen(text, (f"{kind}Name", f"{kind}Id", "Arn", "CreateDate"))}
    return None


def _chosen(text: str, names: tuple[str, ...]) -> dict[str, str]:
    found = {name: _element(text, name) for name in names}
    return {name[0].lower() + name[1:]: value for name, value in found.items() if value is not None}


def _element(text: str, name: str) -> str | None:
    match = re.search(_ELEMENT.format(name), text, re.DOTALL)
    return match.group(1) if match else None


def _resources(call: Call) -> list[dict[str, str]]:
    kinds = {
        "UserName": "AWS::IAM::User",
        "RoleName": "AWS::IAM::Role",
        "AccessKeyId": "AWS::IAM::AccessKey",
        "RoleArn": "AWS::IAM::Role",
        "SecretId": "AWS::SecretsManager::Secret",
        "bucketName": "AWS::S3::Bucket",
    }
    return [
        {"ResourceType": kind, "ResourceName": str(call.params[name])}
        for name, kind in kinds.items()
        if name in call.params
    ]


def _camel(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name[:1].lower() + name[1:]: value for name, value in params.items()}


def _stamp(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
