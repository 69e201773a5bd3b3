"""The exclusions of `detect-secrets-hook`, kept so that its users can switch without loss."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Finding, Match
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.record import Record, replace
from stanch.scanner.sources.hunk import Hunk
from stanch.scanner.sources.source import Aside, Milestone, Source

Item = TypeVar("Item")

PLUGINS = {
    "AWSKeyDetector": ("aws",),
    "ArtifactoryDetector": ("jfrog",),
    "AzureStorageKeyDetector": ("azure",),
    "Base64HighEntropyString": ("generic",),
    "BasicAuthDetector": ("database",),
    "CloudantDetector": ("ibm",),
    "DiscordBotTokenDetector": ("discord",),
    "GitHubTokenDetector": ("github",),
    "GitLabTokenDetector": ("gitlab",),
    "HexHighEntropyString": ("generic",),
    "IbmCloudIamDetector": ("ibm",),
    "IbmCosHmacDetector": ("ibm",),
    "JwtTokenDetector": ("jwt",),
    "KeywordDetector": ("generic",),
    "MailchimpDetector": ("mailchimp",),
    "NpmDetector": ("npm",),
    "OpenAIDetector": ("openai",),
    "PrivateKeyDetector": ("private_key",),
    "PypiTokenDetector": ("pypi",),
    "SendGridDetector": ("sendgrid",),
    "SlackDetector": ("slack",),
    "SoftlayerDetector": ("ibm",),
    "SquareOAuthDetector": ("square",),
    "StripeDetector": ("stripe",),
    "TelegramBotTokenDetector": ("telegram",),
    "TwilioKeyDetector": ("twilio",),
}
"""Which providers' rules stand in for a plugin of detect-secrets."""


class Exclusion(Record):
    """What not to look at, and what to disregard."""

    files: tuple[re.Pattern[str], ...] = ()
    lines: tuple[re.Pattern[bytes], ...] = ()
    secrets: tuple[re.Pattern[str], ...] = ()
    providers: frozenset[str] = frozenset()

    def reason(self, match: Match) -> str | None:
        """Why the match is disregarded, or None."""
        if self._is_disabled(match.finding):
            return "--disable-plugin"
        values = (value.reveal().decode("utf-8", "replace") for value in match.parts.values())
        if any(each.search(value) for value in values for each in self.secrets):
            return "--exclude-secrets"
        return None

    def _is_disabled(self, finding: Finding) -> bool:
        return finding.provider in self.providers


NOTHING = Exclusion()
"""Excludes nothing."""


def exclusion(
    *, files: Sequence[str], lines: Sequence[str], secrets: Sequence[str], plugins: Sequence[str]
) -> Exclusion:
    """The exclusion that the arguments describe. Unknown plugins exclude nothing."""
    return Exclusion(
        files=tuple(_compiled(each, "--exclude-files") for each in files),
        lines=tuple(
            re.compile(_compiled(each, "--exclude-lines").pattern.encode()) for each in lines
        ),
        secrets=tuple(_compiled(each, "--exclude-secrets") for each in secrets),
        providers=frozenset(p for plugin in plugins for p in PLUGINS.get(plugin, ())),
    )


class Filtered(Record, Generic[Item], frozen=False):
    """A source without the excluded files, and with the excluded lines blanked out."""

    source: Source[Item]
    exclusion: Exclusion

    def batches(self) -> Iterator[tuple[Item, ...] | Gap | Milestone]:
        """As the source has them."""
        return self.source.batches()

    def read(self, batch: tuple[Item, ...]) -> Iterator[Fragment | Gap | Aside]:
        """What is left. Blanks keep the length, so that lines and columns stay true."""
        for found in self.source.read(batch):
            if isinstance(found, Aside):
                yield found
                continue
            piece = found.fragment() if isinstance(found, Hunk) else found
            path = piece.path if isinstance(piece, Gap) else piece.provenance.path
            if any(each.search(path) for each in self.exclusion.files):
                continue
            yield piece if isinstance(piece, Gap) else self._blanked(piece)

    def close(self) -> None:
        """Close the source."""
        self.source.close()

    def label(self, item: Item) -> str:
        """As the source says."""
        return self.source.label(item)

    def _blanked(self, piece: Fragment) -> Fragment:
        if not self.exclusion.lines:
            return piece
        kept = (
            b" " * len(line.rstrip(b"\r\n")) + line[len(line.rstrip(b"\r\n")) :]
            if any(each.search(line) for each in self.exclusion.lines)
            else line
            for line in piece.data.splitlines(keepends=True)
        )
        return replace(piece, data=b"".join(kept))


def filtered(source: Source[Any], excluded: Exclusion) -> Source[Any]:
    """The source itself when nothing about its content is excluded."""
    if not excluded.files and not excluded.lines:
        return source
    return Filtered(source=source, exclusion=excluded)


def _compiled(pattern: str, option: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(
            f"{option}: `{pattern}` is not a regular expression: {error}",
            remedy="mend it; special characters such as `(` or `*` need a backslash",
        ) from error
