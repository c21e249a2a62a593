"""How a workflow takes messages: any payload is looked at, whatever was sent; nothing sticks, nothing is dropped.

Temporal drops a signal that it can't decode and is stuck for ever on one with the wrong number of inputs.
So the handlers here take anything, and hold it to the message's model themselves: what doesn't fit becomes
a rejection that people can see, and an update is refused with the reason before anything is recorded.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, TypeVar, cast

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.workflow import UpdateMethodMultiParam

from signals.errors import ErrorType, Refusal
from signals.messages import (
    MESSAGES,
    Answer,
    Close,
    Grant,
    Interrupt,
    Invoke,
    Join,
    Leave,
    Message,
    Propose,
    Signal,
    Subscribe,
    Turn,
    Vote,
)
from signals.names import update_name
from signals.wire import one_line

R = TypeVar("R", bound="Receiver")
M = TypeVar("M", bound=Signal)
A = TypeVar("A")


def parse(model: type[M], payloads: Sequence[object]) -> M:
    """Make a message of what was sent.

    Raises:
        ApplicationError: `InvalidInput`: it doesn't fit.
    """
    if len(payloads) != 1:
        raise invalid(f"'{model.signal}' takes one JSON object, {len(payloads)} inputs were sent")
    payload = payloads[0]
    if isinstance(payload, model):
        return payload
    if isinstance(payload, RawValue):
        raise invalid(f"'{model.signal}' takes a JSON object; what was sent isn't JSON")
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        raise invalid(one_line(error)) from None


def invalid(reason: str) -> ApplicationError:
    """Make the error that says that an input doesn't fit."""
    return ApplicationError(reason, type=ErrorType.INVALID_INPUT, non_retryable=True)


def as_error(refusal: Refusal) -> ApplicationError:
    """Make the error that tells the sender of an update why it isn't accepted."""
    return ApplicationError(refusal.reason, type=refusal.type, non_retryable=True)


def receive_signal(model: type[M]) -> Callable[[Callable[[R, M], None]], Callable[[R, M], None]]:
    """Make a signal handler of a method that takes the message."""

    def decorate(method: Callable[[R, M], None]) -> Callable[[R, M], None]:
        def handler(self: R, *payloads: object) -> None:
            try:
                message = parse(model, payloads)
            except ApplicationError as error:
                self.take_misfit(model.signal, _claimed_sender(payloads), error.message)
            else:
                method(self, message)

        _name_like(handler, method)
        # The cast keeps the message's type for callers by reference; Temporal sees that anything is taken.
        return cast(Callable[[R, M], None], workflow.signal(name=model.signal, description=model.about)(handler))

    return decorate


def receive_update(
    model: type[M], check: Callable[[R, M], None] | None = None
) -> Callable[[Callable[[R, M], Awaitable[A]]], UpdateMethodMultiParam[[R, M], A]]:
    """Make an update handler, with its validator, of a method that takes the message.

    Args:
        model: The message.
        check: Raises `ApplicationError` if it would not be accepted now; what the workflow's `check` says, where none
            is given.
    """

    def decorate(method: Callable[[R, M], Awaitable[A]]) -> UpdateMethodMultiParam[[R, M], A]:
        async def handler(self: R, *payloads: object) -> A:
            return await method(self, parse(model, payloads))

        def validator(self: R, *payloads: object) -> None:
            message = parse(model, payloads)
            if check is not None:
                check(self, message)
            else:
                self.check(cast(Message, message))

        _name_like(handler, method)
        update = workflow.update(name=update_name(model.signal), description=model.about)(handler)
        update.validator(validator)
        return cast(UpdateMethodMultiParam[[R, M], A], update)

    return decorate


def _claimed_sender(payloads: Sequence[object]) -> str | None:
    match payloads:
        case [{"speaker": str() as who}] | [{"requestor": str() as who}] | [{"requested_by": str() as who}]:
            return who[:64]
        case _:
            return None


def _name_like(handler: Callable[..., object], method: Callable[..., object]) -> None:
    # Not functools.wraps: Temporal would follow __wrapped__ to the typed signature and decode by it.
    handler.__name__, handler.__qualname__ = method.__name__, method.__qualname__
    handler.__doc__, handler.__module__ = method.__doc__, method.__module__


