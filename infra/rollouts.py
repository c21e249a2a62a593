"""Rolling out a version of the workers, and rolling it back: which version new runs go to.

Temporal's worker deployments do the work. What is open stays where it is; see docs/versions.md.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel
from temporalio.api.deployment.v1 import WorkerDeploymentInfo
from temporalio.api.enums.v1 import RoutingConfigUpdateState, WorkerDeploymentVersionStatus
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from infra.errors import SetupError
from infra.printable import flat

CALL_TIMEOUT: Final = timedelta(seconds=10)
PAUSE_SECONDS: Final = 0.25
SETTLED_SECONDS: Final = 30

Summary = WorkerDeploymentInfo.WorkerDeploymentVersionSummary


class Stage(StrEnum):
    """What a version is there for."""

    CURRENT = "current"
    """New runs go to it."""

    RAMPING = "ramping"
    """A part of the new runs goes to it."""

    DRAINING = "draining"
    """No new runs go to it, and it has open ones: its workers are needed."""

    DRAINED = "drained"
    """All of its runs have ended: its workers can be stopped."""

    WAITING = "waiting"
    """Its workers are there, and no run has ever gone to it."""


_STAGES: Final = {
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT: Stage.CURRENT,
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING: Stage.RAMPING,
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING: Stage.DRAINING,
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED: Stage.DRAINED,
}


class Version(BaseModel):
    """A version of the workers."""

    build_id: str
    stage: Stage
    percentage: float | None = None
    """How many of the new runs go to it, where it is ramping."""

    since: datetime
    """When it last became, or ceased to be, the current one; when it was first seen, where it never was."""

    open_runs: int
    """How many runs and conversations are open on it."""


class Rollout:
    """The versions of one worker deployment.

    Args:
        client: The connection to Temporal.
        deployment: Its name, `[worker] deployment`.
    """

    def __init__(self, client: Client, deployment: str) -> None:
        self._client = client
        self._deployment = deployment

    async def versions(self) -> list[Version]:
        """Tell all versions that the server knows, the newest first.

        Raises:
            SetupError: It knows none.
        """
        info = await self._info()
        percentage = info.routing_config.ramping_version_percentage
        told = sorted(info.version_summaries, key=_made, reverse=True)
        return [await self._version(summary, percentage) for summary in told]

    async def to(self, build_id: str, percentage: float | None, patience: timedelta) -> None:
        """Let new runs go to a version.

        Args:
            build_id: The version.
            percentage: How many of them; all, where there is none.
            patience: How long to wait for its workers.

        Raises:
            SetupError: It has no workers, or fewer task queues than the current version.
        """
        await self._wait_for(build_id, patience)
        async with self._told():
            if percentage is None:
                await self._make_current(build_id)
            else:
                await self._ramp(build_id, percentage)
        await self._known_everywhere()

    async def back(self) -> str:
        """Take back the latest rollout: no new runs go to the ramping version, or else they go to the one before.

        Returns:
            The version that new runs go to now.

        Raises:
            SetupError: There is no version to go back to, or it has no workers any more.
        """
        info = await self._info()
        routing = info.routing_config
        async with self._told():
            if routing.ramping_deployment_version.build_id:
                await self._ramp("", 0)
                target = routing.current_deployment_version.build_id
            else:
                target = _before(info)
                await self._make_current(target)
        await self._known_everywhere()
        return target

    async def _version(self, summary: Summary, percentage: float) -> Version:
        stage = _STAGES.get(summary.status, Stage.WAITING)
        build_id = summary.deployment_version.build_id
        where = f'TemporalWorkerDeploymentVersion="{self._deployment}:{build_id}" AND ExecutionStatus="Running"'
        async with self._told():
            count = await self._client.count_workflows(where, rpc_timeout=CALL_TIMEOUT)
        return Version(
            build_id=build_id,
            stage=stage,
            percentage=percentage if stage is Stage.RAMPING else None,
            since=(
                summary.routing_update_time if summary.HasField("routing_update_time") else summary.create_time
            ).ToDatetime(UTC),
            open_runs=count.count,
        )

    async def _wait_for(self, build_id: str, patience: timedelta) -> None:
        try:
            async with asyncio.timeout(patience.total_seconds()):
                while True:
                    if await self._is_there(build_id):
                        return
                    await asyncio.sleep(PAUSE_SECONDS)
        except TimeoutError:
            raise SetupError(
                f"no worker of '{self._deployment}' has the version '{build_id}': start them with "
                f'[worker] deployment = "{self._deployment}" and build_id = "{build_id}"'
            ) from None

    async def _known_everywhere(self) -> None:
        """Wait until all task queues have heard of it; that they have not yet is no fault."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_SECONDS):
                while True:
                    state = (await self._info()).routing_config_update_state
                    if state != RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS:
                        return
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _is_there(self, build_id: str) -> bool:
        try:
            summaries = (await self._info()).version_summaries
        except SetupError:
            return False
        return any(summary.deployment_version.build_id == build_id for summary in summaries)

    async def _info(self) -> WorkerDeploymentInfo:
        async with self._told():
            answer = await self._client.workflow_service.describe_worker_deployment(
                DescribeWorkerDeploymentRequest(namespace=self._client.namespace, deployment_name=self._deployment),
                timeout=CALL_TIMEOUT,
            )
        return answer.worker_deployment_info

    async def _make_current(self, build_id: str) -> None:
        await self._client.workflow_service.set_worker_deployment_current_version(
            SetWorkerDeploymentCurrentVersionRequest(
                namespace=self._client.namespace,
                deployment_name=self._deployment,
                build_id=build_id,
                identity=self._client.identity,
            ),
            timeout=CALL_TIMEOUT,
        )

    async def _ramp(self, build_id: str, percentage: float) -> None:
        await self._client.workflow_service.set_worker_deployment_ramping_version(
            SetWorkerDeploymentRampingVersionRequest(
                namespace=self._client.namespace,
                deployment_name=self._deployment,
                build_id=build_id,
                percentage=percentage,
                identity=self._client.identity,
            ),
            timeout=CALL_TIMEOUT,
        )

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """Tell what the server refuses in one line."""
        try:
            yield
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise SetupError(
                    f"there is no worker deployment '{self._deployment}': no versioned worker was ever started"
                ) from error
            raise SetupError(f"'{self._deployment}': {flat(error.message)}") from error


def _before(info: WorkerDeploymentInfo) -> str:
    """The version that was the current one before.

    Raises:
        SetupError: None was.
    """
    current = info.routing_config.current_deployment_version.build_id
    earlier = [
        summary
        for summary in info.version_summaries
        if summary.HasField("last_current_time") and summary.deployment_version.build_id != current
    ]
    if not earlier:
        raise SetupError(f"there is no version before '{current}' to go back to")
    return max(earlier, key=lambda summary: summary.last_current_time.ToDatetime(UTC)).deployment_version.build_id


def _made(summary: Summary) -> datetime:
    return summary.create_time.ToDatetime(UTC)
