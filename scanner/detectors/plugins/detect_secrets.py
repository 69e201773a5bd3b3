"""Runs detect-secrets plugins, its own and its users', on candidate lines. Its only importer.

What a plugin reports here is what ``detect-secrets scan`` would report: the same analysis, the same
heuristic filters, the same treatment of YAML and INI files. Only the choice of lines is ours. For a
plugin that is a list of regular expressions, one search over a whole file says which lines it could
match; the others see every line of a reasonable length. Nothing is ever verified over the network.

A plugin from a file or a module is code that runs with the rights of whoever scans, so it is loaded
when it is named on the command line and never because a scanned repository asks for it.
"""

from __future__ import annotations

import importlib
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.record import Record
from stanch.scanner.model.secret import SecretValue

_PREFIX = "detect-secrets/"
_HOME = "detect_secrets."
_LONGEST_LINE = 100_000  # characters; plugins are not made for more
_LARGEST_TRANSFORMED = 1_000_000  # characters of YAML or INI that are parsed
_SLUG = re.compile(r"[^a-z0-9]+")
#: Filters that look at the disk, or that `stanch.scanner.suppression` does itself and counts.
_NOT_OURS = (
    "detect_secrets.filters.common.is_invalid_file",
    "detect_secrets.filters.heuristic.is_non_text_file",
    "detect_secrets.filters.allowlist.is_line_allowlisted",
)
#: Plugins that tell a provider's credentials; the rest is of provider "generic".
_PROVIDERS = {
    "ArtifactoryDetector": "jfrog",
    "AWSKeyDetector": "aws",
    "AzureStorageKeyDetector": "azure",
    "CloudantDetector": "cloudant",
    "DiscordBotTokenDetector": "discord",
    "GitHubTokenDetector": "github",
    "GitLabTokenDetector": "gitlab",
    "IbmCloudIamDetector": "ibm",
    "IbmCosHmacDetector": "ibm",
    "MailchimpDetector": "mailchimp",
    "NpmDetector": "npm",
    "OpenAIDetector": "openai",
    "PypiTokenDetector": "pypi",
    "SendGridDetector": "sendgrid",
    "SlackDetector": "slack",
    "SoftlayerDetector": "softlayer",
    "SquareOAuthDetector": "square",
    "StripeDetector": "stripe",
    "TelegramBotTokenDetector": "telegram",
    "TwilioKeyDetector": "twilio",
}


class Hit(Record):
    """What a plugin found: its class, the type it gives, the 1-based line and the value."""

    plugin: str
    type: str
    line: int
    value: SecretValue


class _Loaded(Record):
    """A plugin, and what its lines must hold: None when only the plugin itself can say."""

    plugin: Any
    needs: tuple[re.Pattern[str], ...] | None


