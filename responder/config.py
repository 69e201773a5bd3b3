"""Configuration: ``stanch.toml`` and ``STANCH_…``, the only place that reads the environment.

Secrets are never configuration values: keys and tokens are references, ``file:/path`` or
``env:NAME``.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import msgspec

from stanch.responder.domain.approval import Person
from stanch.responder.domain.entry import check
from stanch.responder.domain.error import ConfigError
from stanch.responder.keys.reference import with_password
from stanch.responder.lifecycle.backends.setting import OpenbaoSection, SecretsSection
from stanch.responder.lifecycle.cache.setting import CacheSection
from stanch.responder.providers.registry import PROVIDERS
from stanch.responder.providers.setting import Section, text_of
from stanch.responder.watch.setting import Watched, WatchSection, watched

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Positive = Annotated[float, msgspec.Meta(gt=0)]


class StoreSection(Section, frozen=True):
    """Where the truth is kept. Default: ``stanch.db`` in the data directory.

    ``password`` is a reference; it is put into ``url`` only when the store is opened.
    """

    url: str = ""
    password: str = ""


class BrokerSection(Section, frozen=True):
    """What wakes workers: ``memory://`` inside one process, ``redis://…`` for a team.

    ``password`` is a reference; it is put into ``url`` only when the broker is connected.
    """

    url: str = "memory://"
    password: str = ""


class VaultSection(Section, frozen=True):
    """The master key: ``file:/path`` (created on first use) or ``aws-kms:<key arn>``."""

    master_key: str = ""


class LedgerSection(Section, frozen=True):
    """Keys that protect the record, and the anchor file that an attacker of the store lacks."""

    key: str = ""
    signing_key: str = ""
    public_key: str = ""
    anchor: str = ""


class ScannerSection(Section, frozen=True):
    """The fingerprint key: ``file:/path`` (created on first use) or ``env:NAME``."""

    fingerprint_key: str = ""


class ScanSection(Section, frozen=True):
    """What ``stanch scan`` looks for; the scanner reads and checks it."""

    rules: tuple[str, ...] = ()
    allowlists: tuple[dict[str, Any], ...] = ()
    min_confidence: str = ""


class CiSection(Section, frozen=True):
    """Whose waivers count; the scanner reads it from the target branch."""

    waivers: str = "base"


class SlackSection(Section, frozen=True):
    """One workspace over Socket Mode. Empty ``bot_token``: cards go to the terminal.

    Tokens are references; ``channel`` and ``team`` are ids. ``button_key`` signs buttons, so web
    and workers must share it (``file:/path``, created on first use).
    """

    bot_token: str = ""
    app_token: str = ""
    channel: str = ""
    team: str = ""
    base_url: str = "https://slack.com/api/"
    button_key: str = ""


class WorkerSection(Section, frozen=True):
    """How patient workers are.

    ``lease_seconds``: how long a silent worker keeps its steps. ``sweep_seconds``: how often the
    store is searched for work that nobody was told of. ``standby_seconds``: after which a command
    does itself what no worker takes up.
    """

    lease_seconds: _Positive = 15.0
    sweep_seconds: _Positive = 2.0
    standby_seconds: _Positive = 5.0


class LimitsSection(Section, frozen=True):
    """How much reports may contain in one account, in so many seconds, before a person looks."""

    containments: _Count = 10
    window_seconds: _Positive = 3600.0


class WebSection(Section, frozen=True):
    """``token`` (a reference) opens the pages; ``hosts`` are the names that browsers call us by.

    Without a token the pages are served to this machine only.
    """

    token: str = ""
    hosts: tuple[str, ...] = ()


class PersonSection(Section, frozen=True):
    """Someone who may decide: their groups, and ``team_id/user_id`` in Slack.

    With ``account``, commands take their name only from this user of the operating system.
    """

    groups: tuple[str, ...] = ()
    slack: str | None = None
    account: str | None = None


class RunbookSection(Section, frozen=True):
    """A folder with your own runbooks and ``policies/``; what both answer is yours."""

    folder: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole configuration, every value checked."""

    store: StoreSection = StoreSection()
    broker: BrokerSection = BrokerSection()
    vault: VaultSection = VaultSection()
    ledger: LedgerSection = LedgerSection()
    scanner: ScannerSection = ScannerSection()
    scan: ScanSection = ScanSection()
    ci: CiSection = CiSection()
    slack: SlackSection = SlackSection()
    worker: WorkerSection = WorkerSection()
    limits: LimitsSection = LimitsSection()
    web: WebSection = WebSection()
    runbooks: RunbookSection = RunbookSection()
    secrets: SecretsSection = SecretsSection()
    openbao: OpenbaoSection = OpenbaoSection()
    cache: CacheSection = CacheSection()
    people: dict[str, PersonSection] = {}
    watch: dict[str, WatchSection] = {}
    providers: dict[str, Section] = {}  # each from the table of its name
    home: str = ""
    file: str = ""  # what was read; empty: every setting is at its default

    @property
    def data(self) -> Path:
        """The data directory."""
        return Path(self.home)

    @property
    def team(self) -> bool:
        """Whether workers of other processes hear the doorbell."""
        return not self.broker.url.startswith("memory:")

    def provider(self, name: str) -> Section:
        """The provider's own table; its defaults when the file has none."""
        return self.providers.get(name) or TABLES[name]()

    def reference(self, given: str, default: str) -> str:
        """A key reference as given, or the default file in the data directory."""
        return given or f"file:{self.data / default}"

    def store_url(self) -> str:
        """The store's URL with its password: for opening it, never for showing."""
        return with_password(self.store.url, self.store.password, "store")

    def broker_url(self) -> str:
        """The broker's URL with its password: for connecting, never for showing."""
        return with_password(self.broker.url, self.broker.password, "broker")

    def cache_url(self) -> str:
        """Where read secrets are kept, with its password; not named: the broker's Redis."""
        if self.cache.url:
            return with_password(self.cache.url, self.cache.password, "cache")
        redis = self.broker.url.startswith(("redis://", "rediss://"))
        return self.broker_url() if redis else "memory://"

    def watches(self) -> dict[str, Watched]:
        """What is watched, by name."""
        return {name: watched(name, section) for name, section in self.watch.items()}

    def persons(self) -> dict[str, Person]:
        """The people who may decide, by name."""
        return {
            name: Person(
                name=name,
                groups=frozenset(entry.groups),
                slack=entry.slack,
                account=entry.account,
            )
            for name, entry in self.people.items()
        }


