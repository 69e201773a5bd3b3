"""A real Redis for what is shared between processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.responder.broker import Broker, serving


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with serving(tmp_path_factory.mktemp("redis")) as broker:
        yield broker


@pytest.fixture
def broker(_server: Broker) -> Broker:
    with _server.client() as client:
        client.flushall()
    return _server
