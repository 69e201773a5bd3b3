"""AWS Systems Manager Parameter Store: numbered versions, the newest is the current one.

It has no compare-and-set: a promotion looks, writes, and says so when somebody came between. The
pending version is a parameter of its own beside the real one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from stanch.responder.lifecycle.backends.aws_call import (
    Otherwise,
    ask,
    change,
    keep_bodies_out_of_logs,
)
from stanch.responder.lifecycle.backends.naming import reference_at
from stanch.responder.lifecycle.backends.read_only import ReadOnly
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Conflict,
    Denied,
    Described,
    Listed,
    Look,
    NotGiven,
    Present,
    Read,
    Stage,
    Unreachable,
    Write,
    Written,
)
from stanch.responder.lifecycle.model.backend import Ability
from stanch.responder.lifecycle.model.error import Unsupported
from stanch.responder.lifecycle.model.reference import PREVIOUS, Reference
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.scanner.model.secret import SecretValue

NAME = "parameter-store"
_BATCH = 10  # GetParameters takes no more
_PAGE = 50
_PENDING = ".stanch-pending"
_MADE_BY = "stanch "  # begins the description of what we wrote; the token's digest follows
_MISSING: Otherwise = {
    code: lambda said: Absent(why=said or "there is no such parameter")
    for code in ("ParameterNotFound", "ParameterVersionNotFound", "InvalidResourceId")
}


class ParameterStore(ReadOnly):
    """The port over SecureString parameters called ``/service/environment/tool/name``."""

    name = NAME
    abilities = frozenset(Ability) - {Ability.GUARDED, Ability.RETRACT, Ability.RECOVER}

    def __init__(self, aws: AwsClients, *, attempts: int = 3) -> None:
        self._aws = aws
        self._attempts = attempts
        keep_bodies_out_of_logs()

    def read(self, reference: Reference) -> Read:
        """GetParameter, decrypted."""
        version = reference.version
        if version == PREVIOUS:
            look = self.describe(reference)
            if not isinstance(look, Described):
                return look
            older = look.at(Stage.PREVIOUS)
            if older is None:
                return Absent(why=f"{reference}: there is one version only")
            version = older
        return self._read(_name(reference) + (f":{version}" if version else ""))

    def read_pending(self, reference: Reference) -> Read:
        """The parameter beside it."""
        return self._read(_name(reference) + _PENDING)

    def read_many(self, references: Sequence[Reference]) -> Mapping[Reference, Read]:
        """Ten in one call; when that gives no answer, one by one."""
        answers: dict[Reference, Read] = {}
        plain = [each for each in dict.fromkeys(references) if not each.version]
        for at in range(0, len(plain), _BATCH):
            answers |= self._batch(plain[at : at + _BATCH])
        return {each: answers.get(each) or self.read(each) for each in references}

    def describe(self, reference: Reference) -> Look:
        """DescribeParameters and the tags; nothing is decrypted."""
        found = self._found(_name(reference))
        if isinstance(found, NotGiven):
            return found
        pending = self._found(_name(reference) + _PENDING)
        if isinstance(pending, Denied | Unreachable):
            return pending
        waiting = None if isinstance(pending, Absent) else _token(pending)
        return self._described(found, pending=waiting)

    def entries(self, *, under: str = "") -> Iterator[Listed | Denied | Unreachable]:
        """DescribeParameters, and one call for the tags of each."""
        token = ""
        while True:
            page = ask("ssm:DescribeParameters", partial(self._page, under, token))
            if isinstance(page, Denied | Unreachable):
                yield page
            if isinstance(page, NotGiven):
                return
            for each in page["Parameters"]:
                if each["Name"].endswith(_PENDING) or not each["Name"].startswith(f"/{under}"):
                    continue
                described = self._described(each, pending=None)
                if isinstance(described, Denied | Unreachable):
                    yield described
                    return
                if isinstance(described, Described):
                    yield Listed(reference=reference_at(each["Name"]), described=described)
            token = page.get("NextToken", "")
            if not token:
                return

    def create(self, reference: Reference, value: SecretValue, tags: Mapping[str, str]) -> Write:
        """PutParameter that refuses to overwrite: the one guard there is."""
        return self._put(
            _name(reference),
            value,
            Overwrite=False,
            Tags=[{"Key": key, "Value": text} for key, text in tags.items()],
        )

    def annotate(self, reference: Reference, tags: Mapping[str, str]) -> Write:
        """AddTagsToResource."""
        there = self._found(_name(reference))
        if isinstance(there, NotGiven):
            return there
        found = ask(
            "ssm:AddTagsToResource",
            lambda: self._ssm(1).add_tags_to_resource(
                ResourceType="Parameter",
                ResourceId=_name(reference),
                Tags=[{"Key": key, "Value": text} for key, text in tags.items()],
            ),
            otherwise=_MISSING,
        )
        return found if isinstance(found, NotGiven) else Written(version="")

    def put_pending(self, reference: Reference, value: SecretValue, *, token: str) -> Write:
        """A parameter beside the real one, which no reader asks for."""
        main = self._found(_name(reference))
        if isinstance(main, NotGiven):
            return main
        version = hashlib.sha256(token.encode()).hexdigest()[:32]
        beside = _name(reference) + _PENDING
        made = self._put(beside, value, Overwrite=False, Description=_MADE_BY + version)
        if not isinstance(made, Conflict):
            return Written(version=version) if isinstance(made, Written) else made
        there, kept = self._found(beside), self._read(beside)
        if isinstance(there, NotGiven):
            return there
        if _token(there) == version and isinstance(kept, Present) and kept.value == value:
            return Written(version=version)
        return Conflict(why=f"{reference}: another version is pending already")

    def promote(self, reference: Reference, *, pending: str, current: str) -> Write:
        """Look, write the pending value as the newest version, look again."""
        main = self._found(_name(reference))
        if isinstance(main, NotGiven):
            return main
        if _token(main) != pending:
            done = self._overwrite(reference, main, pending=pending, current=current)
            if not isinstance(done, Written):
                return done
        gone = self._remove(_name(reference) + _PENDING)
        return Written(version=pending) if isinstance(gone, Written | Absent) else gone

    def withdraw(self, reference: Reference, *, version: str) -> Write:
        """A pending version is removed; older ones stay readable as long as the parameter is."""
        beside = _name(reference) + _PENDING
        found = self._found(beside)
        if isinstance(found, Denied | Unreachable):
            return found
        if not isinstance(found, Absent) and _token(found) == version:
            return self._remove(beside)
        main = self._found(_name(reference))
        if isinstance(main, NotGiven):
            return main
        if version in {str(main["Version"]), _token(main)}:
            return Conflict(why=f"{reference}: version {version} is the current one")
        if version.isdigit() and int(version) < main["Version"]:
            raise Unsupported(
                f"{reference}: {NAME} cannot take back version {version}",
                remedy="revoke the credential where it was issued; `stanch secrets list` "
                "shows what keeps it",
            )
        return Written(version=version)  # it was pending, and is gone already

    def delete(self, reference: Reference, *, window: timedelta) -> Write:
        """DeleteParameter, at once and for good."""
        if window:
            raise Unsupported(
                f"{reference}: {NAME} deletes at once and for good",
                remedy="say so with a window of 0; `stanch secrets list` shows who uses it",
            )
        return self._remove(_name(reference))

    def _ssm(self, attempts: int | None = None) -> Any:
        return self._aws.ssm(attempts=attempts or self._attempts)

    def _read(self, name: str) -> Read:
        found = ask(
            "ssm:GetParameter",
            lambda: self._ssm().get_parameter(Name=name, WithDecryption=True),
            otherwise=_MISSING,
        )
        return found if isinstance(found, NotGiven) else _present(found["Parameter"])

    def _batch(self, references: Sequence[Reference]) -> dict[Reference, Read]:
        known = {_name(each): each for each in references}
        found = ask(
            "ssm:GetParameters",
            lambda: self._ssm().get_parameters(Names=list(known), WithDecryption=True),
        )
        if isinstance(found, NotGiven):
            return {}  # one that is not allowed spoils the batch: each is asked for by itself
        answers = {known[each["Name"]]: _present(each) for each in found["Parameters"]}
        for name in found.get("InvalidParameters", ()):
            answers[known[name]] = Absent(why=f"there is no parameter {name}")
        return answers

    def _found(self, name: str) -> Any:
        """The parameter without its value, or why not."""
        filters = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
        page = ask(
            "ssm:DescribeParameters",
            lambda: self._ssm().describe_parameters(ParameterFilters=filters),
        )
        if isinstance(page, NotGiven):
            return page
        exact = [each for each in page["Parameters"] if each["Name"] == name]
        region = self._aws.settings.region
        return exact[0] if exact else Absent(why=f"there is no {name} (Region {region})")

    def _described(self, found: Any, *, pending: str | None) -> Look:
        tags = ask(
            "ssm:ListTagsForResource",
            lambda: self._ssm().list_tags_for_resource(
                ResourceType="Parameter", ResourceId=found["Name"]
            ),
            otherwise=_MISSING,
        )
        if isinstance(tags, NotGiven):
            return tags
        versions = _versions(found) | ({pending: frozenset({Stage.PENDING})} if pending else {})
        return Described(
            place=found.get("ARN") or found["Name"],
            tags={each["Key"]: each["Value"] for each in tags["TagList"]},
            versions=versions,
            changed_at=_utc(found.get("LastModifiedDate")),
        )

    def _page(self, under: str, token: str) -> Any:
        root = f"/{under.rpartition('/')[0]}"
        filters: dict[str, Any] = (
            {"ParameterFilters": [{"Key": "Path", "Option": "Recursive", "Values": [root]}]}
            if root != "/"
            else {}
        )
        more = {"NextToken": token} if token else {}
        return self._ssm().describe_parameters(MaxResults=_PAGE, **filters, **more)

    def _put(self, name: str, value: SecretValue, **how: Any) -> Write:
        try:
            text = value.reveal().decode("utf-8")
        except UnicodeDecodeError:
            raise Unsupported(
                f"{name}: {NAME} keeps text, and this value is none",
                remedy="keep it in secrets-manager; `stanch secrets list` shows the stores",
            ) from None
        found = change(
            "ssm:PutParameter",
            lambda: self._ssm(1).put_parameter(Name=name, Value=text, Type="SecureString", **how),
            conflicts=("ParameterAlreadyExists", "TooManyUpdates"),
        )
        if isinstance(found, NotGiven | Conflict):
            return found
        return Written(version=str(found["Version"]))

    def _overwrite(self, reference: Reference, main: Any, *, pending: str, current: str) -> Write:
        if str(main["Version"]) != current:
            return Conflict(why=f"{reference}: version {main['Version']} is current, not {current}")
        beside = self._found(_name(reference) + _PENDING)
        value = self.read_pending(reference)
        if isinstance(beside, NotGiven) or not isinstance(value, Present):
            return beside if isinstance(beside, NotGiven) else value  # type: ignore[return-value]
        if _token(beside) != pending:
            return Absent(why=f"{reference}: version {pending} is not pending")
        done = self._put(
            _name(reference), value.value, Overwrite=True, Description=_MADE_BY + pending
        )
        if isinstance(done, Written) and int(done.version) != int(current) + 1:
            return Conflict(
                why=f"{reference}: somebody wrote version {int(done.version) - 1} meanwhile; "
                f"version {done.version} is current now and theirs is not"
            )
        return done

    def _remove(self, name: str) -> Write:
        found = ask(
            "ssm:DeleteParameter",
            lambda: self._ssm(1).delete_parameter(Name=name),
            otherwise=_MISSING,
        )
        return found if isinstance(found, NotGiven) else Written(version="")


def _name(reference: Reference) -> str:
    return f"/{reference.path}"


def _token(found: Any) -> str:
    said: str = found.get("Description", "")
    return said.removeprefix(_MADE_BY) if said.startswith(_MADE_BY) else ""


def _present(found: Any) -> Read:
    value = found["Value"].encode()
    if not value:
        return Absent(why=f"{found['Name']} is empty")
    return Present(
        value=SecretValue(value),
        version=str(found["Version"]),
        created_at=_utc(found.get("LastModifiedDate")),
    )


def _versions(found: Any) -> dict[str, frozenset[Stage]]:
    number = int(found["Version"])
    stages = {str(number): frozenset({Stage.CURRENT})}
    return stages | ({str(number - 1): frozenset({Stage.PREVIOUS})} if number > 1 else {})


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at is not None else None
