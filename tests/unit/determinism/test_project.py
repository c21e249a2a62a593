"""No false alarm on this project's own workflow code."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import FunctionType

import pytest

import signals
import workflows.conversation
import workflows.support
from workflows.compiled.determinism import determinism_findings
from workflows.library import WORKFLOWS

PURE = (signals, workflows.conversation, workflows.support)
MODULES = [module.name for pure in PURE for module in pkgutil.walk_packages(pure.__path__, f"{pure.__name__}.")]


def functions(name: str) -> Iterator[tuple[FunctionType, type | None]]:
    module = importlib.import_module(name)
    own = [value for value in vars(module).values() if getattr(value, "__module__", None) == name]
    yield from ((value, None) for value in own if inspect.isfunction(value))
    for cls in filter(inspect.isclass, own):
        for value in vars(cls).values():
            method = value.fget if isinstance(value, property) else value
            if inspect.isfunction(method) and method.__module__ == name:
                yield method, cls


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_found_in_code_that_only_computes(module: str) -> None:
    findings = [
        str(finding)
        for function, owner in functions(module)
        for finding in determinism_findings(function, workflow=module, step=None, owner=owner)
    ]
    assert findings == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.__name__)
def test_nothing_is_found_in_any_workflow_nor_in_how_it_is_run(workflow: type) -> None:
    methods = [value for base in workflow.__mro__ for value in vars(base).values() if inspect.isfunction(value)]
    findings = [
        str(finding)
        for method in methods
        for finding in determinism_findings(method, workflow=workflow.__name__, step=None, owner=workflow)
    ]
    assert methods
    assert findings == []
