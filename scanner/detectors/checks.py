"""Every check that a rule may name. A check looks at one candidate and says what it thinks."""

from __future__ import annotations

from importlib import import_module

from stanch.scanner.detectors.aws import check_key_id, check_secret_key, check_session_token
from stanch.scanner.detectors.candidate import NOTHING_TO_SAY, Candidate, Check, Fate, Opinion
from stanch.scanner.detectors.column import check_column
from stanch.scanner.detectors.connection import (
    check_azure_length,
    check_azure_sas,
    check_connection,
    check_npmrc,
    check_password_file,
    check_pgpass,
)
from stanch.scanner.detectors.doubt import doubtful
from stanch.scanner.detectors.generic import check_assignment
from stanch.scanner.detectors.named import (
    check_half,
    check_masked,
    check_named,
    check_random,
    check_stand_in,
)
from stanch.scanner.detectors.place import check_argument, check_place
from stanch.scanner.detectors.placeholder import is_mask, is_placeholder, is_regular
from stanch.scanner.detectors.url import check_basic_auth, check_url
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.record import replace
from stanch.scanner.model.rule import RuleClass


def check_placeholder(candidate: Candidate) -> Opinion:
    """Made-up values: masks and examples are harmless, what only looks regular is doubtful."""
    value = candidate.value
    if not is_placeholder(value):
        return NOTHING_TO_SAY
    if not is_mask(value):
        doubt = doubtful(candidate, "looks made up")
        # Where a few characters are crossed out no checksum can hold, and the rest may be live.
        return doubt if is_regular(value) else replace(doubt, adds=False)
    if candidate.rule.rule_class in (RuleClass.A, RuleClass.B):
        return Opinion(fate=Fate.HARMLESS)
    return Opinion(confidence=Confidence.LOW, reason="placeholder")


_LATE: set[str] = set()


def _late(module: str, name: str) -> Check:
    """A check that few candidates meet: its module is loaded with the first of them."""
    _LATE.add(module)
    found: Check | None = None

    def check(candidate: Candidate) -> Opinion:
        nonlocal found
        if found is None:
            loaded: Check = getattr(import_module(f"stanch.scanner.detectors.{module}"), name)
            found = loaded
        return found(candidate)

    return check


CHECKS: dict[str, Check] = {
    "apify-crc32": _late("crc", "check_apify_crc"),
    "argument": check_argument,
    "assignment": check_assignment,
    "atlassian-crc32": _late("crc", "check_atlassian_crc"),
    "aws-key-id": check_key_id,
    "aws-secret-key": check_secret_key,
    "aws-session-token": check_session_token,
    "azure-length": check_azure_length,
    "azure-sas": check_azure_sas,
    "base58check": _late("wallet", "check_base58"),
    "base64-head": _late("structure", "check_base64_head"),
    "base64-json": _late("structure", "check_base64_json"),
    "base64-pem": _late("structure", "check_base64_pem"),
    "basic-auth": check_basic_auth,
    "bedrock": _late("structure", "check_bedrock"),
    "bech32": _late("wallet", "check_bech32"),
    "bootstrap-token": _late("manifest", "check_bootstrap_token"),
    "cask": _late("marvin", "check_cask"),
    "cloudflare-crc32": _late("crc", "check_cloudflare_crc"),
    "column": check_column,
    "confluent-crc32": _late("crc", "check_confluent_crc"),
    "connection": check_connection,
    "decimal-head": _late("structure", "check_decimal_head"),
    "discord-id": _late("structure", "check_discord_id"),
    "gcp-adc": _late("manifest", "check_gcp_adc"),
    "gcp-service-account": _late("manifest", "check_gcp_service_account"),
    "github-crc32": _late("crc", "check_github_crc"),
    "gitlab-crc32": _late("crc", "check_gitlab_crc"),
    "google-key-id": _late("structure", "check_google_key_id"),
    "grafana-crc32": _late("crc", "check_grafana_crc"),
    "half": check_half,
    "hex": _late("structure", "check_hex"),
    "issued-by-microsoft": _late("structure", "check_issued_by_microsoft"),
    "jwk": _late("manifest", "check_jwk"),
    "jwt": _late("jwt", "check_jwt"),
    "keystore": _late("keystore", "check_keystore"),
    "kubernetes-secret": _late("manifest", "check_kubernetes_secret"),
    "macaroon": _late("structure", "check_macaroon"),
    "mapbox": _late("structure", "check_mapbox"),
    "marvin32": _late("marvin", "check_identifiable_key"),
    "masked": check_masked,
    "mnemonic": _late("mnemonic", "check_mnemonic"),
    "named": check_named,
    "nkey-crc16": _late("crc", "check_nkey"),
    "npmrc": check_npmrc,
    "password-file": check_password_file,
    "pem": _late("pem", "check_pem"),
    "pgpass": check_pgpass,
    "place": check_place,
    "placeholder": check_placeholder,
    "putty": _late("pem", "check_putty"),
    "pypi-macaroon": _late("structure", "check_pypi"),
    "random": check_random,
    "secp256k1": _late("wallet", "check_secp256k1"),
    "stand-in": check_stand_in,
    "supabase-role": _late("structure", "check_supabase_role"),
    "url": check_url,
    "vapid": _late("vapid", "check_vapid"),
    "vapid-pair": _late("vapid", "check_pair"),
    "zuplo-crc32": _late("crc", "check_zuplo_crc"),
}


def load() -> None:
    """Load what is loaded late, so that its expressions can be kept."""
    for module in _LATE:
        import_module(f"stanch.scanner.detectors.{module}")
