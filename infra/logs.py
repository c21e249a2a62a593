"""What a worker writes to its standard error: lines that people read on a terminal, JSON for all others.

Each line has the run or conversation that it is about, and its trace where there is one. What people, models and
providers say is left out, also out of the texts of errors, unless `[telemetry] content` allows it.
"""

import logging
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, TextIO

import structlog
from opentelemetry import trace
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError
from temporalio.runtime import LogForwardingConfig, LoggingConfig, TelemetryFilter

from infra.config import LogFormat, TelemetrySettings
from signals.names import SAID, WorkflowType, run_of

CORE: Final = "temporalio.core"
"""The logger of the part of the SDK that isn't Python."""

OWN: Final = ("temporalio.workflow", "temporalio.activity", "signals", "workflows", "activities", "infra")
"""What is looked at as closely as is wanted. Of libraries, Temporal's too, only warnings are: their details are what
people say, and addresses that may be secrets."""

_ABOUT_TASK: Final = ("temporal_workflow", "temporal_activity")
_IDS: Final = ("workflow_type", "run_id", "activity_type", "attempt", "task_queue")
_FAILURES: Final = frozenset({"failure", "completion"})
"""What the SDK's core tells with the texts of errors in it."""


def set_up(settings: TelemetrySettings, stream: TextIO) -> None:
    """Have this process log as the settings say.

    Args:
        settings: The settings.
        stream: Where to.
    """
    is_terminal = stream.isatty()
    readable = settings.log_format is LogFormat.TEXT or (settings.log_format is LogFormat.AUTO and is_terminal)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(settings.content, readable=readable, colours=is_terminal))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level: int = getattr(logging, settings.log_level.upper())
    root.setLevel(max(level, logging.WARNING))
    for name in OWN:
        logging.getLogger(name).setLevel(level)
    # What they would append to the message has fields of its own.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    # Handlers are no workflow code, and may import what they need.
    workflow.logger.unsafe_disable_sandbox()


def of_core() -> LoggingConfig:
    """Have the part of the SDK that isn't Python log by Python too."""
    forwarding = LogForwardingConfig(
        logger=logging.getLogger(CORE),
        append_target_to_name=False,
        prepend_target_on_message=False,
        append_log_fields_to_message=False,
    )
    return LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding)


def _formatter(with_content: bool, *, readable: bool, colours: bool) -> ProcessorFormatter:
    renderer: Processor
    if readable:
        renderer = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    guard = _with_content if with_content else _without_content
    return ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
        ],
        processors=[
            _timed,
            _about,
            _traced,
            _from_core,
            guard,
            ProcessorFormatter.remove_processors_meta,
            _in_order,
            *([] if readable else [structlog.processors.EventRenamer("message")]),
            renderer,
        ],
    )


def _timed(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    event["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return event


def _about(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    """Say which run or conversation a record is about."""
    details: dict[str, object] = {}
    for source in _ABOUT_TASK:
        details |= event.pop(source, None) or {}
    if not details and activity.in_activity():
        info = activity.info()
        details = {name: getattr(info, name) for name in ("activity_type", "attempt", "workflow_id", "workflow_type")}
        details["run_id"] = info.workflow_run_id
    details["run_id"] = details.get("run_id") or details.get("workflow_run_id")
    _name(event, details)
    return event


def _name(event: EventDict, details: Mapping[str, object]) -> None:
    name = details.get("workflow_id")
    if isinstance(name, str) and name:
        is_conversation = details.get("workflow_type") == WorkflowType.CONVERSATION
        if is_conversation:
            event.setdefault("conversation", name)
        event.setdefault("run", run_of(name) if is_conversation else name)
    for key in _IDS:
        if details.get(key):
            event.setdefault(key, details[key])


def _traced(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    within = trace.get_current_span().get_span_context()
    if within.is_valid:
        event["trace_id"] = trace.format_trace_id(within.trace_id)
        event["span_id"] = trace.format_span_id(within.span_id)
    return event


def _from_core(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    told = event.pop("temporal_log", None)
    if told is not None:
        event["logger"] = told.target
        fields = {name: value for name, value in told.fields.items() if name not in event}
        event[SAID] = {name: fields.pop(name) for name in [*fields] if name in _FAILURES}
        event.update(fields)
    return event


def _without_content(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    event.pop(SAID, None)
    if failure := _failure(event):
        event["exception"] = "\n".join(_kinds(failure))
    return event


def _with_content(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    event.update(event.pop(SAID, None) or {})
    if failure := _failure(event):
        event["exception"] = "".join(traceback.format_exception(failure)).rstrip()
    return event


def _failure(event: EventDict) -> BaseException | None:
    given = event.pop("exc_info", None)
    failure = given[1] if isinstance(given, tuple) else given
    return failure if isinstance(failure, BaseException) else None


def _kinds(failure: BaseException) -> Iterator[str]:
    """Where an error was raised, and of which kind it and what led to it are, without a word of their texts."""
    before = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)
    if before is not None:
        yield from _kinds(before)
        yield "and then"
    yield "".join(traceback.format_tb(failure.__traceback__)).rstrip()
    own = f" ({failure.type})" if isinstance(failure, ApplicationError) and failure.type else ""
    yield f"{type(failure).__name__}{own}"


def _in_order(_logger: WrappedLogger, _level: str, event: EventDict) -> EventDict:
    first = ("timestamp", "level", "event", "logger", "run", "conversation")
    named = {name: value for name, value in event.items() if not name.startswith("__") and value is not None}
    return {**{name: named[name] for name in first if name in named}, **named}
