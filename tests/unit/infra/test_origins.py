"""Where a setting comes from is told to the line, or to the variable."""

from pathlib import Path

import pytest

from infra.origins import Key, Origin, Source, origins

FILE = """\
# worker.sandbox = false

[worker]
task_queue = "mine"  # sandbox = false
extensions = [
    "one",
]

[execution]
default_mode = "workflow"
transitions = { fallback_mode = "workflow" }
hybrid.auto_switch = false
'conversation'.participant_limit = 7
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("worker", "task_queue"), 4),
        (("worker", "extensions"), 5),
        (("worker",), 3),
        (("execution", "default_mode"), 10),
        (("execution", "transitions", "fallback_mode"), 11),
        (("execution", "hybrid", "auto_switch"), 12),
        (("execution", "conversation", "participant_limit"), 13),
    ],
)
def test_what_the_file_says_is_told_with_its_line(key: Key, line: int) -> None:
    found = origins(Path("parley.toml"), FILE, {}, "PARLEY_")
    assert found.of(key) == Origin(Source.FILE, f"parley.toml:{line}")


@pytest.mark.parametrize("key", [("worker", "sandbox"), ("execution", "transitions", "preserve_state"), ("assistant",)])
def test_what_the_file_does_not_say_is_a_default(key: Key) -> None:
    assert origins(Path("parley.toml"), FILE, {}, "PARLEY_").of(key) == Origin(Source.DEFAULT)


def test_what_the_environment_says_is_told_with_its_variable() -> None:
    variables = {
        "PARLEY_WORKER__TASK_QUEUE": "other",
        "PARLEY_WORKER": '{"task_queue": "a third", "sandbox": false}',
        "parley_worker__extensions": '["two"]',
        "WORKER__MAX_CACHED_WORKFLOWS": "7",
    }
    found = origins(Path("parley.toml"), FILE, variables, "PARLEY_")
    places = {
        name: str(found.of(("worker", name)))
        for name in ("task_queue", "sandbox", "extensions", "max_cached_workflows")
    }
    assert places == {
        "task_queue": "PARLEY_WORKER__TASK_QUEUE",
        "sandbox": "PARLEY_WORKER",
        "extensions": "parley_worker__extensions",
        "max_cached_workflows": "default",
    }
