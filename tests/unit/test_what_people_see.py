"""What the Web UI can tell of a run: a description of each message and query, a summary of all that a run starts."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from temporalio import workflow

from tests.flows import modes
from workflows.library import WORKFLOWS

ROOT: Final = Path(__file__).parents[2]

SUMMARISED: Final = {
    "execute_activity_method": "summary",
    "execute_local_activity_method": "summary",
    "start_activity_method": "summary",
    "execute_activity": "summary",
    "execute_local_activity": "summary",
    "start_activity": "summary",
    "execute_child_workflow": "static_summary",
    "start_child_workflow": "static_summary",
    "sleep": "summary",
}
"""How a call says what it is for, by the name of the call."""

MOST: Final = 120
"""How long a description may be, in characters: it is one line of a list."""


def calls() -> Iterator[tuple[str, ast.Call]]:
    """All that workflows start, each with where it stands."""
    for path in sorted((ROOT / "workflows").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="workflow"))):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def said(call: ast.Call) -> set[str | None]:
    return {keyword.arg for keyword in call.keywords}


def test_activities_timers_and_children_say_what_they_are_for() -> None:
    starting = [(where, call, call.func.attr) for where, call in calls() if isinstance(call.func, ast.Attribute)]
    silent = [f"{where} {name}" for where, call, name in starting if SUMMARISED.get(name, "") not in {"", *said(call)}]
    assert silent == []
    assert sum(name in SUMMARISED for _, _, name in starting) > 20


def test_a_wait_that_sets_a_timer_says_what_it_is_for() -> None:
    timed = [
        (where, call)
        for where, call in calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr == "wait_condition" and "timeout" in said(call)
    ]
    assert [where for where, call in timed if "timeout_summary" not in said(call)] == []
    assert timed


@pytest.mark.parametrize("flow", [*WORKFLOWS, modes.Journey], ids=lambda flow: flow.__name__)
def test_every_signal_query_and_update_has_a_description(flow: type) -> None:
    known = workflow._Definition.must_from_class(flow)
    handlers = {**known.signals, **known.queries, **known.updates}
    told = {name: getattr(handler, "description", None) or "" for name, handler in handlers.items() if name}
    assert told
    assert {name: text for name, text in told.items() if not 0 < len(text) <= MOST} == {}
