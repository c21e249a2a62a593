"""`temporal parley pipeline`: webhooks start pipelines, and are heard in their conversations."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from activities.relay import RelayActivities
from infra.devserver import DevServer
from infra.forge import Event
from signals.pipeline import PipelineResult, PipelineStatus
from tests.flows import canned, shop
from tests.harness import eventually, running_worker
from tests.unit.infra.webhooks import NEXT, pull_request, push, review
from tests.workflows.shell import Spoken, command
from tests.workflows.talks import Run, Talks
from workflows.library import WORKFLOWS

SECRET = "hush"


class Forge:
    """Sends webhooks, of a repository of its own."""

    def __init__(self, server: DevServer, client: Client, task_queue: str) -> None:
        self._server = server
        self._more = {"PARLEY_WORKER__TASK_QUEUE": task_queue, "PARLEY_PIPELINE__WEBHOOK_SECRET": SECRET}
        self.name = f"ann/{uuid4().hex[:8]}"
        self.talks = Talks(client, task_queue)

    async def send(self, event: Event, body: bytes, signature: str | None = None) -> Spoken:
        """Send a webhook."""
        body = body.replace(b"ann/shop", self.name.encode())
        right = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        words = ("pipeline", "--event", event, "--signature", signature or right)
        return await command(self._server, *words, typed=body.decode(), more=self._more)

    def run(self, name: str) -> Run:
        """The run of a pipeline."""
        return self.talks.client.get_workflow_handle(f"pipeline/{self.name}/{name}", result_type=PipelineResult)


@pytest.fixture(scope="module")
async def task_queue(client: Client) -> AsyncIterator[str]:
    activities = [*canned.activities(), shop.Listener().reply, RelayActivities(client).pass_on]
    async with running_worker(client, WORKFLOWS, activities) as name:
        yield name


@pytest.fixture
def forge(server: DevServer, client: Client, task_queue: str) -> Forge:
    return Forge(server, client, task_queue)


async def result(run: Run) -> PipelineResult:
    answer = await run.result()
    assert isinstance(answer, PipelineResult)
    return answer


async def test_a_push_starts_one_pipeline_however_often_it_is_told(forge: Forge) -> None:
    body = push(after=NEXT)
    first = await forge.send(Event.PUSH, body)
    assert (first.status, first.output) == (0, f"pipeline/{forge.name}/{NEXT[:12]}: started for {NEXT[:12]}\n")
    again = await forge.send(Event.PUSH, body)
    assert (again.status, again.output) == (0, f"pipeline/{forge.name}/{NEXT[:12]}: it runs already, or has run\n")


async def test_a_pull_request_is_mended_by_a_push_and_reviewed_on_the_forge(forge: Forge) -> None:
    await forge.send(Event.PULL_REQUEST, pull_request("opened"))
    run = forge.run("pull-7")
    [debugging] = await forge.talks.opened(run)
    assert debugging.point == "debugging"
    renewed = await forge.send(Event.PULL_REQUEST, pull_request("synchronize", NEXT))
    assert renewed.output == f"{run.id}: {NEXT[:12]} is proposed in {debugging.id}\n"
    [opened] = await forge.talks.opened(run, 2)
    await forge.send(Event.REVIEW, review("commented", "Why?"))
    assert "Why?" in await forge.talks.said(opened.id, 1)
    said = await forge.send(Event.REVIEW, review("approved", "fine", NEXT))
    assert said.output == f"{run.id}: propose by dana\n"
    ended = await result(run)
    assert (ended.status, ended.commit, ended.approved_by) == (PipelineStatus.DEPLOYED, NEXT, ("dana",))


async def test_a_pull_request_that_is_closed_is_cancelled(forge: Forge) -> None:
    await forge.send(Event.PULL_REQUEST, pull_request("opened"))
    run = forge.run("pull-7")
    await forge.talks.opened(run)
    assert (await forge.send(Event.PULL_REQUEST, pull_request("closed"))).output == f"{run.id}: cancelled\n"

    async def status() -> WorkflowExecutionStatus | None:
        return (await run.describe()).status

    await eventually(status, lambda now: now is WorkflowExecutionStatus.CANCELED)


async def test_what_is_not_genuine_is_refused(forge: Forge) -> None:
    refused = await forge.send(Event.PUSH, push(), "sha256=" + "0" * 64)
    assert (refused.status, refused.output) == (2, "")
    assert refused.errors.startswith("parley: the signature is not right")


async def test_without_a_secret_nothing_is_taken_unless_it_is_said_to_be(server: DevServer) -> None:
    refused = await command(server, "pipeline", "--event", "push", typed=push(deleted=True).decode())
    assert (refused.status, "set PARLEY_PIPELINE__WEBHOOK_SECRET" in refused.errors) == (2, True)
    taken = await command(server, "pipeline", "--event", "push", "--unsigned", typed=push(deleted=True).decode())
    assert (taken.status, taken.output) == (0, "nothing to do: main was deleted\n")


async def test_a_review_of_what_has_no_pipeline_says_so(forge: Forge) -> None:
    refused = await forge.send(Event.REVIEW, review("approved", ""))
    assert refused.status == 2
    assert refused.errors.startswith(f"parley: there is no 'pipeline/{forge.name}/pull-7'")