class PluginDetector:
    """A set of plugins, ready to look at fragments.

    Each item of ``plugins`` is the name of a built-in class, ``all`` for all of them, a file
    (``file:///path/plugin.py``) or a module (``module:package.plugin``) whose plugin classes are
    taken. ``options`` are arguments by class name, e.g. ``{"HexHighEntropyString": {"limit": 3}}``.
    """

    def __init__(
        self, plugins: Sequence[str], *, options: Mapping[str, Mapping[str, object]] | None = None
    ) -> None:
        chosen: dict[str, Any] = {}
        for name in plugins:
            chosen.update({each.__name__: each for each in _classes(name)})
        self._loaded = tuple(
            _made(each, dict((options or {}).get(name, {}))) for name, each in chosen.items()
        )
        _settle()

    @property
    def names(self) -> tuple[str, ...]:
        """The classes that run, in order."""
        return tuple(type(each.plugin).__name__ for each in self._loaded)

    def basis(self) -> bytes:
        """Differs when other plugins, or the same ones with other options, would look.

        Code of a user's own may change from one call to the next, so it is never the same.
        """
        told = [repr(sorted(each.plugin.json().items())) for each in self._loaded]
        own = any(not type(each.plugin).__module__.startswith(_HOME) for each in self._loaded)
        return "\n".join(told).encode() + (os.urandom(16) if own else b"")

    def hits(self, text: str, path: str) -> Iterator[Hit]:
        """What the plugins find in a whole text, in order of lines. ``path`` decides the kind."""
        raw = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        found = False
        for lines in _views(raw, path):
            for hit in self._look(lines, path):
                found = True
                yield hit
            if found:
                return

    def detect(
        self, fragment: Fragment, key: FingerprintKey
    ) -> tuple[tuple[Match, ...], tuple[Gap, ...]]:
        """The fragment's matches, and a gap when a plugin failed on it."""
        text = fragment.data.decode("utf-8", errors="replace")
        path = fragment.provenance.path
        matches: dict[tuple[str, Span], Match] = {}
        try:
            for hit in self.hits(text, path):
                match = _match(hit, fragment, key)
                matches[match.finding.rule, match.finding.span] = match
        except Exception as error:  # noqa: BLE001  # somebody else's code: it must not end the scan
            # The error's text is left out: it may quote the line.
            why = f"a detect-secrets plugin failed ({type(error).__name__})"
            return tuple(matches.values()), (Gap(path=path, why=why, incomplete=True),)
        return tuple(matches.values()), ()

    def _look(self, lines: list[str], path: str) -> Iterator[Hit]:
        from detect_secrets.core.scan import (  # noqa: PLC0415  # slow to load
            _is_filtered_out,
            _scan_line,
        )
        from detect_secrets.util.code_snippet import get_code_snippet  # noqa: PLC0415  # as above

        if _is_filtered_out(required_filter_parameters=["filename"], filename=path):
            return
        for number, plugins in sorted(self._candidates(lines).items()):
            line = lines[number - 1]
            context = get_code_snippet(lines=lines, line_number=number)
            given: dict[str, Any] = {"filename": path, "line": line, "context": context}
            if _is_filtered_out(required_filter_parameters=["line"], **given):
                continue
            for plugin in plugins:
                found = _scan_line(plugin=plugin, line_number=number, **given)
                for secret in sorted(found, key=lambda each: str(each.secret_value)):
                    value = secret.secret_value
                    if value and not _is_filtered_out(
                        required_filter_parameters=["context"], secret=value, plugin=plugin, **given
                    ):
                        yield Hit(
                            plugin=type(plugin).__name__,
                            type=secret.type,
                            line=number,
                            value=SecretValue(value.encode()),
                        )

    def _candidates(self, lines: list[str]) -> dict[int, list[Any]]:
        """The plugins that have to see a line, by its number."""
        body = "\n".join(lines)
        chosen: dict[int, list[Any]] = {}
        for each in self._loaded:
            if each.needs is None:
                numbers: Iterable[int] = (n for n, line in enumerate(lines, 1) if line)
            else:
                numbers = sorted({n for need in each.needs for n in _touched(need, body, lines)})
            for number in numbers:
                if len(lines[number - 1]) <= _LONGEST_LINE:
                    chosen.setdefault(number, []).append(each.plugin)
        return chosen


def _classes(name: str) -> list[Any]:
    from detect_secrets.core.plugins.util import (  # noqa: PLC0415  # slow to load
        get_mapping_from_secret_type_to_class,
        get_plugins_from_file,
        get_plugins_from_module,
    )

    mapping: dict[str, Any] = get_mapping_from_secret_type_to_class()
    builtin = {each.__name__: each for each in mapping.values()}
    if name == "all":
        return [builtin[each] for each in sorted(builtin)]
    if name in builtin:
        return [builtin[name]]
    try:
        if name.startswith("file://"):
            found: list[Any] = list(get_plugins_from_file(name.removeprefix("file://")))
        elif name.startswith("module:"):
            found = list(
                get_plugins_from_module(importlib.import_module(name.removeprefix("module:")))
            )
        else:
            raise UsageError(
                f"no detect-secrets plugin is called {name!r}",
                remedy=f"name one of {', '.join(sorted(builtin))}, `all`, file:///path or module:…",
            )
    except (OSError, ImportError, SyntaxError) as error:
        raise UsageError(
            f"the plugin {name} cannot be loaded: {type(error).__name__}",
            remedy="name a readable python file as file:///path, or an installed module",
        ) from error
    own = [each for each in found if each.__name__ not in builtin]
    if not own:
        raise UsageError(
            f"{name} holds no plugin of detect-secrets",
            remedy="it needs a class that derives from one of detect_secrets and has a secret_type",
        )
    return own


def _made(plugin_class: Any, options: dict[str, object]) -> _Loaded:
    from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector  # noqa: PLC0415  # slow
    from detect_secrets.plugins.high_entropy_strings import (  # noqa: PLC0415  # as above
        Base64HighEntropyString,
        HexHighEntropyString,
    )
    from detect_secrets.plugins.jwt import JwtTokenDetector  # noqa: PLC0415  # as above
    from detect_secrets.plugins.keyword import DENYLIST, KeywordDetector  # noqa: PLC0415  # as above

    try:
        plugin = plugin_class(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the plugin {plugin_class.__name__} does not take these options",
            remedy="give the arguments that its class declares",
        ) from error
    if plugin_class is KeywordDetector:
        return _Loaded(plugin=plugin, needs=(re.compile("|".join(DENYLIST), re.IGNORECASE),))
    if plugin_class in {Base64HighEntropyString, HexHighEntropyString}:
        return _Loaded(plugin=plugin, needs=(plugin.regex,))
    narrows = (BasePlugin.analyze_line, RegexBasedDetector.analyze_string)
    usual = (plugin_class.analyze_line, plugin_class.analyze_string) == narrows
    if isinstance(plugin, RegexBasedDetector) and (usual or plugin_class is JwtTokenDetector):
        return _Loaded(plugin=plugin, needs=_needs(plugin.denylist))
    return _Loaded(plugin=plugin, needs=None)


