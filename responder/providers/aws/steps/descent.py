"""How it stands with each credential that was born from the leaked key."""

from __future__ import annotations

from stanch.responder.domain.claim import Standing, Uncovered
from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.step import StepContext
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import NotThere, calling, mask_id
from stanch.responder.providers.aws.adapter.identity import keys_of, leaked_id
from stanch.responder.providers.aws.adapter.trail import Birth
from stanch.responder.providers.aws.steps.lineage import Heir, account_of, heirs_of, role_name
from stanch.responder.providers.aws.steps.role_session import denied_in, policy_name

_ROLE_REMEDY = "revoke the role's older sessions, or wait until it ends; `stanch respond` again"


_OWN_REMEDY = "deny the older sessions of that user, or wait until it ends"


class Lineage:
    """A fresh look at each of them; what ended by itself is over."""

    def __init__(self, aws: AwsClients, ctx: StepContext, *, user: str, born: object) -> None:
        self._user = user
        self._aws = aws
        self._ctx = ctx
        self._heirs = heirs_of(born)

    def judge(self) -> tuple[tuple[str, ...], tuple[Uncovered, ...]]:
        """What the proof covers besides the key, and what it leaves uncovered."""
        covers: list[str] = []
        gaps: list[Uncovered] = []
        for heir in self._heirs:
            found = self._one(heir)
            if isinstance(found, Uncovered):
                gaps.append(found)
            elif found:
                covers.append(found)
        return tuple(covers), tuple(gaps)

    def _one(self, heir: Heir) -> str | Uncovered:
        if heir.over(self._ctx.now()):
            return f"{heir}: ended by itself"
        match heir.birth:
            case Birth.OWN_SESSION:
                # Those of the leaked key's user fall under its deny, which has its own proof.
                return "" if heir.owner == self._user else _alive(heir, _OWN_REMEDY)
            case Birth.ROLE_SESSION:
                return self._role_session(heir)
            case Birth.KEY:
                return self._key(heir)
            case Birth.SIGN_IN:
                return self._password(heir)
            case Birth.OTHER:
                return Uncovered(
                    what=str(heir),
                    standing=Standing.UNKNOWN,
                    remedy="find it, and take it away: Stanch has no way to ask about it",
                    until=heir.until,
                )

    def _role_session(self, heir: Heir) -> str | Uncovered:
        if account_of(heir.owner) != self._aws.account():
            return _alive(heir, f"tell the owner of {heir.owner}")
        try:
            name = policy_name(leaked_id(self._ctx))
            denied = denied_in(self._aws, role_name(heir.owner), name)
        except StepFailed as error:
            return Uncovered(
                what=str(heir), standing=Standing.UNKNOWN, remedy=error.remedy, until=heir.until
            )
        if heir.name in denied:
            return f"{heir}: denied by a policy on the role (not tried: Stanch does not hold it)"
        return _alive(heir, _ROLE_REMEDY)

    def _key(self, heir: Heir) -> str | Uncovered:
        remedy = f"disable it, and find out what {heir.owner} is: the leaked key made it"
        try:
            listed = keys_of(self._aws, heir.owner)
        except NotThere:
            return f"{heir}: gone with its user"
        except StepFailed as error:
            return Uncovered(what=str(heir), standing=Standing.UNKNOWN, remedy=error.remedy)
        status = next(
            (str(k["Status"]) for k in listed if mask_id(k["AccessKeyId"]) == heir.id), ""
        )
        if status == "Active":
            return _alive(heir, remedy)
        return f"{heir}: {'disabled' if status else 'deleted'}"

    def _password(self, heir: Heir) -> str | Uncovered:
        """A deny by time of issue stops no session that somebody signs in for later."""
        try:
            with calling("iam:GetLoginProfile"):
                self._aws.iam().get_login_profile(UserName=heir.owner)
        except NotThere:
            return f"{heir}: gone"
        except StepFailed as error:
            return Uncovered(what=str(heir), standing=Standing.UNKNOWN, remedy=error.remedy)
        return _alive(
            heir,
            f"`aws iam delete-login-profile --user-name {heir.owner}`, and deny the user's older "
            "sessions: the leaked key set that password",
        )


def _alive(heir: Heir, remedy: str) -> Uncovered:
    return Uncovered(what=str(heir), standing=Standing.ALIVE, remedy=remedy, until=heir.until)
