"""The worker: reads the settings, connects, builds what activities need, and runs.

The only module that knows all the others.
"""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import httpx2
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.instrumented import InstrumentationSettings, instrument_model
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.worker import Worker

from activities.assessing.examples import ExamplesAssessor
from activities.assessing.model import ModelAssessor
from activities.assistant import AssistantActivities
from activities.local_model import LocalModel, LocalModelError
from activities.models import LOCAL, LanguageModels
from activities.notify import TIME_LIMIT, WebhookNotifier
from activities.pinning import Expect, WorkerPinning
from activities.pipeline.checkouts import GitCheckouts
from activities.pipeline.deployments import TargetDeployments
from activities.pipeline.stages import CommandStages
from activities.pipeline.workshop import Workshop
from activities.relay import RelayActivities
from activities.results import WorkflowResults
from activities.selecting import SelectingActivities
from activities.support.books import ShopBooks
from activities.support.classifier import ExamplesClassifier
from activities.support.engine import books_engine
from activities.support.model_classifier import ModelClassifier
from activities.support.seed import prepare
from infra import logs
from infra.backlog import backlog_told
from infra.config import Config, Duty, Warm, load_config, variables
from infra.connection import connect, ensure_search_attributes
from infra.devserver import DevServer
from infra.errors import SetupError
from infra.health import Health, Polling, health_server
from infra.options import ui_port, worker_options
from infra.payloads.converter import data_converter
from infra.queues import QueueInterceptor, Share, Workers, shares
from infra.replay import run_options
from infra.telemetry import runtime, tells_metrics
from infra.traces import Tracing, tracing
from infra.validation import hold_to
from infra.versions import deployment_of, pinned
from infra.webhooks import webhook
from workflows.compiled import CompileError
from workflows.compiled.compiler import validating
from workflows.composition import REGISTRY, PlanError, check_composites
from workflows.extensions import Extension, ExtensionError, install, load_extension
from workflows.library import WORKFLOWS
from workflows.modes.stubs import Assessing
from workflows.support.stubs import Classifier

T = TypeVar("T")

STICKY_TIMEOUT: Final = timedelta(seconds=4)
"""A run's tasks go to the worker that has it in memory; when that one is dead, others take them after this time.
Temporal's own ten seconds would make people wait for an answer."""

HEARTBEATS: Final = timedelta(seconds=1)
"""How long a sign of life of an activity is kept back at most: an interrupt reaches it with the answer."""

GRACE: Final = timedelta(seconds=10)
"""How long activities may go on when the worker is told to stop; what doesn't end is tried again elsewhere."""

EXAMPLES: Final = "examples"
"""The classifier and the assessor that need no language model."""

FIRST_STEPS: Final = Path(__file__).parent / "infra" / "first_steps.txt"
"""The commands to try with a server of one's own."""


def create_worker(
    client: Client,
    config: Config,
    *,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., object]],
    extensions: Sequence[Extension] = (),
    expect: Expect | None = None,
) -> Workers:
    """Build the workers of a process; the client must have been made by `infra.connection.connect`.

    Args:
        client: The connection to Temporal, which has the data converter.
        config: The settings; `[worker]` is used, and runs that begin here keep to `[execution]`.
        workflows: The workflow classes.
        activities: The activities, bound to what they need.
        extensions: What outside modules add to them.
        expect: Makes language models ready that runs may ask before long.

    Raises:
        ExtensionError: An extension can't be used.
        PlanError: A plan in code names what this worker doesn't know, or its types don't meet.
        SetupError: The settings refuse one of the workflows, or want what nothing here knows.
    """
    for extension in extensions:
        install(extension)
    all_workflows = [*workflows, *(flow for extension in extensions for flow in extension.workflows)]
    REGISTRY.add(workflows=all_workflows)
    if findings := check_composites(all_workflows):
        raise PlanError(findings)
    hold_to(config.execution, all_workflows)
    all_activities = [*activities, *(activity for extension in extensions for activity in extension.activities)]
    parts = shares(config.worker, all_activities)
    # Local activities belong to whoever runs workflows.
    pinning = WorkerPinning(config.execution, REGISTRY.fragments, expect)
    at_hand: list[Callable[..., object]] = [pinning.pin, SelectingActivities().select]
    return Workers(parts, lambda share: _worker(client, config, share, all_workflows, at_hand))


