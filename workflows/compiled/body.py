"""What a class's body shows that the class itself doesn't: Python keeps only the last of two methods of one name."""

import ast
import inspect
from collections import defaultdict
from collections.abc import Iterator

from workflows.compiled.determinism.sources import Definition, Located, locate
from workflows.compiled.findings import Code, Finding, Severity, seen_from_here
from workflows.compiled.source import place_of
from workflows.compiled.step import options_of, step

_OWN = ("workflows.compiled.", "workflows.receiving")
"""Where the bases are from that every compiled class has."""


def body_findings(cls: type) -> Iterator[Finding]:
    """Find what would silently be lost: steps that are defined twice, or in a base class, and how runs begin.

    Args:
        cls: The class; where its source isn't there, what only that shows isn't found.
    """
    yield from _defined_twice(cls)
    for base in cls.__mro__[1:]:
        if base.__module__.startswith(_OWN):
            continue
        for name, value in vars(base).items():
            if options_of(value) is not None:
                code, remedy = Code.INHERITED_STEP, "write it in the class itself"
                message = f"the step '{name}' of {base.__name__} is none of this class: steps are not inherited"
            elif name == "__init__" and inspect.isfunction(value) and base.__module__ != "typing":
                code, remedy = Code.RESERVED_NAME, "do it in a step"
                message = f"the name '__init__' of {base.__name__} is taken by Parley"
            else:
                continue
            yield Finding(code, Severity.ERROR, *place_of(value), cls.__name__, None, None, message, remedy)


def _defined_twice(cls: type) -> Iterator[Finding]:
    methods = [value for value in vars(cls).values() if inspect.isfunction(value)]
    found = next((located for method in methods if (located := locate(method))), None)
    if found is None or not isinstance(found.node, Definition) or found.node not in found.source.classes:
        return
    names = {name for method in methods for name, value in method.__globals__.items() if value is step}
    definitions: defaultdict[str, list[Definition]] = defaultdict(list)
    for statement in found.source.classes[found.node].body:
        if isinstance(statement, Definition):
            definitions[statement.name].append(statement)
    for name, several in definitions.items():
        if len(several) > 1 and any(_is_step(one, names) for one in several):
            yield _twice(cls, found, name, several)


def _twice(cls: type, found: Located, name: str, several: list[Definition]) -> Finding:
    others = " and ".join(str(one.lineno) for one in several[:-1])
    return Finding(
        code=Code.DUPLICATE_NAME,
        severity=Severity.ERROR,
        file=seen_from_here(found.source.path),
        line=several[-1].lineno,
        workflow=cls.__name__,
        step=name,
        parameter=None,
        message=f"line {others} defines '{name}' too, and Python keeps only the last",
        remedy="give each a name of its own",
    )


def _is_step(definition: Definition, names: set[str]) -> bool:
    decorators = (inner.func if isinstance(inner, ast.Call) else inner for inner in definition.decorator_list)
    return any(
        (isinstance(inner, ast.Name) and inner.id in names)
        or (isinstance(inner, ast.Attribute) and inner.attr == step.__name__)
        for inner in decorators
    )
