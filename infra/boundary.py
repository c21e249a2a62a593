"""The strict boundary: input that doesn't fit is refused in one line, and never leaves a run stuck.

The SDK by itself retries the task of a run whose input doesn't decode for ever. Here:

- a value that doesn't fit its type is an `InvalidInput`, which fails a start, an update or a query at once;
- a value that has no type to fit is never refused: what doesn't decode comes out as a `RawValue`, so that
  handlers that take `*args` see it and can say why they reject it;
- a start, update or signal with the wrong number of inputs is refused before the code that it is for runs;
- a value that Temporal would not carry is refused where it is made.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from typing import Any, ClassVar, Final, NoReturn, Self

from google.protobuf.message import Message
from pydantic import TypeAdapter, ValidationError
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import ActivitySerializationContext, SerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from signals.errors import ErrorType
from signals.wire import one_line

MAX_PAYLOAD_BYTES: Final = 1_900_000
"""The largest value, or list of inputs, that is sent; Temporal refuses 2 MiB, at a point with no way back.
Between the two is room for what encryption adds."""

_NULL: Final = Payload(metadata={"encoding": b"json/plain"}, data=b"null")

_UNREADABLE: Final = (ValueError, KeyError, RuntimeError)
"""What the SDK's converters raise for bytes that they can't read; pydantic's and Unicode's errors are of the first."""


_MODULES: Final = re.compile(r"\w+\.")


class MisfitError(ValueError):
    """A value doesn't fit its type; the text says how, in one line."""


def refusal(reason: str) -> ApplicationError:
    """Build the error that fails what was asked for, at once and for good."""
    return ApplicationError(reason, type=ErrorType.INVALID_INPUT, non_retryable=True)