TABLES: Mapping[str, type[Section]] = MappingProxyType(
    {
        field.name: type(field.default)
        for field in msgspec.structs.fields(Settings)
        if isinstance(field.default, Section)
    }
    | {provider.name: provider.settings for provider in PROVIDERS}
)
_NAMED: Mapping[str, type[msgspec.Struct]] = {
    "people": PersonSection,
    "watch": WatchSection,
}  # tables of tables, each of this form
_KEYS = (*TABLES, *_NAMED, "hosts")  # [hosts] is the scanner's, which checks it

SYSTEM = Path("/etc/stanch/stanch.toml")


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The configuration in force: defaults, then the file, then ``STANCH_<SECTION>_<KEY>``.

    The file is ``STANCH_CONFIG``, else ``stanch.toml`` in the data directory, else the system's.
    Never the current directory's: that may be a clone which somebody else wrote, and endpoints and
    references in it would send this machine's secrets to them.
    """
    env = os.environ if environment is None else environment
    home = _home(env)
    path, raw = _file(env, home)
    _overlay(raw, env)
    _check_keys(raw, path)
    check(raw, _NAMED, path)
    raw.pop("hosts", None)
    raw |= {"home": str(home), "file": path if path != "defaults" else ""}
    try:
        settings = _converted(raw)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{_place(str(error), env) or path}: {error}",
            remedy="docs/configuration.md lists every key with its type",
        ) from None
    try:
        settings.watches()
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}", remedy=error.remedy) from None
    if not settings.store.url:
        store = StoreSection(url=f"sqlite:///{home / 'stanch.db'}")
        return msgspec.structs.replace(settings, store=store)
    return settings


def _converted(raw: dict[str, Any]) -> Settings:
    theirs = {provider.name: raw.pop(provider.name, {}) for provider in PROVIDERS}
    tables = msgspec.defstruct("Providers", [(name, TABLES[name]) for name in theirs])
    settings = msgspec.convert(raw, Settings)
    given = msgspec.convert(theirs, tables)
    return msgspec.structs.replace(settings, providers=msgspec.structs.asdict(given))


def reread(settings: Settings) -> Settings:
    """The same configuration as its file says it now; who it lists may have changed."""
    if not settings.file:
        return settings
    raw = _read(Path(settings.file), required=True)
    _check_keys(raw, settings.file)
    people = msgspec.convert(raw.get("people", {}), dict[str, PersonSection])
    return msgspec.structs.replace(settings, people=people)


def origin(environment: Mapping[str, str] | None = None) -> str:
    """Which file :func:`load` reads; ``defaults`` when there is none."""
    env = os.environ if environment is None else environment
    return _file(env, _home(env))[0]


def _home(env: Mapping[str, str]) -> Path:
    if env.get("STANCH_HOME"):
        return Path(env["STANCH_HOME"]).absolute()
    base = env.get("XDG_DATA_HOME") or str(Path(env.get("HOME", "/")) / ".local" / "share")
    return Path(base) / "stanch"


def _file(env: Mapping[str, str], home: Path) -> tuple[str, dict[str, Any]]:
    named = env.get("STANCH_CONFIG")
    if named:
        return named, _read(Path(named), required=True)
    for path in (home / "stanch.toml", SYSTEM):
        raw = _read(path, required=False)
        if raw:
            return str(path), raw
    return "defaults", {}


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(text_of(path))
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise ConfigError(
                f"{path} does not exist", remedy="STANCH_CONFIG must name a TOML file"
            ) from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}", remedy="mend its permissions or encoding (UTF-8)"
        ) from None
    except (ValueError, RecursionError) as error:  # not TOML, or deeper or longer than it can be
        raise ConfigError(f"{path}: {error}", remedy="mend the TOML at that line") from None


def _place(problem: str, env: Mapping[str, str]) -> str | None:
    """The environment variable that the validation's ``$.section.key`` came from, if it did."""
    found = re.search(r"`\$\.(\w+)\.(\w+)", problem)
    name = f"STANCH_{found[1]}_{found[2]}".upper() if found else ""
    return name if name in env else None