def _worker(
    client: Client,
    config: Config,
    share: Share,
    workflows: Sequence[type],
    at_hand: Sequence[Callable[..., object]],
) -> Worker:
    deployment = deployment_of(config.worker)
    if deployment:
        workflows = pinned(workflows)
    return Worker(
        client,
        task_queue=share.task_queue,
        workflows=workflows if share.workflows else [],
        activities=[*(at_hand if share.workflows else ()), *share.activities],
        no_remote_activities=not share.activities,
        activity_executor=ThreadPoolExecutor(share.max_concurrent, thread_name_prefix="activity"),
        max_concurrent_activities=share.max_concurrent,
        max_task_queue_activities_per_second=share.max_per_second,
        max_concurrent_workflow_tasks=config.worker.max_concurrent_workflow_tasks,
        # The boundary refuses what is too large. Only an update goes back as large as it came, with its refusal: the
        # server then fails that update, where the SDK's own check would fail the task, and the run be stuck.
        disable_payload_error_limit=True,
        max_cached_workflows=config.worker.max_cached_workflows,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        graceful_shutdown_timeout=GRACE,
        max_heartbeat_throttle_interval=HEARTBEATS,
        default_heartbeat_throttle_interval=HEARTBEATS,
        deployment_config=deployment,
        **run_options(config.worker.sandbox, [QueueInterceptor(config.worker)]),
    )


async def serve(options: argparse.Namespace, config: Config) -> None:
    """Run a worker until it is cancelled.

    Raises:
        SetupError: The server can't be started or reached.
    """
    async with AsyncExitStack() as stack:
        health = Health()
        if config.worker.health:
            stack.enter_context(health_server(config.worker.health, health))
        server = None
        if options.dev:
            server = await stack.enter_async_context(
                DevServer(port=options.port, ui_port=ui_port(options), db=options.db)
            )
        told_by = runtime(config.telemetry, logs.of_core())
        if traced := tracing(config.telemetry):
            stack.push_async_callback(traced.aclose)
        client = await connect(
            server.address if server else None, data_converter(config), told_by, traced.plugins if traced else ()
        )
        await ensure_search_attributes(client)
        activities, expect = await _activities(config, client, traced, stack)
        workers = await stack.enter_async_context(_with_extensions(client, config, activities, expect))
        health.polling = Polling(client, workers.shares).fault
        if told_by and tells_metrics(config.telemetry):
            await stack.enter_async_context(backlog_told(client, workers.shares, told_by.metric_meter))
        # What is loaded by now stays. Going through it, whenever garbage is collected, would stop all turns for 0.2 s.
        gc.collect()
        gc.freeze()
        print(_ready(config, client, server), flush=True)
        await (server.ended() if server else asyncio.Event().wait())


async def _activities(
    config: Config, client: Client, traced: Tracing | None, stack: AsyncExitStack
) -> tuple[list[Callable[..., object]], Expect | None]:
    """Build the activities that are served, with all that they need, and what makes models ready; the stack ends it."""
    activities: list[Callable[..., object]] = []
    expect: Expect | None = None
    if Duty.AI in config.worker.serves:
        asking, expect = await _ai(config, traced.models if traced else None, stack)
        activities += asking
    if Duty.BUSINESS in config.worker.serves:
        activities += await _business(config, client, stack)
    return activities, expect


async def _ai(
    config: Config, traced: InstrumentationSettings | None, stack: AsyncExitStack
) -> tuple[list[Callable[..., object]], Expect | None]:
    local = LocalModel()
    stack.callback(local.close)
    models = LanguageModels(local, traced=traced)
    stack.push_async_callback(models.aclose)
    assistant = AssistantActivities(config.assistant.model, models, config.assistant.scripts)
    find = partial(_model, local=local, traced=traced, stack=stack)
    classifier = await _classifier(config, find)
    assessor = await _assessor(config, find)
    warm = config.assistant.warm
    if warm is Warm.START and config.assistant.model == LOCAL:
        await _or_setup_error("assistant", local.warm())
    elif warm is Warm.START:
        assistant.expect([None])
    activities: list[Callable[..., object]] = [
        assistant.reply,
        assistant.consult,
        classifier.classify,
        assessor.assess,
    ]
    return activities, None if warm is Warm.REPLY else assistant.expect


async def _business(config: Config, client: Client, stack: AsyncExitStack) -> list[Callable[..., object]]:
    books = ShopBooks(await asyncio.to_thread(_prepared_books, config))
    relay = RelayActivities(client)
    http = await stack.enter_async_context(httpx2.AsyncClient(timeout=TIME_LIMIT.total_seconds()))
    webhooks = [webhook(hook, variables([hook.secret_env])) for hook in config.notify.webhooks]
    notifier = WebhookNotifier(webhooks, http)
    return [
        notifier.notify,
        relay.pass_on,
        relay.fetch_result,
        WorkflowResults(client).await_result,
        books.account,
        books.agent_on_duty,
        books.order,
        books.approve_refund,
        books.book_refund,
        books.start_password_reset,
        books.change_address,
        books.send_notice,
        *_pipeline(config),
    ]


