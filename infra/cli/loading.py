"""Modules with workflows, imported by name or by file; what is wrong with them is kept, not raised."""

import importlib
import inspect
import pkgutil
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final

from infra.config import load_config
from workflows.compiled.determinism import determinism_findings
from workflows.compiled.findings import CompileError, CompileWarning, Finding, seen_from_here
from workflows.compiled.plan import Plan, plan_of
from workflows.composition import REGISTRY, PlanError, PlanFinding, check_composites
from workflows.extensions import DECLARATION, Extension, ExtensionError, install

Problem = Finding | PlanFinding
"""Something that is wrong with a workflow: with a compiled class, or with a plan of a composite."""

LIBRARY: Final = "workflows.library"
"""The module that names all workflows of the project."""

_DEFINITION: Final = "__temporal_workflow_definition"
"""Where `@workflow.defn` leaves its mark."""


@dataclass
class Loaded:
    """What was found in some modules."""

    workflows: list[type] = field(default_factory=list)
    findings: list[Problem] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Modules that can't be imported, each in one line."""

    @property
    def plans(self) -> list[Plan]:
        """The plans of those workflows that are compiled."""
        return [plan for cls in self.workflows if (plan := plan_of(cls))]


def load(modules: Sequence[str]) -> Loaded:
    """Import modules, packages with all that is in them, and look at their workflows.

    Args:
        modules: Their names, or their files; where there are none, the project's own, and the extensions that the
            settings name.

    Raises:
        SetupError: The settings can't be read.
    """
    found = Loaded()
    for name in modules or [LIBRARY, *load_config().worker.extensions]:
        for module in _import(_name(name), found):
            there = _workflows(module)
            found.workflows += [cls for cls in there if cls not in found.workflows]
            _install(module, found)
    for cls in found.workflows:
        if plan_of(cls) is None:
            found.findings += _by_hand(cls)
    # Plans may name the project's workflows; what is wrong with those is told when they are asked for.
    for library in _import(LIBRARY, Loaded()):
        REGISTRY.add(workflows=_workflows(library))
    REGISTRY.add(workflows=found.workflows)
    found.findings += check_composites(found.workflows)
    found.findings = list(dict.fromkeys(found.findings))
    return found


def _workflows(module: ModuleType) -> list[type]:
    if module.__name__ == LIBRARY:
        return list(module.WORKFLOWS)
    return [value for value in vars(module).values() if _is_defined_in(module, value)]


def _install(module: ModuleType, found: Loaded) -> None:
    extension = vars(module).get(DECLARATION)
    if isinstance(extension, Extension):
        try:
            install(extension)
        except ExtensionError as error:
            found.failures.append(f"{module.__name__}: {error}")


def _name(given: str) -> str:
    """A module's name; of a file, the one under which Python finds it from here."""
    if not given.endswith(".py"):
        return given
    path, here = Path(given).resolve(), Path.cwd()
    if not path.is_relative_to(here):
        sys.path.insert(0, str(path.parent))
        return path.stem
    parts = path.relative_to(here).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _import(name: str, found: Loaded) -> Iterator[ModuleType]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CompileWarning)
        try:
            module = importlib.import_module(name)
        except (CompileError, PlanError) as error:
            found.findings += error.findings
            return
        except (Exception, SystemExit) as error:  # whatever somebody's module may do while it is imported
            found.failures.append(f"{name} can't be imported: {_told(error)}")
            return
        finally:
            found.findings += [one.message.finding for one in caught if isinstance(one.message, CompileWarning)]
    yield module
    for inner in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}."):
        yield from _import(inner.name, found)


def _told(error: BaseException) -> str:
    """An error in a line, with the place outside of Python's own import machinery where it was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    place = frames[-1] if frames else None
    what = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    own = place is not None and place.filename not in (__file__, importlib.__file__)
    return f"{what} ({seen_from_here(place.filename)}:{place.lineno})" if place and own else what


def _is_defined_in(module: ModuleType, value: object) -> bool:
    return inspect.isclass(value) and value.__module__ == module.__name__ and hasattr(value, _DEFINITION)


def _by_hand(workflow: type) -> Iterator[Finding]:
    """Hold the methods of a workflow that is not compiled to determinism."""
    for method in filter(inspect.isfunction, vars(workflow).values()):
        yield from determinism_findings(method, workflow=workflow.__name__, step=None, owner=workflow)
