import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.unit.determinism.samples import allowed, chains, chance
from workflows.compiled.determinism import determinism_findings
from workflows.compiled.findings import Code, Finding, Severity

HERE = "tests/unit/determinism/samples"


def told(function: Callable[..., object], owner: type | None = None) -> list[tuple[str, int, str]]:
    findings = determinism_findings(function, workflow="Refund", step=None, owner=owner)
    return [(finding.file.removeprefix(f"{HERE}/"), finding.line, finding.message) for finding in findings]


def test_a_finding_is_placed_where_the_call_is_and_says_how_the_step_comes_to_it() -> None:
    assert determinism_findings(chains.Refund.receipt, workflow="Refund", step="receipt", owner=chains.Refund) == (
        Finding(
            code=Code.NONDETERMINISTIC_CLOCK,
            severity=Severity.ERROR,
            file=f"{HERE}/helpers.py",
            line=13,
            workflow="Refund",
            step="receipt",
            parameter=None,
            message="time.time() reads the clock "
            "(step 'receipt' calls _stamped(), which calls stamp(), which calls read_the_clock())",
            remedy="use workflow.now(), or workflow.time() for seconds",
            column=11,
            width=9,
        ),
    )


def test_a_function_that_is_called_in_several_ways_is_told_of_once_by_the_shortest() -> None:
    ways = [message for _, _, message in told(chains.Refund.twice, chains.Refund)]
    assert ways == ["time.time() reads the clock (twice() calls read_the_clock())"]


def test_a_step_s_setup_function_is_told_of_as_what_the_step_calls() -> None:
    (finding,) = determinism_findings(chance.a_choice, workflow="Refund", step="approval")
    assert finding.message == "random.choice() is random (step 'approval' calls a_choice())"


def test_without_the_class_calls_by_way_of_self_are_not_followed() -> None:
    assert told(chains.Refund.receipt) == []


def test_functions_that_call_each_other_are_read_once() -> None:
    assert [message for _, _, message in told(chains.around_in_circles)] == [
        "time.monotonic() reads the clock (around_in_circles() calls ping(), which calls pong())"
    ]


@pytest.mark.parametrize(
    ("function", "chain"),
    [
        (chains.a_class, "time.time() reads the clock (a_class() calls __init__())"),
        (chains.a_property, "time.time() reads the clock (a_property() calls age())"),
        (chains.a_class_method, "time.time() reads the clock (a_class_method() calls free(), which calls __init__())"),
        (
            chains.a_decorated_function,
            "time.time() reads the clock (a_decorated_function() calls stamp(), which calls ",
        ),
        (
            chains.a_field_that_is_filled,
            "datetime.datetime.now() reads the clock (a_field_that_is_filled() calls <lambda>())",
        ),
        (
            chains.a_function_that_is_cached,
            "hash() differs from one process to the next for text (a_function_that_is_cached() calls remembered())",
        ),
        (
            chains.a_function_that_is_handed_on,
            "hash() differs from one process to the next for text (a_function_that_is_handed_on() calls _by_chance())",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_behind_it_is_followed(function: Callable[..., object], chain: str) -> None:
    (only,) = told(function)
    assert only[2].startswith(chain)


def test_functions_within_the_function_are_followed_too() -> None:
    assert [code for _, _, code in told(chains.a_function_within)] == [
        "hash() differs from one process to the next for text (a_function_within() calls remembered())",
        "time.time() reads the clock (a_function_within() calls stamp(), which calls read_the_clock())",
    ]


@pytest.mark.parametrize("function", [chains.a_harmless_method, chains.an_installed_package])
def test_nothing_is_found_where_nothing_is(function: Callable[..., object]) -> None:
    assert told(function) == []


def test_a_partial_is_followed_to_its_function() -> None:
    assert [message for _, _, message in told(partial(chance.a_choice, ["alice"]))] == ["random.choice() is random"]


def test_what_is_not_written_in_python_is_passed_over() -> None:
    assert told(len) == []


def test_a_function_without_source_is_passed_over() -> None:
    typed: dict[str, Callable[[], float]] = {}
    exec("import time\ndef stamp(): return time.time()", typed)  # as at a prompt
    assert told(typed["stamp"]) == []


def test_a_long_chain_of_calls_is_read_quickly() -> None:
    (finding,) = determinism_findings(chains.a_long_chain, workflow="Refund", step=None)
    assert finding.code is Code.NONDETERMINISTIC_CLOCK


def test_what_is_nested_too_deep_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep.py").write_text(f"import time\n\ndef total(): return time.time() + {' + '.join(['1'] * 1000)}\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert told(importlib.import_module("deep").total) == []


def test_a_comment_without_a_reason_is_told_of_in_place_of_what_it_allows() -> None:
    (finding,) = determinism_findings(allowed.no_reason_is_given, workflow="Refund", step=None)
    assert (finding.code, finding.message, finding.remedy) == (
        Code.UNEXPLAINED_ALLOW,
        "nondeterministic-clock is allowed without a reason",
        "say why: # parley: allow nondeterministic-clock - <reason>",
    )
