"""IAM and STS made truer: real key ids, the two-key limit, last use, no way in without a key."""
# ruff: noqa: SLF001  # MiniStack has no public hooks; its version is pinned

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any

from stanch.responder.lab.aws.server import keyid
from stanch.responder.lab.aws.server.propagation import Propagation
from stanch.responder.lab.aws.server.state import Caller, LastUse, State, note

ADMIN_USER = "lab-admin"
_KEYS_PER_USER = 2
_SECRET_BYTES = 30  # forty base64 characters
_ALLOW_ALL = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
)
# What a session from GetSessionToken without MFA may call in STS:
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
_SESSION_MAY = frozenset({"sts:AssumeRole", "sts:GetCallerIdentity"})


def patch_key_ids(iam: Any, sts: Any, state: State) -> None:
    """Issue base32 key ids that carry the account, and secrets that look like AWS's."""

    def long_term() -> str:
        return keyid.issue("AKIA", state.account_id, state.source)

    def session() -> str:
        return keyid.issue("ASIA", state.account_id, state.source)

    def secret() -> str:
        return base64.b64encode(state.source.randbytes(_SECRET_BYTES)).decode()

    iam._gen_access_key_id = long_term
    for module in (iam, sts):  # sts took its own reference
        module._gen_session_access_key = session
        module._gen_secret = secret
    _patch_create_access_key(iam, secret)
    _patch_delete_access_key(iam)


def _patch_create_access_key(iam: Any, secret: Callable[[], str]) -> None:
    """Two keys a user at the most, and the secret in our own form."""
    create = iam._IAM_HANDLERS["CreateAccessKey"]

    def create_access_key(params: Any) -> Any:
        user = iam._p(params, "UserName")
        keys = iam._access_keys
        if sum(record["UserName"] == user for record in keys.values()) >= _KEYS_PER_USER:
            return iam._error(
                409, "LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {_KEYS_PER_USER}"
            )
        before = set(keys)
        status, headers, body = create(params)
        for key_id in set(keys) - before:
            given = keys[key_id]["SecretAccessKey"]
            keys[key_id]["SecretAccessKey"] = secret()
            body = body.replace(given.encode(), keys[key_id]["SecretAccessKey"].encode())
        return status, headers, body

    iam._IAM_HANDLERS["CreateAccessKey"] = create_access_key


def _patch_delete_access_key(iam: Any) -> None:
    """A key is deleted for the user it belongs to, and for no other."""
    delete = iam._IAM_HANDLERS["DeleteAccessKey"]

    def delete_access_key(params: Any) -> Any:
        key_id, user = iam._p(params, "AccessKeyId"), iam._p(params, "UserName")
        record = iam._access_keys.get(key_id)
        if record and user and record["UserName"] != user:
            return iam._error(
                404, "NoSuchEntity", f"The Access Key with id {key_id} cannot be found."
            )
        return delete(params)

    iam._IAM_HANDLERS["DeleteAccessKey"] = delete_access_key


def patch_last_use(iam: Any, state: State) -> None:
    """Answer GetAccessKeyLastUsed from the calls that were authenticated."""
    never = iam._IAM_HANDLERS["GetAccessKeyLastUsed"]

    def get_access_key_last_used(params: Any) -> Any:
        status, headers, body = never(params)
        use = state.last_uses.get(iam._p(params, "AccessKeyId"))
        if status == 200 and use is not None:  # noqa: PLR2004  # HTTP OK
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(use.at))
            body = body.replace(
                b"<Region>N/A</Region><ServiceName>N/A</ServiceName>",
                f"<LastUsedDate>{at}</LastUsedDate><Region>{use.region}</Region>"
                f"<ServiceName>{use.service}</ServiceName>".encode(),
            )
        return status, headers, body

    iam._IAM_HANDLERS["GetAccessKeyLastUsed"] = get_access_key_last_used


def patch_root(evaluator: Any) -> None:
    """No key is root by its name: MiniStack lets ``test`` and any account id in unchecked."""
    evaluator.is_root_access_key = lambda key_id: not key_id


def patch_evaluator(
    evaluator: Any, iam: Any, sessions: Mapping[str, Any], state: State
) -> Propagation:
    """Decide by what is in force, restrict plain sessions as AWS does, and note who called."""
    propagation = Propagation(iam, state)
    enforce = evaluator.enforce

    def decide(
        access_key_id: str, iam_action: str, service: str, region: str, *args: Any, **kwargs: Any
    ) -> Any:
        with propagation.in_force():
            answer = enforce(access_key_id, iam_action, service, region, *args, **kwargs)
            taken = note.get()
            if isinstance(answer, evaluator.AuthError):
                if taken is not None:
                    taken.refused = answer.code
                return answer
            caller = _caller(evaluator, sessions, access_key_id)
        if taken is not None and caller is not None:
            taken.caller = caller
            use = LastUse(at=state.clock(), service=service, region=region)
            state.last_uses[access_key_id] = use
        if caller and caller.kind == "User" and access_key_id in sessions:
            if iam_action.startswith("iam:"):
                return evaluator.AuthError(
                    "InvalidClientTokenId",
                    "The security token included in the request is invalid.",
                )
            if iam_action.startswith("sts:") and iam_action not in _SESSION_MAY:
                return evaluator.EvalResult("ImplicitDeny", principal_arn=caller.arn)
        return answer

    evaluator.enforce = decide
    for name in ("resolve_credential", "resolve_principal", "check_credentials"):
        setattr(evaluator, name, _delayed(propagation, getattr(evaluator, name)))
    return propagation


def plant_admin(iam: Any, state: State, scope: Any) -> None:
    """Give the lab its administrator: an ordinary user with a real key."""
    with scope(state.account_id, state.region):
        iam._create_user({"UserName": [ADMIN_USER]})
        iam._user_inline_policies[ADMIN_USER] = {"everything": _ALLOW_ALL}
        iam._access_keys[state.admin_key_id] = {
            "UserName": ADMIN_USER,
            "AccessKeyId": state.admin_key_id,
            "SecretAccessKey": state.admin_secret,
            "Status": "Active",
            "CreateDate": iam._now(),
        }


def _delayed(propagation: Propagation, function: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        with propagation.in_force():
            return function(*args, **kwargs)

    return call


def _caller(evaluator: Any, sessions: Mapping[str, Any], access_key_id: str) -> Caller | None:
    found = evaluator.resolve_credential(access_key_id) if access_key_id else None
    if not isinstance(found, evaluator.ResolvedCredential):
        return None
    session = sessions.get(access_key_id) or {}
    return Caller(
        access_key_id=access_key_id,
        account_id=found.account_id,
        arn=found.principal_arn,
        principal_id=found.principal_id,
        kind=found.principal_type,
        user_name=found.principal_name,
        issued_at=session.get("IssuedAt"),
    )