class Receiver(ABC):
    """A workflow that takes the messages of a conversation, as signals and as updates."""

    takes: ClassVar[tuple[type[Signal], ...]] = MESSAGES
    """What it can be sent."""

    @abstractmethod
    def take(self, message: Message) -> None:
        """Take a message that came as a signal; one that isn't accepted becomes a rejection."""

    @abstractmethod
    def take_misfit(self, signal: str, speaker: str | None, reason: str) -> None:
        """Keep as a rejection what came as a signal and is no message.

        Args:
            signal: The signal's name.
            speaker: Who it claims to be from, if it says so.
            reason: What doesn't fit.
        """

    @abstractmethod
    def check(self, message: Message) -> None:
        """Raise `ApplicationError` if a message that came as an update would not be accepted now."""

    @abstractmethod
    async def submit(self, message: Message) -> Answer:
        """Take a message that came as an update.

        Raises:
            ApplicationError: It isn't accepted.
        """

    @workflow.signal(dynamic=True, description="Anything else is kept as a rejection.")
    def _unknown(self, name: str, args: Sequence[RawValue]) -> None:
        known = ", ".join(model.signal for model in self.takes)
        self.take_misfit(name[:200], None, f"there is no signal of this name; there are: {known}")

    @receive_signal(Turn)
    def turn(self, message: Turn) -> None:
        """Say something."""
        self.take(message)

    @receive_signal(Join)
    def join(self, message: Join) -> None:
        """Take part from now on."""
        self.take(message)

    @receive_signal(Leave)
    def leave(self, message: Leave) -> None:
        """Take part no longer."""
        self.take(message)

    @receive_signal(Propose)
    def propose(self, message: Propose) -> None:
        """Put an outcome forward."""
        self.take(message)

    @receive_signal(Vote)
    def vote(self, message: Vote) -> None:
        """Approve or refuse a proposal."""
        self.take(message)

    @receive_signal(Invoke)
    def invoke(self, message: Invoke) -> None:
        """Have a fragment run."""
        self.take(message)

    @receive_signal(Grant)
    def grant(self, message: Grant) -> None:
        """Give somebody the floor."""
        self.take(message)

    @receive_signal(Subscribe)
    def subscribe(self, message: Subscribe) -> None:
        """Choose the topics whose turns one is given."""
        self.take(message)

    @receive_signal(Interrupt)
    def interrupt(self, message: Interrupt) -> None:
        """Stop the replies under way."""
        self.take(message)

    @receive_signal(Close)
    def close(self, message: Close) -> None:
        """End the conversation without an outcome."""
        self.take(message)

    @receive_update(Turn)
    async def submit_turn(self, message: Turn) -> Answer:
        """Say something, and learn what became of it."""
        return await self.submit(message)

    @receive_update(Join)
    async def submit_join(self, message: Join) -> Answer:
        """Take part from now on, and learn what became of it."""
        return await self.submit(message)

    @receive_update(Leave)
    async def submit_leave(self, message: Leave) -> Answer:
        """Take part no longer, and learn what became of it."""
        return await self.submit(message)

    @receive_update(Propose)
    async def submit_propose(self, message: Propose) -> Answer:
        """Put an outcome forward, and learn what became of it."""
        return await self.submit(message)

    @receive_update(Vote)
    async def submit_vote(self, message: Vote) -> Answer:
        """Approve or refuse a proposal, and learn what became of it."""
        return await self.submit(message)

    @receive_update(Invoke)
    async def submit_invoke(self, message: Invoke) -> Answer:
        """Have a fragment run, and learn what became of it."""
        return await self.submit(message)

    @receive_update(Grant)
    async def submit_grant(self, message: Grant) -> Answer:
        """Give somebody the floor, and learn what became of it."""
        return await self.submit(message)

    @receive_update(Subscribe)
    async def submit_subscribe(self, message: Subscribe) -> Answer:
        """Choose the topics whose turns one is given, and learn what became of it."""
        return await self.submit(message)

    @receive_update(Interrupt)
    async def submit_interrupt(self, message: Interrupt) -> Answer:
        """Stop the replies under way, and learn what became of it."""
        return await self.submit(message)

    @receive_update(Close)
    async def submit_close(self, message: Close) -> Answer:
        """End the conversation without an outcome, and learn what became of it."""
        return await self.submit(message)
