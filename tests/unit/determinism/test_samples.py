"""Each line of the samples that isn't deterministic is found, with the code that stands beside it, and no other."""

import inspect
import re
from collections.abc import Iterator
from types import FunctionType

import pytest

from tests.unit.determinism.samples import allowed, chance, clock, coroutines, order, outside, state, threads
from workflows.compiled.determinism import determinism_findings

EXPECTED = re.compile(r"# expect: (\S+)$")


def samples() -> Iterator[tuple[FunctionType, type | None]]:
    for module in (allowed, chance, clock, coroutines, order, outside, state, threads):
        own = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
        yield from ((value, None) for value in own if inspect.isfunction(value))
        for cls in filter(inspect.isclass, own):
            methods = filter(inspect.isfunction, vars(cls).values())
            yield from ((method, cls) for method in methods if method.__code__.co_filename == module.__file__)


def name(value: FunctionType | type | None) -> str:
    return f"{value.__module__.rpartition('.')[2]}.{value.__qualname__}" if inspect.isfunction(value) else ""


@pytest.mark.parametrize(("function", "owner"), [*samples()], ids=name)
def test_only_what_is_marked_is_found(function: FunctionType, owner: type | None) -> None:
    lines, first = inspect.getsourcelines(function)
    marked = [(number, found[1]) for number, line in enumerate(lines, first) if (found := EXPECTED.search(line))]
    findings = determinism_findings(function, workflow="Sample", step=None, owner=owner)
    here = [(f.line, f.code.value) for f in findings if first <= f.line < first + len(lines)]
    assert sorted(here) == marked
