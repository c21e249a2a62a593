"""Plans over whole workflows: data, the same from Python and from JSON. Pure.

From the seed's "Workflow Composition Patterns" (`CompositionStrategy`). In JSON a bare string is a workflow,
and a list is a sequence:

    {"plan": ["Triage", {"kind": "parallel", "branches": ["A", "B", "C"],
                         "join": {"kind": "n_of_m", "n": 2, "cancel": true}}],
     "input": {...}}

In Python, `call(Triage) >> parallel(A, B, C, join=JoinNOfM(n=2, cancel=True))`.
"""

from collections.abc import Callable
from types import GenericAlias
from typing import Annotated, Any, Final, Literal, NamedTuple, Union

from pydantic import BeforeValidator, Discriminator, Field, JsonValue, PrivateAttr, StringConstraints, Tag
from typing_extensions import TypeAliasType

from signals.wire import Identifier, Wire
from workflows.composition.conditions import AnyCondition, FunctionName
from workflows.composition.joins import AnyJoin, JoinAll
from workflows.composition.paths import Path
from workflows.composition.signatures import workflow_name

WorkflowName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""The name of a workflow type."""

Seconds = Annotated[float, Field(gt=0, le=10 * 365 * 86_400)]
"""A time of more than nothing and at most ten years."""

AT_ONCE: Final = 1_000
"""How many children one composite runs at a time; Temporal's own limit is 2,000."""

MAX_DEPTH: Final = 50
"""How many plans may be inside each other."""

MAX_SIZE: Final = 500
"""How many plans there may be in a plan, itself included."""

MAX_JSON_DEPTH: Final = 150
"""How deep the JSON of a plan may be nested, with its conditions and constants: a plan in a list takes two levels."""

MAX_JSON_VALUES: Final = 20_000
"""How many values the JSON of a plan may have."""

MAX_ROUNDS: Final = 10_000
"""The highest bound of a loop."""


class Inner(NamedTuple):
    """A plan inside a plan."""

    place: str
    """Where it is, such as `branches.1`."""

    plan: "Plan"


class Plan(Wire):
    """What all plans have in common."""

    name: Identifier | None = None
    """What it is called in ids, results and diagrams. A workflow is called by its type where this is left out."""

    def inner(self) -> tuple["Inner", ...]:
        """The plans that it is made of."""
        return ()

    def __rshift__(self, then: "Plan | type | str") -> "Sequential":
        return Sequential.model_validate({"steps": (*_as_steps(self), *_as_steps(then))})

    def __rrshift__(self, first: "type | str") -> "Sequential":
        return Sequential.model_validate({"steps": (*_as_steps(first), *_as_steps(self))})


class Call(Plan):
    """Run a workflow as a child.

    It is given the value that comes from before it. With `take`, it is given an object of what is taken from
    that value instead; with an `input` that is an object, its constants are put over that; any other `input` is
    given as it is. So `take: {}` with an `input` gives the constants alone.
    """

    kind: Literal["workflow"] = "workflow"
    workflow: WorkflowName
    """Its type, as `temporal workflow start --type` takes it."""

    take: dict[str, Path] | None = None
    """Fields of its input, each with the place in the value that it is taken from: `{"order_id": "order.id"}`."""

    input: JsonValue = None
    timeout: Seconds | None = None
    """How long it may take, in seconds; longer is a failure."""

    _class: type | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, workflow: type | str, **options: object) -> "Call":
        """Make one of a workflow class, or of a type's name."""
        name = workflow if isinstance(workflow, str) else workflow_name(workflow)
        made = cls.model_validate({"workflow": name, **options})
        made._class = None if isinstance(workflow, str) else workflow
        return made

    @property
    def cls(self) -> type | None:
        """The workflow class, where it was given and not only named."""
        return self._class


class Sequential(Plan):
    """One after the other, each given what the one before gave."""

    kind: Literal["sequential"] = "sequential"
    steps: tuple["AnyPlan", ...]

    def inner(self) -> tuple[Inner, ...]:
        """The plans that it is made of."""
        return tuple(Inner(f"steps.{n}", plan) for n, plan in enumerate(self.steps))


class Parallel(Plan):
    """All at the same time, all given the same value; the join says when and with what it goes on."""

    kind: Literal["parallel"] = "parallel"
    branches: tuple["AnyPlan", ...]
    join: AnyJoin = JoinAll()

    def inner(self) -> tuple[Inner, ...]:
        """The plans that it is made of."""
        return tuple(Inner(f"branches.{n}", plan) for n, plan in enumerate(self.branches))


class Conditional(Plan):
    """If a condition holds for the value, this; if not, the other, or nothing: then the value goes on as it is."""

    kind: Literal["conditional"] = "conditional"
    when: AnyCondition
    then: "AnyPlan"
    otherwise: Union["AnyPlan", None] = None

    def inner(self) -> tuple[Inner, ...]:
        """The plans that it is made of."""
        other = (Inner("otherwise", self.otherwise),) if self.otherwise is not None else ()
        return (Inner("then", self.then), *other)


