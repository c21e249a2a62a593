"""No false alarm on this project's own workflow code."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import FunctionType

import pytest

import signals
import workflows
from workflows.compiled.determinism import determinism_findings
from workflows.library import WORKFLOWS

COMPILE_TIME = tuple(
    f"workflows.compiled.{name}" for name in ("check", "compiler", "decorator", "determinism", "findings", "source")
)
"""These are done with when a run begins."""


def modules() -> list[str]:
    found = [
        module.name
        for package in (signals, workflows)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return [name for name in found if not name.startswith(COMPILE_TIME)]


def functions(name: str) -> Iterator[tuple[FunctionType, type | None]]:
    module = importlib.import_module(name)
    own = [value for value in vars(module).values() if getattr(value, "__module__", None) == name]
    yield from ((value, None) for value in own if inspect.isfunction(value))
    for cls in filter(inspect.isclass, own):
        for value in vars(cls).values():
            method = value.fget if isinstance(value, property) else value
            if inspect.isfunction(method) and method.__module__ == name:
                yield method, cls


@pytest.mark.parametrize("module", modules())
def test_nothing_is_found_in_the_project_s_workflow_code(module: str) -> None:
    findings = [
        str(finding)
        for function, owner in functions(module)
        for finding in determinism_findings(function, workflow=module, step=None, owner=owner)
    ]
    assert findings == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.__name__)
def test_nothing_is_found_in_any_workflow_of_the_library(workflow: type) -> None:
    methods = [value for base in workflow.__mro__ for value in vars(base).values() if inspect.isfunction(value)]
    assert [
        str(f) for m in methods for f in determinism_findings(m, workflow=workflow.__name__, step=None, owner=workflow)
    ] == []