def _needs(denylist: Iterable[re.Pattern[str]]) -> tuple[re.Pattern[str], ...] | None:
    """The same expressions for a text of many lines; None when one speaks of a text's ends."""
    patterns = tuple(denylist)
    if any(r"\A" in each.pattern or r"\Z" in each.pattern for each in patterns):
        return None
    return tuple(re.compile(each.pattern, each.flags | re.MULTILINE) for each in patterns)


def _touched(need: re.Pattern[str], body: str, lines: list[str]) -> Iterator[int]:
    """The lines in which a match could begin: the search goes on in the line after each."""
    number, start = 1, 0
    found = need.search(body)
    while found:
        while start + len(lines[number - 1]) < found.start():
            start += len(lines[number - 1]) + 1
            number += 1
        yield number
        start += len(lines[number - 1]) + 1
        number += 1
        if number > len(lines):
            return
        found = need.search(body, start)


def _settle() -> None:
    """Give the process-wide settings of the package the filters that belong to a scan here."""
    from detect_secrets.settings import get_settings  # noqa: PLC0415  # slow to load

    get_settings().disable_filters(*_NOT_OURS)


def _views(raw: list[str], path: str) -> Iterator[list[str]]:
    """A file's lines as plugins see them; the second, eager view is for when the first is quiet."""
    from detect_secrets.transformers import get_transformed_file  # noqa: PLC0415  # slow to load

    stripped = [line.rstrip() for line in raw]
    text = "\n".join(raw)
    if len(text) > _LARGEST_TRANSFORMED:
        yield stripped
        return
    for eager in (False, True):
        file: Any = io.StringIO(text)
        file.name = path  # the package asks a file for its name
        changed = get_transformed_file(file, use_eager_transformers=eager)
        if changed:
            yield [line.rstrip() for line in changed]
        elif not eager:
            yield stripped


def _match(hit: Hit, fragment: Fragment, key: FingerprintKey) -> Match:
    provider = _PROVIDERS.get(hit.plugin, "generic")
    kind = _SLUG.sub("-", hit.type.lower()).strip("-")
    heuristic = hit.plugin in {"KeywordDetector", "Base64HighEntropyString", "HexHighEntropyString"}
    span = _span(hit, fragment)
    finding = Finding(
        rule=_PREFIX + hit.plugin,
        provider=provider,
        kind=kind,
        provenance=fragment.at(span.line, span.column),
        span=span,
        fingerprint=key.fingerprint(provider, kind, hit.value),
        preview=f"<{len(hit.value)} bytes>",
        severity=Severity.MEDIUM if heuristic else Severity.HIGH,
        confidence=Confidence.MEDIUM,
        reason="detect-secrets plugin",
        title=f"{hit.type} (detect-secrets)",
    )
    return Match(finding=finding, parts=MappingProxyType({"value": hit.value}))


def _span(hit: Hit, fragment: Fragment) -> Span:
    """Where the value is; its whole line when it is written otherwise there (YAML, escapes)."""
    lines = fragment.data.split(b"\n", hit.line)
    line = lines[hit.line - 1] if hit.line <= len(lines) else b""
    value = hit.value.reveal()
    at = line.find(value)
    start, end = (at, at + len(value)) if at >= 0 else (0, len(line.rstrip()))
    number = hit.line + fragment.first_line - 1
    return Span(line=number, column=start + 1, end_line=number, end_column=end + 1)


class PackageSettings(Record):
    """What a baseline of detect-secrets says of its maker: version, plugins and filters."""

    version: str
    plugins: tuple[Mapping[str, Any], ...]
    filters: tuple[Mapping[str, Any], ...]


def package_settings() -> PackageSettings:
    """The installed package with all its plugins and its default filters."""
    from detect_secrets.__version__ import VERSION  # noqa: PLC0415  # slow to load
    from detect_secrets.settings import default_settings  # noqa: PLC0415  # as above

    with default_settings() as settings:
        told = settings.json()
    _settle()
    return PackageSettings(
        version=VERSION,
        plugins=tuple(told["plugins_used"]),
        filters=tuple(told["filters_used"]),
    )
