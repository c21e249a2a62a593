import asyncio

import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest, RemoveSearchAttributesRequest

from infra.connection import SEARCH_ATTRIBUTES, connect, ensure_search_attributes
from infra.devserver import DevServer
from infra.errors import SetupError


async def test_missing_search_attributes_are_registered_also_by_two_workers_at_once() -> None:
    async with DevServer() as server:
        client = await connect(server.address)
        operator, namespace = client.operator_service, client.namespace
        await operator.remove_search_attributes(
            RemoveSearchAttributesRequest(namespace=namespace, search_attributes=list(SEARCH_ATTRIBUTES))
        )
        await asyncio.gather(ensure_search_attributes(client), ensure_search_attributes(client))
        known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
        assert SEARCH_ATTRIBUTES.items() <= known.custom_attributes.items()


async def test_a_namespace_that_is_not_there_is_told(server: DevServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "elsewhere")
    with pytest.raises(SetupError, match="Namespace elsewhere is not found"):
        await ensure_search_attributes(await connect())


async def test_a_server_that_does_not_answer_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    with pytest.raises(SetupError, match=r"no Temporal server answers at 127\.0\.0\.1:1 .* --dev"):
        await connect()


async def test_connection_settings_that_cannot_be_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_PROFILE", "none")
    with pytest.raises(SetupError, match="connection settings can't be read"):
        await connect()
