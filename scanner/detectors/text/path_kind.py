"""What kind of ground a secret's name stands on: lock files, texts, tests, comments."""

from __future__ import annotations

from functools import lru_cache

from stanch.scanner.detectors.text.regex_cache import regex

_LOCK = regex(
    r"(?i)(?:^|/)(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|go\.sum|[\w.-]+\.lock|composer\.lock|"
    r"npm-shrinkwrap\.json|[\w.-]+\.min\.(?:js|css)|[\w.-]+\.(?:svg|map|css|po|pot|strings|arb|xlf|"
    r"xliff|resx))$"
)
_TRANSLATION = regex(
    r"(?i)(?:^|/)(?:i18n|l10n|locales?|lang|languages?|translations?|messages|nls)/|"
    r"(?:^|/)[\w.-]*(?:messages|strings|locale|lang|labels)[\w.-]*\.(?:json|ya?ml|properties|xml|js|ts|php)$"
)
_EXAMPLES = regex(
    r"(?i)(?:^|/)(?:(?:[\w.-]*[_.-])?(?:unit|self)?tests?(?:[_.-][\w.-]*|data|ing|suite|progs?|cases?)?|t|"
    r"specs?|__tests__|fixtures?|mocks?|examples?|samples?|demos?|docs?|doc[_.-][\w.-]*|guides?|userguide|"
    r"manual|manpages?|howtos?|api-ref|tutorials?)/|(?:^|/)(?:tests?[_.-][\w.-]*|conftest|"
    r"examples?-[\w.-]+|[\w.-]*[_.-](?:tests?|spec|examples?)\.\w+|\w+Tests?\.\w+|tests?\.\w+)$"
)
_DOCUMENT = regex(
    r"(?i)(?:^|/)(?:readme|changelog|changes|news|history)[\w.-]*$|"
    r"\.(?:mdx?|rst|adoc|asciidoc|pod|texi|ipynb|html?)$"
)
_COMMENT = regex(rb"\s*(?:#|//|/\*|\*|--|;|<!--|(?i:rem)\s)")


@lru_cache(maxsize=64)
def is_foreign_ground(path: str) -> bool:
    """Files made of digests, minified code or texts, where an assignment is none."""
    return _LOCK.search(path) is not None


@lru_cache(maxsize=64)
def is_example_ground(path: str) -> bool:
    """Tests, fixtures, samples and documentation, where words stand for passwords."""
    return _EXAMPLES.search(path) is not None


@lru_cache(maxsize=64)
def is_document(path: str) -> bool:
    """Texts for people, which often show a real command and its made up secret."""
    return _DOCUMENT.search(path) is not None


@lru_cache(maxsize=64)
def is_translation(path: str) -> bool:
    """Texts of a program in other languages."""
    return _TRANSLATION.search(path) is not None


def is_comment(front: bytes) -> bool:
    """Whether a line that begins like this is a comment in most languages."""
    return _COMMENT.match(front) is not None
