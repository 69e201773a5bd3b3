"""One lab for all tests of this folder, emptied before each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from stanch.responder.lab.aws import AwsLab, Credentials, World, seed

Refusal = Callable[[Callable[[], object]], tuple[str, str]]


@pytest.fixture(scope="session")
def running_lab() -> Iterator[AwsLab]:
    with AwsLab.start() as lab:
        yield lab


@pytest.fixture
def lab(running_lab: AwsLab) -> AwsLab:
    running_lab.set_propagation(timedelta(0))
    running_lab.set_trail_lag(timedelta(0))
    running_lab.reset()
    return running_lab


@pytest.fixture
def world(lab: AwsLab) -> World:
    return seed(lab)


@pytest.fixture
def refusal() -> Refusal:
    def of(act: Callable[[], object]) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            act()
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return of


@pytest.fixture
def new_key(lab: AwsLab) -> Callable[[str], Credentials]:
    """Makes another key for a user."""

    def make(user: str) -> Credentials:
        made = lab.client("iam").create_access_key(UserName=user)["AccessKey"]
        return Credentials(access_key_id=made["AccessKeyId"], secret=made["SecretAccessKey"])

    return make
