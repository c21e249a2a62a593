"""`@compiled`: makes a Temporal workflow class of a class with steps, when its module is imported."""

from typing import Final, TypeVar, get_type_hints

from temporalio import workflow

from workflows.compiled.compiler import compile_class
from workflows.compiled.plan import Plan
from workflows.compiled.run import CompiledRun
from workflows.compiled.source import REQUEST

C = TypeVar("C")

_RESERVED: Final = frozenset({*dir(CompiledRun), "run", "plan"})


def compiled(cls: type[C]) -> type[C]:
    """Compile a workflow class.

    Its steps are the methods marked with `@step`. The class that takes its place is the Temporal workflow of
    the same name, with a `run` that is typed by the steps: it takes what they call `request`, and gives what
    the result step returns.

    Raises:
        CompileError: Something is wrong with the class; every finding names place and remedy.
    """
    plan = compile_class(cls, _RESERVED)
    return workflow.defn(name=plan.name)(_workflow_class(cls, plan))


def _workflow_class(cls: type[C], plan: Plan) -> type[C]:
    async def run(self: CompiledRun, request: object) -> object:
        return await self.execute(request)

    # Temporal decodes and encodes by these. They come from this class, not from the plan: in the sandbox the
    # class, and the models beside it, are imported anew.
    asks, gives = getattr(cls, plan.request_step), getattr(cls, plan.result)
    run.__annotations__ = {
        REQUEST: get_type_hints(asks, include_extras=True)[REQUEST],
        "return": get_type_hints(gives, include_extras=True)["return"],
    }
    run.__qualname__ = f"{cls.__qualname__}.run"
    run.__module__ = cls.__module__
    run.__doc__ = cls.__doc__
    body = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
        "plan": plan,
        "run": workflow.run(run),
    }
    return type(cls.__name__, (cls, CompiledRun), body)