def _overlay(raw: dict[str, Any], env: Mapping[str, str]) -> None:
    """``STANCH_AWS_REGION=…`` overrides ``[aws] region``; types follow the section."""
    for table_name, section in TABLES.items():
        prefix = f"STANCH_{table_name}_".upper()
        keys = {prefix + key.name.upper(): key for key in msgspec.structs.fields(section)}
        given = {name: value for name, value in env.items() if name.startswith(prefix)}
        _nearest(given, list(keys), "the environment", "")
        for name, value in given.items():
            table = raw.setdefault(table_name, {})
            table[keys[name].name] = _typed(value, keys[name].default)


_BOOLEANS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def _typed(text: str, like: object) -> object:
    if isinstance(like, bool):
        # A word that is neither stays text, and the validation names key and type: a slip of the
        # pen must not turn a protection off.
        return _BOOLEANS.get(text.strip().lower(), text)
    if isinstance(like, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(like, float | int):
        try:
            return type(like)(text)
        except ValueError:
            return text  # the validation names key and type
    return text


def _check_keys(raw: Mapping[str, Any], path: str) -> None:
    """Unknown keys are errors that name the nearest key."""
    _nearest(raw, list(_KEYS), path, "")
    for name, section in TABLES.items():
        table = raw.get(name)
        if isinstance(table, dict):
            known = [f.name for f in msgspec.structs.fields(section)]
            _nearest(table, known, path, f"[{name}] ")
    for group, form in _NAMED.items():
        entries = raw.get(group)
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict):
                known = [f.name for f in msgspec.structs.fields(form)]
                _nearest(entry, known, path, f"[{group}.{name}] ")


def _nearest(table: Mapping[str, Any], known: list[str], path: str, where: str) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
            raise ConfigError(
                f"{path}: {where}{key!r} is not a setting",
                remedy=f"did you mean {near[0]!r}? docs/configuration.md lists every key",
            )