def _pipeline(config: Config) -> list[Callable[..., object]]:
    settings = config.pipeline
    environment, git_environment = variables(settings.environment), variables(settings.git_environment)
    workshop = Workshop(settings.folder.expanduser(), environment, git_environment, settings.at_once)
    checkouts, deployments = GitCheckouts(workshop), TargetDeployments(settings.deployments.expanduser(), workshop)
    return [
        checkouts.check_out,
        checkouts.show_file,
        checkouts.commits_between,
        checkouts.discard,
        CommandStages(workshop).run_stage,
        deployments.deployed,
        deployments.deploy,
        deployments.roll_back,
        deployments.verify,
    ]


async def _classifier(config: Config, find: Callable[[str, str], Awaitable[Model]]) -> Classifier:
    name = config.support.classifier
    if name == EXAMPLES:
        return await asyncio.to_thread(ExamplesClassifier)
    return ModelClassifier(await find("support", name))


async def _assessor(config: Config, find: Callable[[str, str], Awaitable[Model]]) -> Assessing:
    name = config.adaptive.assessor
    model = None if name == EXAMPLES else await find("adaptive", name)
    offline = await asyncio.to_thread(ExamplesAssessor)
    return ModelAssessor(model, name, offline) if model else offline


async def _model(
    table: str, name: str, *, local: LocalModel, traced: InstrumentationSettings | None, stack: AsyncExitStack
) -> Model:
    finding: Awaitable[Model] = local.chat_model() if name == LOCAL else asyncio.to_thread(infer_model, name)
    model = await stack.enter_async_context(await _or_setup_error(table, finding))
    return instrument_model(model, traced or False)


async def _or_setup_error(table: str, starting: Awaitable[T]) -> T:
    """Wait for a language model.

    Raises:
        SetupError: It can't be used: a key or a package is missing, or there is none of that name.
    """
    try:
        return await starting
    except (LocalModelError, AgentRunError, UserError, ImportError) as error:
        raise SetupError(f"[{table}] {str(error).splitlines()[0]}") from error


def _with_extensions(
    client: Client, config: Config, activities: Sequence[Callable[..., object]], expect: Expect | None
) -> Workers:
    try:
        with validating(config.execution.workflow.validation_level):
            extensions = [load_extension(module) for module in config.worker.extensions]
        return create_worker(
            client, config, workflows=WORKFLOWS, activities=activities, extensions=extensions, expect=expect
        )
    except (ExtensionError, CompileError, PlanError) as error:
        raise SetupError(f"[worker] extensions: {error}") from error


def _prepared_books(config: Config) -> Engine:
    try:
        engine = books_engine(config.support.database)
        prepare(engine)
    except (OSError, ValueError, SQLAlchemyError) as error:
        reason = str(error).splitlines()[0]
        raise SetupError(f"[support] database: the books can't be opened: {reason}") from error
    return engine


def _ready(config: Config, client: Client, server: DevServer | None) -> str:
    queue, address = config.worker.task_queue, client.service_client.config.target_host
    queues = sorted({config.worker.queue_of(duty) for duty in config.worker.serves}, key=lambda name: name != queue)
    line = f"Parley worker: task queue{'s' if len(queues) > 1 else ''} {', '.join(queues)} on {address}"
    if server is None:
        return line
    steps = FIRST_STEPS.read_text().replace("@TASK_QUEUE@", queue).replace("@ADDRESS@", address)
    return f"{line}; Web UI {server.ui}\n\n{steps}"


async def until_signalled(options: argparse.Namespace, config: Config) -> None:
    """Run a worker until the process is told to stop, by SIGINT or SIGTERM; then stop it in good order.

    Raises:
        SetupError: It ended without being told to.
    """
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(serve(options, config))
    told = asyncio.Event()

    def stop() -> None:
        told.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: None)  # a second one must not break off the good order
        serving.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await serving
    except asyncio.CancelledError as error:
        # The SDK cancels whoever runs a worker that can't go on, even while another error is on its way out.
        if not told.is_set():
            raise SetupError("the worker can't go on: Temporal's server is gone, or refuses it") from error


def main() -> int:
    """Run the worker from the command line.

    Returns:
        The exit status.
    """
    options = worker_options().parse_args()
    try:
        config = load_config(options.config)
        logs.set_up(config.telemetry, sys.stderr)
        if options.prepare:
            _prepared_books(config).dispose()
        else:
            asyncio.run(until_signalled(options, config))
    except SetupError as error:
        print(f"parley: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's runtime sometimes crashes while the interpreter goes down, when all is done.
    os._exit(status)
