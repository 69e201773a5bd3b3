"""What single rooms are told, read from the configuration."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

from stanch.responder.config import Settings
from stanch.responder.domain.error import ConfigError
from stanch.responder.domain.runbook import Runbook
from stanch.responder.engine.loader import load_runbooks
from stanch.responder.keys.file import load_or_create
from stanch.responder.keys.reference import secret as read_secret
from stanch.responder.ledger.anchor import AnchorFile, Notary
from stanch.responder.ledger.checkpoint import PublicHalf, SigningKey
from stanch.responder.ledger.seal import KeylessSeal, LedgerSeal, parse_ledger_seal
from stanch.responder.providers.registry import SPECS
from stanch.responder.slack.setting import SlackSettings


def ledger_seal(settings: Settings) -> LedgerSeal:
    """The key that protects the record."""
    reference = settings.reference(settings.ledger.key, "ledger.key")
    return parse_ledger_seal(reference, environment=os.environ)


def notary(settings: Settings, seal: LedgerSeal) -> Notary:
    """The signer of anchors, and where they are kept."""
    signing = settings.reference(settings.ledger.signing_key, "checkpoint.key")
    anchor = settings.reference(settings.ledger.anchor, "anchors.jsonl")
    signer = SigningKey(_path(signing, "ledger.signing_key"))
    signer.publish(_public_key(settings))
    file = AnchorFile(_path(anchor, "ledger.anchor"))
    return Notary(signer=signer, seal=seal, files=(file,))


def witness(settings: Settings, seal: LedgerSeal | None = None) -> Notary:
    """The same for a process that reads anchors and signs none."""
    anchor = settings.reference(settings.ledger.anchor, "anchors.jsonl")
    file = AnchorFile(_path(anchor, "ledger.anchor"))
    half = PublicHalf(_public_key(settings))
    lines = file.lines()
    known = seal or KeylessSeal(half.public.read(lines[-1]).origin if lines else "")
    return Notary(signer=half, seal=known, files=(file,))


def _public_key(settings: Settings) -> Path:
    reference = settings.reference(settings.ledger.public_key, "checkpoint.pub")
    return _path(reference, "ledger.public_key")


def master_key(settings: Settings) -> str:
    """The reference of the vault's master key."""
    return settings.reference(settings.vault.master_key, "master.key")


def slack_settings(settings: Settings, *, listening: bool = True) -> SlackSettings | None:
    """The Slack section, or None when Slack is not configured.

    ``listening``: for who takes clicks; who only shows cards needs no app token.
    """
    slack = settings.slack
    if not slack.bot_token:
        return None
    key = settings.reference(slack.button_key, "button.key")
    return SlackSettings(
        bot_token=read_secret(slack.bot_token, what="slack.bot_token"),
        app_token=read_secret(slack.app_token, what="slack.app_token") if listening else None,
        button_key=load_or_create(_path(key, "slack.button_key"), size=32, what="button key"),
        channel=slack.channel,
        team=slack.team,
        base_url=slack.base_url,
    )


def installed_runbooks(settings: Settings) -> dict[str, Runbook]:
    """Those in the package, joined by your own when a folder is configured; yours win."""
    shipped = resources.files("stanch.runbooks")
    if not settings.runbooks.folder:
        return load_runbooks(shipped, SPECS)
    return load_runbooks(Path(settings.runbooks.folder).expanduser(), SPECS, over=shipped)


def _path(reference: str, what: str) -> Path:
    scheme, _, rest = reference.partition(":")
    if scheme != "file" or not rest:
        raise ConfigError(f"{what} must be a file", remedy="write file:/path")
    return Path(rest).expanduser()
