"""Spans of what Temporal's own do not tell: turns, modes and the changes between them.

They are part of the trace of the workflow that they are made in; `infra.traces` sees to it that this is so in handlers
too. Where no trace is recorded, nothing is made. A replay makes them again, since the ids of later ones depend on
that; the tracer sends none twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from signals.conversation import MessageKind, Recorded
from signals.participants import Kind
from signals.run import Transition

CONVERSATION: Final = "gen_ai.conversation.id"
"""OpenTelemetry's own name for what a conversation is told by; here, its workflow id."""

_SOURCE: Final = "parley"
_CAME_BY: Final = context.create_key("parley-came-by")
_FIRST: Final = "parley.came_by"
"""The baggage that says how a message first came that is passed on."""

_PARENT: Final = "traceparent"
_W3C: Final = TraceContextTextMapPropagator()
_WITH_CONTENT: Final = context.create_key("parley-with-content")


def of_run(with_content: bool) -> Context:
    """The context of a workflow, as it is where the workflow begins.

    Args:
        with_content: Whether spans may have what people and models say.
    """
    return context.set_value(_WITH_CONTENT, with_content)


def of_message(run: Context) -> Context:
    """The context for what is done about a message that the workflow is sent: the workflow's, not the sender's.

    Args:
        run: The workflow's context.
    """
    first = _read(baggage.get_baggage(_FIRST))
    return context.set_value(_CAME_BY, first or trace.get_current_span().get_span_context(), run)


def of_forwarding() -> Context:
    """The context to pass a message on in, that is dealt with: where it gets to, it is linked to how it first came."""
    came_by = context.get_value(_CAME_BY)
    if not isinstance(came_by, SpanContext) or not came_by.is_valid:
        return context.get_current()
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(NonRecordingSpan(came_by)))
    return baggage.set_baggage(_FIRST, carrier[_PARENT])


@contextmanager
def within(inner: Context | None) -> Iterator[None]:
    """Do something in a context; in the same as before, where there is none."""
    if inner is None:
        yield
        return
    token = context.attach(inner)
    try:
        yield
    finally:
        context.detach(token)


def moved(changes: Iterable[Transition], since: datetime) -> None:
    """Tell of changes of a run's mode, and of the modes that it was in before them.

    Args:
        changes: The changes, in their order.
        since: When the run came into the mode that the first one left.
    """
    if not _is_traced():
        return
    for change in changes:
        begun = change.at - timedelta(seconds=change.seconds)
        stayed(change.source, since, change.at)
        span = _begun(f"Transition:{change.source}-{change.target}", begun, _told(change))
        span.end(_nanoseconds(change.at))
        since = change.at


def stayed(mode: str, since: datetime, until: datetime) -> None:
    """Tell of a mode that a run was in."""
    if _is_traced():
        _begun(f"Mode:{mode}", since, {"parley.mode": mode}).end(_nanoseconds(until))


def asked(speaker: str) -> Span:
    """Begin the span of an AI participant that is asked to speak; whoever asks ends it."""
    if not _is_traced():
        return trace.get_current_span()
    return _begun("Reply", None, {"parley.speaker": speaker, "parley.speaker.kind": Kind.AI.value})


def selected(paradigm: str, basis: str) -> None:
    """Tell how a run is gone about, and what that was chosen by."""
    trace.get_current_span().set_attributes({"parley.paradigm": paradigm, "parley.paradigm.basis": basis})


def turns(
    conversation: str,
    recorded: Iterable[Recorded],
    kinds: Mapping[str, Kind],
    waits: Mapping[int, timedelta],
    sender: str | None,
    reply: Span | None,
) -> None:
    """Tell of turns that were recorded.

    Args:
        conversation: The workflow id of the conversation.
        recorded: What was recorded.
        kinds: Of what kind the speakers are.
        waits: How long those were waited for who were, by the message's number.
        sender: Whose message is dealt with: a turn of theirs is linked to how it came, or has been told of since it was
            asked for; others' turns have only waited for it.
        reply: The span of the AI participant's reply, where that is what is dealt with.
    """
    if not _is_traced():
        return
    for message in recorded:
        if message.kind is not MessageKind.TURN or message.speaker is None:
            continue
        name, theirs = f"Turn:{kinds[message.speaker]}", message.speaker == sender
        told: dict[str, AttributeValue] = {
            CONVERSATION: conversation,
            "parley.turn": message.seq,
            "parley.speaker": message.speaker,
            "parley.speaker.kind": kinds[message.speaker].value,
        }
        if context.get_value(_WITH_CONTENT):
            told["parley.turn.text"] = message.text
        if theirs and reply is not None:
            reply.update_name(name)
            reply.set_attributes(told)
            reply = None
        else:
            begun = message.at - waits.get(message.seq, timedelta())
            _begun(name, begun, told, _came_by() if theirs else ()).end(_nanoseconds(message.at))


def _read(first: object) -> SpanContext | None:
    if not isinstance(first, str):
        return None
    found = trace.get_current_span(_W3C.extract({_PARENT: first}, Context())).get_span_context()
    return found if found.is_valid else None


def _told(change: Transition) -> dict[str, AttributeValue]:
    told = {
        "from": change.source,
        "to": change.target,
        "trigger": change.trigger,
        "cause": change.cause,
        "handler": change.handler,
        "requested_by": change.requested_by,
        "conversation": change.conversation,
        "reason": change.reason if context.get_value(_WITH_CONTENT) else None,
    }
    return {f"parley.transition.{name}": str(value) for name, value in told.items() if value is not None}


def _is_traced() -> bool:
    return trace.get_current_span().is_recording()


def _begun(
    name: str, at: datetime | None, attributes: Mapping[str, AttributeValue], links: Iterable[Link] = ()
) -> Span:
    tracer = trace.get_tracer(_SOURCE)
    return tracer.start_span(
        name, attributes=attributes, links=[*links], start_time=_nanoseconds(at) if at is not None else None
    )


def _came_by() -> Iterable[Link]:
    came_by = context.get_value(_CAME_BY)
    return [Link(came_by)] if isinstance(came_by, SpanContext) and came_by.is_valid else []


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1_000
