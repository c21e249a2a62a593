"""Plans for tests of what is made of them."""

from datetime import UTC, datetime

from workflows.compiled.plan import Argument, Plan, PointPlan, Source, StepPlan

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


def planned(
    name: str, *needs: str, about: str = "", points: tuple[PointPlan, ...] = (), on_demand: bool = False
) -> StepPlan:
    """Plan a step."""
    return StepPlan(
        name=name,
        about=about,
        arguments=arguments(*needs),
        when=(),
        until=(),
        compensation=(),
        points=points,
        checkpoint=False,
        on_demand=on_demand,
    )


def arguments(*needs: str) -> tuple[Argument, ...]:
    """Ask for steps, or else for the input."""
    return tuple(Argument(name, Source.STEP) for name in needs) or (Argument("request", Source.REQUEST),)


def plan() -> Plan:
    """A small plan: an order and its approval, which people may have to talk about with an expert."""
    talk = PointPlan("refused", arguments("order", "expert"), {})
    return Plan(
        name="Refund",
        about="Give money back.",
        steps=(
            planned("order", about="Look it up."),
            planned("approval", "order", points=(talk,)),
            planned("expert", on_demand=True),
            planned("receipt", "order", "approval", about='Say "thanks" <b>'),
        ),
        request_step="order",
        result="receipt",
    )
