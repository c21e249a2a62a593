"""The connection to Temporal, by Temporal's own settings: `temporal config set`, profiles and `TEMPORAL_*`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client, Plugin
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import KeepAliveConfig, RPCError, RPCStatusCode

from infra.config import load_config
from infra.errors import SetupError
from infra.payloads.converter import data_converter
from signals.names import SearchAttribute

DEFAULT_ADDRESS: Final = "localhost:7233"
CONNECT_TIMEOUT: Final = timedelta(seconds=10)
CALL_TIMEOUT: Final = timedelta(seconds=10)

KEEP_ALIVE: Final = KeepAliveConfig(interval_millis=15_000, timeout_millis=5_000)
"""A connection that a network has dropped without a word is given up after this time, not the SDK's 45 s; servers
refuse to be asked more often than every ten seconds."""

SEARCH_ATTRIBUTES: Final[Mapping[str, IndexedValueType.ValueType]] = {
    SearchAttribute.MODE: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    SearchAttribute.AWAITING: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    SearchAttribute.STOP: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    SearchAttribute.TRIGGER: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
}


async def connect(
    address: str | None = None,
    converter: DataConverter | None = None,
    runtime: Runtime | None = None,
    plugins: Sequence[Plugin] = (),
) -> Client:
    """Connect to Temporal with Parley's data converter.

    Args:
        address: A server of this process, `HOST:PORT`; Temporal's own settings say which where there is none.
        converter: How payloads are written; Parley's own settings say it where there is none.
        runtime: What tells of the work, where something does.
        plugins: What else the client, and workers that are made with it, are extended by.

    Raises:
        SetupError: The settings can't be read, or the server can't be reached.
    """
    try:
        settings = ClientConnectConfig(target_host=address) if address else ClientConfig.load_client_connect_config()
    except RuntimeError as error:
        raise SetupError(f"Temporal's connection settings can't be read: {error}") from error
    target = settings.setdefault("target_host", DEFAULT_ADDRESS)
    converter = converter or data_converter(load_config())
    try:
        return await Client.connect(
            **settings,
            data_converter=converter,
            connect_timeout=CONNECT_TIMEOUT,
            keep_alive_config=KEEP_ALIVE,
            runtime=runtime,
            plugins=plugins,
        )
    except RuntimeError as error:
        raise SetupError(
            f"no Temporal server answers at {target} ({error}): start one with --dev, or set TEMPORAL_ADDRESS"
        ) from error


async def ensure_search_attributes(client: Client) -> None:
    """Register the search attributes that the namespace doesn't know yet; a run that sets an unknown one is stuck.

    Raises:
        SetupError: The namespace isn't there, or the server does not let this client register them.
    """
    operator, namespace = client.operator_service, client.namespace
    try:
        known = await operator.list_search_attributes(
            ListSearchAttributesRequest(namespace=namespace), timeout=CALL_TIMEOUT
        )
        missing = {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if name not in known.custom_attributes}
        if missing:
            await operator.add_search_attributes(
                AddSearchAttributesRequest(namespace=namespace, search_attributes=missing), timeout=CALL_TIMEOUT
            )
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return  # another worker was faster
        raise SetupError(
            f"the search attributes {', '.join(SEARCH_ATTRIBUTES)} can't be registered in the namespace {namespace} "
            f"({error.message}): add them with `temporal operator search-attribute create`"
        ) from error