class Dynamic(Plan):
    """A selector, registered when the program is made, chooses one of these when the plan is run."""

    kind: Literal["dynamic"] = "dynamic"
    selector: FunctionName
    """A registered function of the value, which answers the name of one of these."""

    among: tuple["AnyPlan", ...]
    _function: Callable[..., str] | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, selector: Callable[..., str] | str, **options: object) -> "Dynamic":
        """Make one of a selector, or of a registered one's name."""
        name = selector if isinstance(selector, str) else selector.__name__
        made = cls.model_validate({"selector": name, **options})
        made._function = None if isinstance(selector, str) else selector
        return made

    @property
    def function(self) -> Callable[..., str] | None:
        """The selector, where it was given and not only named."""
        return self._function

    def inner(self) -> tuple[Inner, ...]:
        """The plans that it is made of."""
        return tuple(Inner(f"among.{n}", plan) for n, plan in enumerate(self.among))


class Loop(Plan):
    """Again and again, each round given what the last one gave, until a condition holds for what it gave.

    If that hasn't come after the last round that is allowed, it fails.
    """

    kind: Literal["loop"] = "loop"
    body: "AnyPlan"
    until: AnyCondition
    most: int = Field(ge=1, le=MAX_ROUNDS)
    """How many rounds are allowed."""

    def inner(self) -> tuple[Inner, ...]:
        """The plans that it is made of."""
        return (Inner("body", self.body),)


class ForEach(Plan):
    """The same for every item of a list that is known when the plan is run, each given its item."""

    kind: Literal["for_each"] = "for_each"
    items: Path = ""
    """Where in the value the list is; left out, the value is the list."""

    body: "AnyPlan"
    join: AnyJoin = JoinAll()
    at_once: int = Field(default=100, ge=1, le=AT_ONCE)
    """How many are run at a time."""

    def inner(self) -> tuple[Inner, ...]:
        """The plans that it is made of."""
        return (Inner("body", self.body),)


def _tag(plan: object) -> str | None:
    if isinstance(plan, dict):
        kind = plan.get("kind", "workflow" if "workflow" in plan else None)
        return kind if isinstance(kind, str) else None
    return getattr(plan, "kind", None)


def _written_out(plan: object) -> object:
    if isinstance(plan, str):
        return {"kind": "workflow", "workflow": plan}
    return {"kind": "sequential", "steps": plan} if isinstance(plan, list) else plan


_Written = Annotated[
    Union[  # noqa: UP007  `|` doesn't take the names of classes that are still to come
        Annotated[Call, Tag("workflow")],
        Annotated[Sequential, Tag("sequential")],
        Annotated[Parallel, Tag("parallel")],
        Annotated[Conditional, Tag("conditional")],
        Annotated[Dynamic, Tag("dynamic")],
        Annotated[Loop, Tag("loop")],
        Annotated[ForEach, Tag("for_each")],
    ],
    Discriminator(
        _tag,
        custom_error_type="plan",
        custom_error_message="a plan is a workflow's name, a list, or an object whose kind is one of workflow, "
        "sequential, parallel, conditional, dynamic, loop, for_each",
    ),
]

# Built at run time only: for type checkers the alias would be made of itself.
_Listed: Any = GenericAlias(list, ("AnyPlan",))

AnyPlan = TypeAliasType(
    "AnyPlan", Annotated[_Written, BeforeValidator(_written_out, json_schema_input_type=str | _Listed | _Written)]
)
"""A plan as it is written in JSON."""


def _of_bounded_size(plan: object) -> object:
    """Refuse JSON that would take too long to read as a plan: a workflow task has two seconds."""
    level, values = [plan], 1
    for _ in range(MAX_JSON_DEPTH):
        inside = [
            value.values() if isinstance(value, dict) else value for value in level if isinstance(value, dict | list)
        ]
        values += sum(map(len, inside))
        if values > MAX_JSON_VALUES:
            raise ValueError(f"too large: at most {MAX_SIZE} plans in all, and {MAX_JSON_VALUES:,} values, are allowed")
        level = [value for values in inside for value in values]
        if not level:
            return plan
    raise ValueError(f"nested too deep: at most {MAX_DEPTH} plans inside each other are allowed")


class CompositeRequest(Wire):
    """What `Composite` takes.

    Example:
        {"plan": ["Triage", {"kind": "parallel", "branches": ["A", "B"], "join": "any"}], "input": {"id": "T-1"}}
    """

    plan: Annotated[AnyPlan, BeforeValidator(_of_bounded_size)]
    input: JsonValue = None
    """What the first workflow is given; of parallel ones, each."""


for _model in (Sequential, Parallel, Conditional, Dynamic, Loop, ForEach, CompositeRequest):
    _model.model_rebuild()


def as_plan(part: "Plan | type | str") -> Plan:
    """Make a plan of what may stand for one: a workflow class, or the name of a workflow type."""
    return part if isinstance(part, Plan) else Call.of(part)


def _as_steps(part: "Plan | type | str") -> tuple[Plan, ...]:
    plan = as_plan(part)
    # A sequence that has a name of its own stays one.
    return plan.steps if isinstance(plan, Sequential) and plan.name is None else (plan,)
