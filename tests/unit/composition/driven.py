"""A machine that is driven by hand: what is ordered is kept, and ended by the path of the branch."""

from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from tests.flows.composition import FLOWS, PREDICATES, SELECTORS
from workflows.composition.frames import CallFrame
from workflows.composition.layout import lay_out
from workflows.composition.machine import Machine, Orders
from workflows.composition.outcomes import Cancelled, Failed, Outcome, Succeeded
from workflows.composition.plan import Plan
from workflows.composition.registry import Registry

REGISTRY = Registry()
REGISTRY.add(workflows=FLOWS, selectors=SELECTORS, predicates=PREDICATES)

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Driven:
    """A composite without a server."""

    def __init__(self, plan: Plan, value: JsonValue = None) -> None:
        self.machine = Machine(lay_out(plan), REGISTRY)
        self.seconds = 0
        self.given: dict[str, JsonValue] = {}
        """What each child was started with, by path and number."""

        self.cancelling: list[str] = []
        """The children that were told to stop, in that order."""

        self.running: dict[str, CallFrame] = {}
        self._follow(self.machine.begin(value, self.now))

    @property
    def now(self) -> datetime:
        """A time that passes with every event."""
        self.seconds += 1
        return BEGIN + timedelta(seconds=self.seconds)

    @property
    def outcome(self) -> Outcome | None:
        """What it has come to."""
        return self.machine.outcome

    def succeed(self, name: str, value: JsonValue) -> None:
        """Let a child succeed."""
        self.end(name, Succeeded(value))

    def fail(self, name: str, message: str = "broken") -> None:
        """Let a child fail."""
        self.end(name, Failed("Broken", message, self.running[name].path))

    def cancelled(self, name: str) -> None:
        """Let a child end as cancelled."""
        self.end(name, Cancelled(self.running[name].path))

    def end(self, name: str, outcome: Outcome) -> None:
        """Let a child end."""
        self._follow(self.machine.ended(self.running.pop(name), outcome, self.now))

    def never_began(self, name: str) -> None:
        """Let a child be one that was cancelled before it was started."""
        self._follow(self.machine.never_began(self.running.pop(name), self.now))

    def cancel(self) -> None:
        """Cancel the composite."""
        self._follow(self.machine.cancel(self.now))

    def states(self) -> dict[str, str]:
        """The states of the branches."""
        return {f"{branch.path}-{branch.number}": branch.state for branch in self.machine.branches}

    def _follow(self, orders: Orders) -> None:
        for call in orders.start:
            name = _name(call)
            assert name not in self.given, "a child's id is used once"
            self.running[name], self.given[name] = call, call.request
        for call in orders.cancel:
            assert _name(call) in self.running and _name(call) not in self.cancelling
            self.cancelling.append(_name(call))


def _name(call: CallFrame) -> str:
    return f"{call.path}-{call.known.number}"
