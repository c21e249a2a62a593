"""The embedded model's server, as the machine sees it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from activities.local_model import LocalModel

IDLE: Final = 1.0
"""Seconds over which a server that has nothing to do is watched."""


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    """Where a server that has answered once takes requests."""
    local = LocalModel()
    await local.warm()
    yield local.start()
    local.close()


async def test_it_takes_connections_from_this_machine_alone(url: str) -> None:
    port = urlsplit(url).port
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(os.getpid()).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }
    assert listening == {"127.0.0.1"}


async def test_another_key_than_its_own_is_refused(url: str) -> None:
    async with httpx2.AsyncClient(headers={"Authorization": "Bearer none"}) as stranger:
        answer = await stranger.post(f"{url}/chat/completions", json={"messages": []})
    assert answer.status_code == 401


async def test_it_takes_no_processor_time_while_nobody_asks(url: str) -> None:
    before = time.process_time()
    await asyncio.sleep(IDLE)
    assert time.process_time() - before < 0.2 * IDLE
