"""Why a secret is not given: each state has an error of its own, and none of them is "empty"."""

from __future__ import annotations

from stanch.responder.domain.error import ConfigError, StanchError, UsageError


class NotAReference(UsageError):  # noqa: N818  # named as people say it
    """What was written is no reference."""

    then = "stanch secrets list"


class SecretsConfigError(ConfigError):
    """The ``[secrets]`` of ``stanch.toml`` contradicts what an environment promises."""


class SecretError(StanchError):
    """A secret was asked for and is not given."""

    exit_code = 1
    then = "stanch secrets list"


class SecretAbsent(SecretError):  # noqa: N818  # an answer, named as people say it
    """Every store that counts here has answered, and has no such secret."""


class SecretDenied(SecretError):  # noqa: N818  # as above
    """The store knows who asks and says no."""


class SecretRefused(SecretError):  # noqa: N818  # as above
    """We say no: its metadata is not complete, or it does not belong here."""


class SecretUnavailable(SecretError):  # noqa: N818  # as above
    """A store did not answer: whether there is such a secret is not known."""

    exit_code = 3


class SecretConflict(SecretError):  # noqa: N818  # as above
    """Somebody else changed the secret since it was looked at; nothing was written."""


class Unsupported(UsageError):  # noqa: N818  # as above
    """This store cannot do that."""
