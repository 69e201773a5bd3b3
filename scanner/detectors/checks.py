"""Every check that a rule may name. A check looks at one candidate and says what it thinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from stanch.scanner.detectors.candidate import (
    NOTHING_TO_SAY,
    Candidate,
    Check,
    CheckResult,
    Disposition,
)
from stanch.scanner.detectors.context.connection_string import (
    check_azure_length,
    check_azure_sas,
    check_connection,
    check_npmrc,
    check_password_file,
    check_pgpass,
)
from stanch.scanner.detectors.context.framework_key import check_framework_key
from stanch.scanner.detectors.context.generic import check_assignment
from stanch.scanner.detectors.context.header import (
    check_bearer,
    check_header_token,
    check_header_value,
)
from stanch.scanner.detectors.context.provider_value import (
    check_half,
    check_masked,
    check_named,
    check_random,
    check_stand_in,
)
from stanch.scanner.detectors.context.public_key import check_public_by_design
from stanch.scanner.detectors.context.single_value import check_single_value
from stanch.scanner.detectors.context.split_assignment import (
    check_argument,
    check_directive,
    check_place,
)
from stanch.scanner.detectors.context.table_column import check_column, rows
from stanch.scanner.detectors.context.url import check_basic_auth, check_url
from stanch.scanner.detectors.context.value_list import check_list, items
from stanch.scanner.detectors.document.entry import check_entry, check_sensitive
from stanch.scanner.detectors.document.google_key import check_refresh_token, check_service_account
from stanch.scanner.detectors.document.jwk import check_jwk
from stanch.scanner.detectors.document.kubernetes import check_kubernetes_entry
from stanch.scanner.detectors.structure.aws import (
    check_key_id,
    check_secret_key,
    check_session_token,
)
from stanch.scanner.detectors.structure.azure_key import check_cask, check_identifiable_key
from stanch.scanner.detectors.structure.base64_token import (
    check_base64_head,
    check_base64_json,
    check_base64_pem,
    check_bedrock,
    check_decimal_head,
    check_discord_id,
    check_google_key_id,
    check_hex,
    check_issued_by_microsoft,
    check_macaroon,
    check_mapbox,
    check_pypi,
    check_supabase_role,
)
from stanch.scanner.detectors.structure.bootstrap_token import check_bootstrap_token
from stanch.scanner.detectors.structure.crc import (
    check_apify_crc,
    check_atlassian_crc,
    check_cloudflare_crc,
    check_confluent_crc,
    check_github_crc,
    check_gitlab_crc,
    check_grafana_crc,
    check_nkey,
    check_zuplo_crc,
)
from stanch.scanner.detectors.structure.jwt import check_jwt
from stanch.scanner.detectors.structure.keystore import check_keystore
from stanch.scanner.detectors.structure.mnemonic import check_mnemonic
from stanch.scanner.detectors.structure.pem import check_pem, check_putty
from stanch.scanner.detectors.structure.vapid import check_pair, check_vapid
from stanch.scanner.detectors.structure.wallet import check_base58, check_bech32, check_secp256k1
from stanch.scanner.detectors.text.doubt import doubtful
from stanch.scanner.detectors.text.placeholder import is_mask, is_placeholder, is_regular
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.record import replace
from stanch.scanner.model.rule import Rule, RuleClass


def check_placeholder(candidate: Candidate) -> CheckResult:
    """Made-up values: masks and examples are harmless, what only looks regular is doubtful."""
    value = candidate.value
    if not is_placeholder(value):
        return NOTHING_TO_SAY
    if not is_mask(value):
        doubt = doubtful(candidate, "looks made up")
        # Where a few characters are crossed out no checksum can hold, and the rest may be live.
        return doubt if is_regular(value) else replace(doubt, independent=False)
    if candidate.rule.rule_class in (RuleClass.A, RuleClass.B):
        return CheckResult(fate=Disposition.HARMLESS)
    return CheckResult(confidence=Confidence.LOW, reason="placeholder")


CHECKS: dict[str, Check] = {
    "apify-crc32": check_apify_crc,
    "argument": check_argument,
    "assignment": check_assignment,
    "atlassian-crc32": check_atlassian_crc,
    "aws-key-id": check_key_id,
    "aws-secret-key": check_secret_key,
    "aws-session-token": check_session_token,
    "azure-length": check_azure_length,
    "azure-sas": check_azure_sas,
    "base58check": check_base58,
    "base64-head": check_base64_head,
    "base64-json": check_base64_json,
    "base64-pem": check_base64_pem,
    "basic-auth": check_basic_auth,
    "bedrock": check_bedrock,
    "bearer": check_bearer,
    "bech32": check_bech32,
    "bootstrap-token": check_bootstrap_token,
    "cask": check_cask,
    "cloudflare-crc32": check_cloudflare_crc,
    "column": check_column,
    "confluent-crc32": check_confluent_crc,
    "connection": check_connection,
    "decimal-head": check_decimal_head,
    "directive": check_directive,
    "discord-id": check_discord_id,
    "document-entry": check_entry,
    "document-sensitive": check_sensitive,
    "framework-key": check_framework_key,
    "github-crc32": check_github_crc,
    "gitlab-crc32": check_gitlab_crc,
    "google-refresh-token": check_refresh_token,
    "google-service-account": check_service_account,
    "google-key-id": check_google_key_id,
    "grafana-crc32": check_grafana_crc,
    "half": check_half,
    "header-token": check_header_token,
    "header-value": check_header_value,
    "hex": check_hex,
    "issued-by-microsoft": check_issued_by_microsoft,
    "jwk": check_jwk,
    "jwt": check_jwt,
    "keystore": check_keystore,
    "list": check_list,
    "kubernetes-entry": check_kubernetes_entry,
    "macaroon": check_macaroon,
    "mapbox": check_mapbox,
    "marvin32": check_identifiable_key,
    "masked": check_masked,
    "mnemonic": check_mnemonic,
    "named": check_named,
    "nkey-crc16": check_nkey,
    "npmrc": check_npmrc,
    "password-file": check_password_file,
    "pem": check_pem,
    "pgpass": check_pgpass,
    "place": check_place,
    "placeholder": check_placeholder,
    "public-by-design": check_public_by_design,
    "putty": check_putty,
    "pypi-macaroon": check_pypi,
    "random": check_random,
    "secp256k1": check_secp256k1,
    "single-value": check_single_value,
    "stand-in": check_stand_in,
    "supabase-role": check_supabase_role,
    "url": check_url,
    "vapid": check_vapid,
    "vapid-pair": check_pair,
    "zuplo-crc32": check_zuplo_crc,
}

SPREAD: dict[str, Callable[[Candidate], Iterator[Candidate]]] = {"column": rows, "list": items}
"""By check, what the pattern's place stands for: each of these is judged by itself."""

FAR_CHECKS = frozenset({"pem", "putty"})
"""Checks that look farther than the lines around: at all of a key."""


def far_rules(rules: Sequence[Rule]) -> frozenset[int]:
    """By index the rules whose findings may change when something far away does."""
    return frozenset(i for i, rule in enumerate(rules) if not FAR_CHECKS.isdisjoint(rule.checks))


def document_rules(rules: Sequence[Rule]) -> frozenset[int]:
    """By index the rules whose findings may stand anywhere in a content."""
    return frozenset(
        index
        for index, rule in enumerate(rules)
        if rule.document is not None or not SPREAD.keys().isdisjoint(rule.checks)
    )


def paired_rules(rules: Sequence[Rule]) -> tuple[frozenset[int], int]:
    """By index the rules that find halves of pairs, and how many lines may be between two."""
    pairs = [(rule.id, rule.pairing) for rule in rules if rule.pairing is not None]
    names = {name for one, pair in pairs for name in (one, pair.rule, *pair.also)}
    found = frozenset(index for index, rule in enumerate(rules) if rule.id in names)
    return found, max((pair.within for _, pair in pairs), default=0)
