"""A rule file such as a user writes for tokens of their own."""

from __future__ import annotations

OWN_RULE = """\
provider: acme
rules:
  - id: acme-token
    title: Acme token
    kind: api-token
    class: B
    severity: high
    confidence: high
    token: 'acme_[0-9a-f]{32}'
    remedy: Revoke it.
    link: https://acme.invalid/tokens
    match: ["acme_{hex:32}"]
    reject: ["acme_{hex:9}"]
"""
