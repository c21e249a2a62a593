"""The house's rules that no other tool holds: who may import what, and what is kept out of where."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

LAYERS: Final = ("signals", "workflows", "activities", "infra", "worker")
"""Each may import itself and what is before it."""

SHELL: Final = {
    "workflows/compiled/decorator.py",
    "workflows/compiled/execution.py",
    "workflows/compiled/flow.py",
    "workflows/compiled/post.py",
    "workflows/compiled/run.py",
    "workflows/compiled/running.py",
    "workflows/compiled/steps.py",
    "workflows/compiled/stubs.py",
    "workflows/compiled/switches.py",
    "workflows/compiled/talk.py",
    "workflows/compiled/talks.py",
    "workflows/composition/composite.py",
    "workflows/composition/run.py",
    "workflows/composition/workflow.py",
    "workflows/conversation/fragments.py",
    "workflows/conversation/pinned.py",
    "workflows/conversation/stubs.py",
    "workflows/conversation/telling.py",
    "workflows/conversation/workflow.py",
    "workflows/exclusive.py",
    "workflows/failures.py",
    "workflows/metrics.py",
    "workflows/modes/adaptive.py",
    "workflows/modes/stubs.py",
    "workflows/options.py",
    "workflows/pinning.py",
    "workflows/pipeline/bisect.py",
    "workflows/pipeline/check_commit.py",
    "workflows/pipeline/deploy_commit.py",
    "workflows/pipeline/development_pipeline.py",
    "workflows/pipeline/run_tests.py",
    "workflows/pipeline/show_file.py",
    "workflows/pipeline/stubs.py",
    "workflows/receiving.py",
    "workflows/search.py",
    "workflows/spans.py",
    "workflows/support/address_change.py",
    "workflows/support/customer_support.py",
    "workflows/support/order_status.py",
    "workflows/support/password_reset.py",
    "workflows/support/refund.py",
    "workflows/support/stubs.py",
}
"""The modules of workflows that touch Temporal or OpenTelemetry; all others decide, and are tested without either."""

CATALOGUE: Final = "workflows/library.py"
"""Names the workflow classes, and so imports them."""

ENVIRONMENT: Final = {"infra/config.py"}
"""Where the environment is read."""

IGNORED_WITHOUT_REASON: Final = re.compile(r"#\s*type:\s*ignore(\[[^]]*\])?\s*$")

MOST_LINES: Final = 400
"""Of a file, tests included."""


def files(*layers: str) -> list[Path]:
    """The Python files of some layers."""
    found = [path for layer in layers for path in (ROOT / layer).rglob("*.py")]
    return sorted([*found, ROOT / "worker.py"] if "worker" in layers else found)


def name(path: Path) -> str:
    """A file's path as it is written here."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, wherever in it, with the line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.lineno, node.module
            # `from package import module` imports the module as well.
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def importing(path: Path, *modules: str) -> list[str]:
    """Where a file imports one of some modules, or what is in them."""
    return [
        f"{name(path)}:{line} imports {imported}"
        for line, imported in imports(path)
        if any(imported == module or imported.startswith(f"{module}.") for module in modules)
    ]


def module_of(file: str) -> str:
    """The name under which a file is imported."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_the_layers_are_there() -> None:
    assert all(files(layer) for layer in LAYERS)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_no_layer_above_it_and_no_test(layer: str) -> None:
    above = LAYERS[LAYERS.index(layer) + 1 :]
    assert [fault for path in files(layer) for fault in importing(path, *above, "tests")] == []


def test_the_wire_needs_nothing_but_the_standard_library_and_pydantic() -> None:
    allowed = {*sys.stdlib_module_names, "pydantic", "signals"}
    assert [
        f"{name(path)}:{line} imports {imported}"
        for path in files("signals")
        for line, imported in imports(path)
        if imported.split(".")[0] not in allowed
    ] == []


def test_only_the_shell_of_the_workflows_touches_temporal_and_telemetry() -> None:
    touching = {name(path) for path in files("workflows") if importing(path, "temporalio", "opentelemetry")}
    assert touching == {file for file in SHELL if (ROOT / file).exists()}


def test_what_decides_does_not_reach_temporal_through_the_shell_either() -> None:
    shell = [module_of(file) for file in SHELL]
    others = [path for path in files("workflows") if path.name != "__init__.py"]
    pure = [path for path in others if name(path) not in {*SHELL, CATALOGUE}]
    assert [fault for path in pure for fault in importing(path, *shell)] == []


def test_packages_do_nothing_but_give_names_on() -> None:
    assert [
        f"{name(path)}:{node.lineno}"
        for path in files(*LAYERS)
        for node in tree(path).body
        if path.name == "__init__.py" and not is_re_export(node)
    ] == []


def is_re_export(node: ast.stmt) -> bool:
    """Whether a statement is a docstring, an import, or `__all__`."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.ImportFrom() | ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case _:
            return False


def test_the_environment_is_read_in_one_place() -> None:
    reading = {
        name(path)
        for path in files(*LAYERS)
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"})
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and {"environ", "getenv"} & names_in(node))
    }
    assert reading == ENVIRONMENT


def names_in(node: ast.ImportFrom) -> set[str]:
    """The names that a statement imports."""
    return {alias.name for alias in node.names}


def test_imports_are_absolute() -> None:
    assert [
        f"{name(path)}:{node.lineno}"
        for path in files(*LAYERS, "tests")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ] == []


def test_workflows_print_nothing() -> None:
    assert [
        f"{name(path)}:{node.lineno}"
        for path in files("workflows")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Name) and node.id == "print"
    ] == []


def test_a_type_that_is_ignored_says_why() -> None:
    assert [
        f"{name(path)}:{number}"
        for path in files(*LAYERS, "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if IGNORED_WITHOUT_REASON.search(line)
    ] == []


def test_no_file_is_long() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(*LAYERS, "tests")}
    assert {file: length for file, length in lengths.items() if length > MOST_LINES} == {}
