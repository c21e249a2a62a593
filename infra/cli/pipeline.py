"""`pipeline`: takes a webhook of a forge, and does with pipelines what it means."""

import argparse
import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import JsonValue
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from infra.cli.commands import Commands
from infra.config import load_config
from infra.connection import connect
from infra.conversations import ANSWER_TIMEOUT, unanswered
from infra.errors import SetupError
from infra.forge import MAX_BYTES, PUSHED_AGAIN, Cancel, Event, Nothing, Renew, Say, Start, is_genuine, meaning_of
from signals.messages import Propose
from signals.names import WorkflowType
from signals.pipeline import PipelineRequest
from signals.run import Progress
from workflows.pipeline.standing import REVIEW

END_TIMEOUT: Final = timedelta(minutes=2)
"""How long a run that is cancelled may take to leave everything as it was."""


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser(
        "pipeline",
        help="start a pipeline by a forge's webhook, or pass on what it says",
        description="Take a webhook in GitHub's form: a push to the default branch or a pull request starts a "
        "DevelopmentPipeline, a new commit takes the place of the one before, a review is said in its conversation.",
        epilog="The secret that the forge signs with is PARLEY_PIPELINE__WEBHOOK_SECRET in the environment.",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="the webhook's body (default: standard input)")
    parser.add_argument(
        "--event", type=Event, required=True, choices=list(Event), metavar="EVENT", help="X-GitHub-Event: %(choices)s"
    )
    parser.add_argument("--signature", metavar="SIGNATURE", help="X-Hub-Signature-256: sha256=...")
    parser.add_argument("--unsigned", action="store_true", help="take it though no secret is set to check it with")
    parser.add_argument(
        "--repository", metavar="PLACE", help="the repository's path or address, in place of the forge's"
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Do what the webhook means.

    Raises:
        SetupError: It isn't genuine, isn't what its kind says, or what it is about isn't there.
    """
    body = _body(options.file)
    _check(body, options.signature, unsigned=options.unsigned)
    meaning = meaning_of(options.event, body, options.repository)
    print(f"nothing to do: {meaning.because}" if isinstance(meaning, Nothing) else asyncio.run(_do(meaning)))
    return 0


def _body(file: str | None) -> bytes:
    try:
        if file is None or file == "-":
            body = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                body = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise SetupError(f"{file}: {error.strerror}") from error
    if len(body) > MAX_BYTES:
        raise SetupError(f"a webhook has at most {MAX_BYTES:,} bytes")
    return body


def _check(body: bytes, signature: str | None, *, unsigned: bool) -> None:
    secret = load_config().pipeline.webhook_secret
    if secret is None:
        if not unsigned:
            raise SetupError(
                "no secret to check the signature with: set PARLEY_PIPELINE__WEBHOOK_SECRET, or --unsigned"
            )
    elif not is_genuine(secret.get_secret_value(), body, signature or ""):
        raise SetupError("the signature is not right: it is another secret's, or the webhook was changed on its way")


async def _do(meaning: Start | Renew | Say | Cancel) -> str:
    client = await connect()
    try:
        match meaning:
            case Start(workflow_id, request):
                return await _start(client, workflow_id, request)
            case Renew(workflow_id, request):
                return await _renew(client, workflow_id, request)
            case Say(workflow_id, message):
                await client.get_workflow_handle(workflow_id).signal(
                    message.signal, message, rpc_timeout=ANSWER_TIMEOUT
                )
                return f"{workflow_id}: {message.signal} by {message.speaker}"
            case Cancel(workflow_id):
                await client.get_workflow_handle(workflow_id).cancel(rpc_timeout=ANSWER_TIMEOUT)
                return f"{workflow_id}: cancelled"
    except RPCError as error:
        raise unanswered(error, client, meaning.workflow_id) from error


async def _start(client: Client, workflow_id: str, request: PipelineRequest) -> str:
    try:
        await client.start_workflow(
            WorkflowType.DEVELOPMENT_PIPELINE,
            request,
            id=workflow_id,
            task_queue=load_config().worker.task_queue,
            # A webhook may come twice: what was done is not done again, what failed may be.
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
            if workflow_id.endswith(request.commit[:12])
            else WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            rpc_timeout=ANSWER_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        return f"{workflow_id}: it runs already, or has run"
    return f"{workflow_id}: started for {request.commit[:12]}"


async def _renew(client: Client, workflow_id: str, request: PipelineRequest) -> str:
    """Bring a new commit to a run: as its author would in a conversation, else by a run that takes its place."""
    handle = client.get_workflow_handle(workflow_id)
    if not await _is_running(handle):
        return await _start(client, workflow_id, request)
    progress: Progress = await handle.query("progress", result_type=Progress, rpc_timeout=ANSWER_TIMEOUT)
    opened = next((record for record in progress.conversations if record.closed is None), None)
    if opened is not None:
        message = Propose(
            conversation=opened.id,
            speaker=request.author,
            outcome=_outcome(opened.point, request),
            comment=PUSHED_AGAIN,
        )
        await handle.signal(message.signal, message, rpc_timeout=ANSWER_TIMEOUT)
        return f"{workflow_id}: {request.commit[:12]} is proposed in {opened.id}"
    await handle.cancel(rpc_timeout=ANSWER_TIMEOUT)
    try:
        async with asyncio.timeout(END_TIMEOUT.total_seconds()):
            await handle.result()
    except WorkflowFailureError:
        pass  # it was cancelled
    except TimeoutError:
        raise SetupError(f"{workflow_id}: cancelled, and not ended after {END_TIMEOUT}: no worker serves it") from None
    return await _start(client, workflow_id, request)


def _outcome(point: str, request: PipelineRequest) -> JsonValue:
    if point == REVIEW:
        return {"verdict": "changes", "reason": PUSHED_AGAIN, "replacement": request.commit}
    return {"action": "commit", "commit": request.commit}


async def _is_running(handle: WorkflowHandle[object, object]) -> bool:
    try:
        description = await handle.describe(rpc_timeout=ANSWER_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return description.status is WorkflowExecutionStatus.RUNNING
