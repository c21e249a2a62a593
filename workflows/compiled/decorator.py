"""`@compiled`: makes a Temporal workflow class of a class with steps, when its module is imported."""

from collections.abc import Callable
from typing import Final, TypeVar, get_args, get_origin, get_type_hints, overload

from temporalio import workflow
from typing_extensions import get_original_bases

from signals.context import UniversalContext
from workflows.compiled.compiler import compile_class
from workflows.compiled.findings import Code, CompileError, Finding, Severity
from workflows.compiled.flow import Flow
from workflows.compiled.fragment import Fragment
from workflows.compiled.plan import Plan
from workflows.compiled.run import CompiledRun
from workflows.compiled.source import CONTEXT, REQUEST, place_of
from workflows.compiled.types import shown
from workflows.hybrid import ConversationPoint

C = TypeVar("C")

_RESERVED: Final = frozenset({*dir(CompiledRun), "run", "plan", "points"})


@overload
def compiled(cls: type[C]) -> type[C]: ...


@overload
def compiled(
    *, talk: ConversationPoint | tuple[ConversationPoint, ...] = (), fragment: Fragment | None = None
) -> Callable[[type[C]], type[C]]: ...


def compiled(
    cls: type[C] | None = None,
    *,
    talk: ConversationPoint | tuple[ConversationPoint, ...] = (),
    fragment: Fragment | None = None,
) -> type[C] | Callable[[type[C]], type[C]]:
    """Compile a workflow class: `@compiled`, or `@compiled(talk=..., fragment=...)`.

    Its steps are the methods marked with `@step`. The class that takes its place is the Temporal workflow of
    the same name, with a `run` that is typed by the steps: it takes what they call `request`, and gives what
    the result step returns.

    Args:
        cls: The class.
        talk: The conversations that a run may open about itself as a whole, tried in order.
        fragment: What conversations may do with it; none may run it where there is none.

    Raises:
        CompileError: Something is wrong with the class; every finding names place and remedy.
    """
    points = talk if isinstance(talk, tuple) else (talk,)
    return (lambda cls: _compiled(cls, points, fragment)) if cls is None else _compiled(cls, points, fragment)


def _compiled(cls: type[C], points: tuple[ConversationPoint, ...], fragment: Fragment | None) -> type[C]:
    plan = compile_class(cls, _RESERVED, points, fragment)
    _hold_to_declared(cls, plan)
    return workflow.defn(name=plan.name)(_workflow_class(cls, plan, points))


def _workflow_class(cls: type[C], plan: Plan, points: tuple[ConversationPoint, ...]) -> type[C]:
    async def run(self: CompiledRun, request: object, context: UniversalContext | None = None) -> object:
        return await self.execute(request, context)

    # Temporal decodes and encodes by these. They come from this class, not from the plan: in the sandbox the
    # class, and the models beside it, are imported anew.
    request, result = _types(cls, plan)
    run.__annotations__ = {REQUEST: request, CONTEXT: UniversalContext | None, "return": result}
    run.__qualname__ = f"{cls.__qualname__}.run"
    run.__module__ = cls.__module__
    run.__doc__ = cls.__doc__
    body = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
        "plan": plan,
        "points": points,
        "run": workflow.run(run),
    }
    # Not `issubclass`: of an abstract class it goes through all subclasses that there are, and those of earlier runs,
    # which the sandbox has imported too, would be held on to whenever garbage is collected meanwhile.
    return type(cls.__name__, (cls,) if CompiledRun in cls.__mro__ else (cls, CompiledRun), body)


def _hold_to_declared(cls: type, plan: Plan) -> None:
    """Hold the types that a `Flow` is declared with to what the steps say."""
    declared = next((get_args(base) for base in get_original_bases(cls) if get_origin(base) is Flow), ())
    said = _types(cls, plan)
    findings = tuple(
        Finding(
            Code.TYPE_MISMATCH,
            Severity.ERROR,
            *place_of(cls),
            cls.__name__,
            None,
            None,
            f"it is declared as a Flow whose {what} is {shown(one)}, but its steps say {shown(other)}",
            "change one of the two",
        )
        for what, one, other in zip((REQUEST, "result"), declared, said, strict=False)
        if one != other
    )
    if findings:
        raise CompileError(findings)


def _types(cls: type, plan: Plan) -> tuple[object, object]:
    """The types of a workflow's input and result, as its steps say them."""
    asks, gives = getattr(cls, plan.request_step), getattr(cls, plan.result)
    request = get_type_hints(asks, include_extras=True)[REQUEST]
    return request, get_type_hints(gives, include_extras=True)["return"]
