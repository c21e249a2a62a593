"""A real Prometheus that fetches metrics from what tests run."""

import asyncio
import json
import shutil
import urllib.parse
import urllib.request
from asyncio.subprocess import create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from tests.harness import eventually, free_port

PROGRAM: Final = shutil.which("prometheus")
START_SECONDS: Final = 30.0
RULES: Final = Path(__file__).parents[2] / "infra" / "prometheus" / "alerts.yaml"

Sample = tuple[dict[str, str], float]
"""A series' labels, and its value."""


class Series(BaseModel):
    """A series, and when it had which value."""

    metric: dict[str, str]
    value: tuple[float, float]


class Vector(BaseModel):
    """What an expression gives."""

    result: list[Series]


class Found(BaseModel):
    """The answer to a query that could be evaluated."""

    data: Vector


class Rule(BaseModel):
    """An alert."""

    name: str
    query: str
    health: str


class Group(BaseModel):
    """Alerts that belong together."""

    rules: list[Rule]


class Groups(BaseModel):
    """All of them."""

    groups: list[Group]


class Watched(BaseModel):
    """The answer to the question what is watched."""

    data: Groups


class Prometheus:
    """One that is running."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}/api/v1"

    async def query(self, expression: str) -> list[Sample]:
        """Evaluate an expression now."""
        told = await self._get(f"query?{urllib.parse.urlencode({'query': expression})}")
        return [(series.metric, series.value[1]) for series in Found.model_validate_json(told).data.result]

    async def number(self, expression: str) -> float:
        """Evaluate an expression that gives one number, or none: 0."""
        samples = await self.query(expression)
        return samples[0][1] if samples else 0

    async def rules(self) -> dict[str, tuple[str, str]]:
        """The alerts that it watches: their expressions, and `ok` or what is wrong."""
        groups = Watched.model_validate_json(await self._get("rules")).data.groups
        return {rule.name: (rule.query, rule.health) for group in groups for rule in group.rules}

    async def answers(self) -> bool:
        """Whether it is there."""
        try:
            return bool(await self.query("vector(1)"))
        except OSError:
            return False

    async def _get(self, path: str) -> bytes:
        return await asyncio.to_thread(_get, f"{self._url}/{path}")


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        told: bytes = answer.read()
    return told


@asynccontextmanager
async def prometheus(folder: Path, *targets: str) -> AsyncIterator[Prometheus]:
    """Run one that looks at its targets every second, with the alert rules of the project."""
    address = f"127.0.0.1:{free_port()}"
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "parley", "static_configs": [{"targets": targets}]}],
    }
    file = folder / "prometheus.yaml"
    file.write_text(json.dumps(settings))  # which is YAML too
    options = f"--config.file={file}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"
    with (folder / "prometheus.log").open("wb") as log:
        process = await create_subprocess_exec(str(PROGRAM), *options, stdout=log, stderr=log)
    running = Prometheus(address)
    try:
        await eventually(running.answers, seconds=START_SECONDS)
        yield running
    finally:
        process.terminate()
        await process.wait()