class StrictPayloadConverter(PydanticPayloadConverter):
    """Reads and writes JSON by pydantic, and says in one line what doesn't fit."""

    most: ClassVar = MAX_PAYLOAD_BYTES
    """The largest value, in bytes."""

    inline: ClassVar = MAX_PAYLOAD_BYTES
    """How many bytes of a value are sent at most; of a larger one, only where it is stored."""

    _for_activity = False

    def with_context(self, context: SerializationContext) -> Self:
        """Tell what activities exchange from what comes from outside.

        An activity's input or result that doesn't fit comes from a worker with other code, not from a person:
        it must be tried again, with the code that fits, and not fail the run.
        """
        if not isinstance(context, ActivitySerializationContext):
            return self
        converter = copy(self)
        converter._for_activity = True
        return converter

    def to_payloads(self, values: Sequence[object]) -> list[Payload]:
        """Encode values.

        Raises:
            ApplicationError: `InvalidInput`: they are too large.
        """
        payloads = super().to_payloads(values)
        sizes = [payload.ByteSize() for payload in payloads]
        if max(sizes, default=0) > self.most or sum(min(size, self.inline) for size in sizes) > MAX_PAYLOAD_BYTES:
            kinds = ", ".join(type(value).__name__ for value in values)
            raise refusal(f"{kinds}: {sum(sizes):,} bytes, at most {self.most:,} can be sent")
        return payloads

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Decode values.

        Raises:
            ApplicationError: `InvalidInput`: one doesn't fit its type.
            MisfitError: The same, for what activities exchange.
        """
        if payloads and type_hints == []:
            # Of what takes no input; the SDK would drop these without a word, before an interceptor sees them.
            raise self._refusal(f"no input is taken, {_counted(len(payloads))} given")
        hints = [*(type_hints or ()), *[None] * len(payloads)]
        values = []
        for number, (payload, hint) in enumerate(zip(payloads, hints, strict=False), 1):
            try:
                values.append(self._decode(payload, hint))
            except MisfitError as misfit:
                reason = str(misfit) if len(payloads) == 1 else f"input {number}: {misfit}"
                raise self._refusal(reason) from None
        return values

    def _refusal(self, reason: str) -> Exception:
        return MisfitError(reason) if self._for_activity else refusal(reason)

    def _decode(self, payload: Payload, hint: type | None) -> object:
        if hint is RawValue:
            return RawValue(payload)
        if hint is None or hint is Any:
            try:
                return super().from_payloads([payload])[0]
            except _UNREADABLE:
                return RawValue(payload)
        try:
            return self._decode_as(hint, payload)
        except ValidationError as error:
            raise MisfitError(one_line(error)) from None  # its own text, also as a cause, would show what was sent

    def _decode_as(self, hint: type, payload: Payload) -> object:
        encoding = payload.metadata.get("encoding", b"<none>")
        if encoding == b"binary/null":
            payload = _NULL  # the SDK gives None for it, whatever the type
        elif encoding == b"binary/plain":
            return TypeAdapter(hint).validate_python(payload.data, strict=True)
        elif encoding != b"json/plain" and not (isinstance(hint, type) and issubclass(hint, Message)):
            raise MisfitError(
                f"input: the payload's encoding is {encoding.decode(errors='replace')}, it must be json/plain"
            )
        return super().from_payloads([payload], [hint])[0]


class BoundaryInterceptor(Interceptor):
    """Refuses the wrong number of inputs, before the code that they are for runs."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Give the interceptor of every run."""
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        run = partial(input.run_fn, None)  # in place of self
        input.args = _fitted(workflow.info().workflow_type, run, input.args)
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        if handler := workflow.get_signal_handler(input.signal):
            try:
                input.args = _fitted(input.signal, handler, input.args)
            except ApplicationError as error:
                # Raised from here it would fail the run, for what a stranger may have sent.
                workflow.logger.warning("Signal dropped: %s", error.message)
                return
        await super().handle_signal(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        self._fit_update(input)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        self._fit_update(input)
        return await super().handle_update_handler(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        if handler := workflow.get_query_handler(input.query):
            input.args = _fitted(input.query, handler, input.args)
        return await super().handle_query(input)

    def _fit_update(self, input: HandleUpdateInput) -> None:
        if handler := workflow.get_update_handler(input.update):
            input.args = _fitted(input.update, handler, input.args)


class _Outbound(WorkflowOutboundInterceptor):
    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        # The SDK encodes these at a point where an error would be lost and leave the run hanging.
        input.args = [RawValue(payload) for payload in workflow.payload_converter().to_payloads(input.args)]
        super().continue_as_new(input)


def _fitted(name: str, function: Callable[..., object], args: Sequence[object]) -> Sequence[object]:
    """Hold the inputs to a function's signature.

    Raises:
        ApplicationError: `InvalidInput`: there are too many or too few, or one doesn't fit.
    """
    signature = inspect.signature(_bound(function), eval_str=True)
    try:
        signature.bind(*args)
    except TypeError:
        raise refusal(_miscounted(name, signature, len(args))) from None
    parameters = list(signature.parameters.values())
    if len(args) == len(parameters) or parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL:
        return args
    # The SDK reads inputs without regard to their types where optional ones are left out.
    converter = workflow.payload_converter()
    hints = [parameter.annotation for parameter in parameters[: len(args)]]
    return converter.from_payloads(converter.to_payloads(args), hints)


def _bound(handler: Callable[..., object]) -> Callable[..., object]:
    """Look through the closure that the SDK binds an async method in: it takes anything, and has no signature."""
    inner = inspect.getclosurevars(handler).nonlocals if inspect.isfunction(handler) else {}
    return partial(inner["fn"], inner["obj"]) if inner.keys() == {"fn", "obj"} else handler


def _miscounted(name: str, signature: inspect.Signature, given: int) -> str:
    parameters = signature.parameters.values()
    required = sum(parameter.default is inspect.Parameter.empty for parameter in parameters)
    count = str(len(parameters)) if required == len(parameters) else f"{required} to {len(parameters)}"
    kinds = ", ".join(_MODULES.sub("", inspect.formatannotation(parameter.annotation)) for parameter in parameters)
    return f"{name} takes {count} {'input' if count == '1' else 'inputs'} ({kinds}), {_counted(given)} given"


def _counted(number: int) -> str:
    return f"{number} {'was' if number == 1 else 'were'}"
