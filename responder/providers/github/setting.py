"""The ``[github]`` table of ``stanch.toml``."""

from __future__ import annotations

from stanch.responder.providers.setting import Section


class GithubSection(Section, frozen=True):
    """``owners``: the logins and organisations that are ours; tokens of others are not touched.

    ``token`` (a reference) is what GitHub Enterprise Server wants to see before it revokes
    another's token; github.com refuses a request that carries one.
    """

    api_url: str = "https://api.github.com"
    owners: tuple[str, ...] = ()
    token: str = ""
