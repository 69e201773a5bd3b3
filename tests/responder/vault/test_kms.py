from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError

from stanch.responder.domain.error import ConfigError, Retryable, VaultError
from stanch.responder.vault.kms import KmsMasterKey, connect
from stanch.responder.vault.master import parse_master_key
from tests.responder.vault.kms_memory import ARN, CONTEXT, Service, refusal


@pytest.mark.parametrize("code", ["AccessDeniedException", "DisabledException"])
def test_a_refusal_names_the_permissions(code: str) -> None:
    service = Service()
    service.error = refusal(code)
    with pytest.raises(VaultError, match=code) as caught:
        KmsMasterKey(service, ARN).make(CONTEXT)
    assert "kms:GenerateDataKey" in caught.value.remedy
    assert not isinstance(caught.value, Retryable)


@pytest.mark.parametrize(
    "error",
    [refusal("ThrottlingException"), EndpointConnectionError(endpoint_url="https://kms")],
    ids=["throttled", "unreachable"],
)
def test_what_passes_is_tried_again_by_a_step_and_explained_to_a_person(error: Exception) -> None:
    service = Service()
    service.error = error
    with pytest.raises(Retryable) as caught:
        KmsMasterKey(service, ARN).make(CONTEXT)
    assert caught.value.after.total_seconds() > 0
    assert isinstance(caught.value, VaultError)
    assert caught.value.remedy


def test_a_reference_is_joined_to_its_key() -> None:
    master = parse_master_key(f"aws-kms:{ARN}", kms=lambda arn: KmsMasterKey(Service(), arn))
    assert master.name == f"aws-kms:{ARN}"
    assert parse_master_key(f"aws-kms:{ARN}").name == master.name


def test_an_arn_without_a_region_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not name a KMS key"):
        connect("arn:aws:kms")
