"""Everything that is wrong with a plan is found before it runs, each thing with its place and what to do."""

from typing import Any

import pytest
from pydantic import JsonValue

from tests.flows.composition import (
    FLOWS,
    PREDICATES,
    SELECTORS,
    Describe,
    Double,
    Increment,
    Number,
    Text,
    is_large,
    parity,
)
from workflows.composition import CompositeRequest, call, choose, field, parallel, repeat, sequence, when
from workflows.composition.check import MAX_CONDITION_DEPTH, MAX_PATH, check
from workflows.composition.conditions import Condition, Named
from workflows.composition.plan import Plan
from workflows.composition.registry import Registry
from workflows.composition.workflow import Composite

REGISTRY = Registry()
REGISTRY.add(workflows=[*FLOWS, Composite], selectors=SELECTORS, predicates=PREDICATES)


def loop(body: JsonValue, until: JsonValue = "is_large") -> JsonValue:
    return {"kind": "loop", "body": body, "until": until, "most": 3}


def both(*branches: JsonValue, join: JsonValue = "all") -> JsonValue:
    return {"kind": "parallel", "branches": list(branches), "join": join}


def given(condition: JsonValue, then: JsonValue = "Double") -> JsonValue:
    return {"kind": "conditional", "when": condition, "then": then}


def compare(op: str, value: JsonValue, place: str = "n") -> JsonValue:
    return {"field": place, "op": op, "value": value}


def found(plan: Plan, request: object = Any) -> list[str]:
    return [finding.told for finding in check(plan, REGISTRY, request=request).findings]


def found_in(plan: JsonValue, request: object = Any) -> list[str]:
    return found(CompositeRequest.model_validate({"plan": plan}).plan, request)


GOOD: list[JsonValue] = [
    "Double",
    ["Increment", "Double", "Describe"],
    ["Increment", both("Double", "Square"), "Total"],
    ["Increment", both("Double", "Describe", join="any")],
    ["Increment", both("Double", "Square", join="first"), "Describe"],
    ["Increment", both("Double", given("is_large"), join={"kind": "n_of_m", "n": 1}), "Total"],
    ["UpTo", {"kind": "for_each", "body": ["Increment", "Double"]}, "Total"],
    ["Increment", {"kind": "dynamic", "selector": "parity", "among": ["Double", "Square"]}, "Double"],
    ["Increment", given(compare("gt", 3), ["Double", "Square"]), "Double"],
    ["Increment", loop(["Double", "Square"]), "Describe"],
    ["Describe", {"workflow": "Double", "take": {}, "input": {"n": 1}}],
    ["Increment", {"workflow": "Double", "input": {"n": 5}}],
    ["Increment", both("Double", "Describe"), {"workflow": "Double", "take": {"n": "0.n"}}],
    {"workflow": "Composite", "take": {"input": ""}, "input": {"plan": ["Double", "Square"]}},
    ["Increment", {"workflow": "Composite", "take": {"input": ""}, "input": {"plan": "Double"}},
     {"workflow": "Double", "take": {"n": "result.n"}}],
    "CountDown",
    ["NextSquare", "UpToHundred"],
]  # fmt: skip


@pytest.mark.parametrize("plan", GOOD)
def test_a_good_plan_has_no_findings(plan: JsonValue) -> None:
    assert found_in(plan) == []


TAKES = "say with 'take' which of its fields it needs [type-mismatch]"

BAD: list[tuple[JsonValue, list[str]]] = [
    ("Incremet", ["plan: there is no workflow 'Incremet'; did you mean 'Increment'? [unknown-workflow]"]),
    (
        ["Increment", {"kind": "dynamic", "selector": "party", "among": ["Double"]}],
        ["plan.steps.1: no selector is called 'party'; did you mean 'parity'? [unknown-selector]"],
    ),
    (
        given({"not": {"all": ["is_huge"]}}),
        ["plan.when: no predicate is called 'is_huge'; did you mean 'is_large'? [unknown-predicate]"],
    ),
    (
        ["Increment", "Describe", "Double"],
        [f"plan.steps.2: Double takes Number, but is given Text; {TAKES}"],
    ),
    (
        ["Increment", both("Double", "Describe"), "Total"],
        [f"plan.steps.2: Total takes list[Number], but is given tuple[Number, Text]; {TAKES}"],
    ),
    (
        ["Increment", both("Double", "Describe", join="any"), "Double"],
        [f"plan.steps.2: Double takes Number, but is given Union[Number, Text]; {TAKES}"],
    ),
    (
        ["Increment", given("is_large", "Describe"), "Double"],
        [f"plan.steps.2: Double takes Number, but is given Union[Text, Number]; {TAKES}"],
    ),
    (
        ["Increment", {"kind": "dynamic", "selector": "parity", "among": ["Double", "Total"]}],
        [f"plan.steps.1.among.1: Total takes list[Number], but is given Number; {TAKES}"],
    ),
    (
        ["Describe", {"kind": "dynamic", "selector": "parity", "among": ["Composite"]}],
        [
            "plan.steps.1: 'parity' accepts Number, but is given Text; use a function of what is there [type-mismatch]",
            f"plan.steps.1.among.0: Composite takes CompositeRequest, but is given Text; {TAKES}",
        ],
    ),
    (
        loop(["Double", "Describe"], compare("eq", "it is 8", "text")),
        [f"plan.body.steps.0: from the second round on, Double takes Number, but is given Text; {TAKES}"],
    ),
    (
        ["UpTo", {"kind": "for_each", "body": "Total"}],
        [f"plan.steps.1.body: Total takes list[Number], but is given Number; {TAKES}"],
    ),
    (
        ["Increment", {"kind": "for_each", "body": "Double"}],
        [
            "plan.steps.1: it goes through Number, which is no list; "
            "say with 'items' where in the value the list is [not-a-list]"
        ],
    ),
    (
        ["Increment", {"kind": "for_each", "items": "numbers", "body": "Double"}],
        ["plan.steps.1.items: Number has no 'numbers'; known are: n [unknown-field]"],
    ),
    (
        both("Double", "Square", join={"kind": "n_of_m", "n": 3}),
        ["plan.join: it waits for 3 branches of 2; ask for 2 at most [join-count]"],
    ),
    (
        both("Double", {"workflow": "Square", "name": "Double"}),
        ["plan: 2 of its branches are called 'Double'; give each a name of its own [duplicate-name]"],
    ),
    ([], ["plan: it has no steps; name a workflow [empty]"]),
    (both(), ["plan: it has no branches; name a workflow [empty]"]),
    (
        {"kind": "dynamic", "selector": "parity", "among": []},
        ["plan: there is nothing to choose among; name a workflow [empty]"],
    ),
    (
        ["Describe", {"workflow": "Double", "take": {"n": "txt"}}],
        ["plan.steps.1.take.n: Text has no 'txt'; did you mean 'text'? [unknown-field]"],
    ),
    (
        ["Describe", {"workflow": "Double", "take": {"n": "text"}}],
        ["plan.steps.1: Double takes int as 'n', not str; take it from another place [type-mismatch]"],
    ),
    (
        ["Increment", {"workflow": "Double", "take": {}}],
        ["plan.steps.1: Double needs 'n'; take it from the value, or give it as 'input' [missing-field]"],
    ),
    (
        ["Increment", {"workflow": "Double", "take": {}, "input": {"n": 1, "m": 2}}],
        ["plan.steps.1: Double takes no 'm'; known are: n [unknown-field]"],
    ),
    (
        ["Describe", {"workflow": "Double", "input": {"n": 1}}],
        [
            "plan.steps.1: Double takes no 'text'; "
            "say with 'take' which fields of the value it is given [unknown-field]"
        ],
    ),
    (
        {"workflow": "Double", "input": {"n": "many"}},
        [
            "plan.input.n: input: Input should be a valid integer, "
            "unable to parse string as an integer; give int [constant]"
        ],
    ),
    (
        {"workflow": "Double", "input": 7},
        ["plan.input: input: Input should be an object; give Number [constant]"],
    ),
    (
        ["UpTo", {"workflow": "Total", "take": {"n": "0.n"}}],
        [
            "plan.steps.1: Total takes list[Number], but is given an object; "
            "leave 'take' out, and give its input as it is [type-mismatch]"
        ],
    ),
    (
        ["Increment", given(compare("gt", "3"))],
        ["plan.steps.1.when: 'n' is a number, and is compared with a text; "
         "write the number without quotes [comparison]"],
    ),
    (
        ["Increment", given(compare("lt", None))],
        ["plan.steps.1.when: 'n lt None' has no order; compare with a number or a text [comparison]"],
    ),
    (
        ["Increment", given(compare("in", 3))],
        ["plan.steps.1.when: 'in' compares with a list; give the values as a list [comparison]"],
    ),
    (
        ["Increment", given({"any": [compare("gt", 3, "m"), "is_large"]})],
        ["plan.steps.1.when: Number has no 'm'; known are: n [unknown-field]"],
    ),
    (
        ["Describe", given("is_large", "Composite")],
        [
            "plan.steps.1.when: 'is_large' accepts Number, but is given Text; "
            "use a function of what is there [type-mismatch]",
            f"plan.steps.1.then: Composite takes CompositeRequest, but is given Text; {TAKES}",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("plan", "lines"), BAD)
def test_what_is_wrong_is_found_with_place_and_remedy(plan: JsonValue, lines: list[str]) -> None:
    assert found_in(plan) == lines


def test_everything_wrong_is_found_at_once() -> None:
    plan = ["Incremet", both("Double", "Double", join={"kind": "n_of_m", "n": 3}), [], given("is_huge")]
    assert len(found_in(plan)) == 5


def test_the_input_has_a_type_where_it_is_known() -> None:
    assert found_in("Double", Text) == [f"plan: Double takes Number, but is given Text; {TAKES}"]


def test_a_plan_of_classes_and_functions_needs_no_names() -> None:
    plan = call(Increment) >> choose(parity, Double) >> when(is_large, Describe)
    checked = check(plan, Registry())
    assert checked.findings == ()
    assert checked.result == Text | Number


def test_what_is_only_named_is_taken_on_trust_until_names_are_known() -> None:
    plan = call("Anything") >> choose("somehow", "Whatever") >> when("so", Double)
    assert check(plan, Registry(), all_known=False).findings == ()
    assert len(check(plan, Registry()).findings) == 4


def test_a_loop_in_a_loop_in_a_loop_takes_no_time_to_check() -> None:
    plan: Plan = call(Double)
    for _ in range(45):
        plan = repeat(plan, until=is_large, most=2)
    assert found(plan) == []


def test_a_plan_that_is_too_deep_has_that_one_finding() -> None:
    plan: Plan = call("Nowhere")
    for _ in range(60):
        plan = sequence(plan, name="a")
    assert found(plan) == [
        "plan: nested too deep: at most 50 plans inside each other are allowed; "
        "make workflows of its parts, and a plan of those [too-large]"
    ]


def test_a_path_that_makes_too_long_an_id_is_found() -> None:
    plan: Plan = call(Double)
    for _ in range(7):
        plan = parallel(sequence(plan, name="x" * 64))
    assert found(plan) == [
        f"{'plan' + '.branches.0.steps.0' * 6 + '.branches.0'}: the path that its id is made of has 455 characters, "
        f"at most {MAX_PATH} are allowed; use shorter names [long-path]"
    ]


def test_a_condition_that_is_nested_too_deep_is_found() -> None:
    condition: Condition = Named.of(is_large)
    for _ in range(10_000):
        condition = ~condition
    assert found(when(condition, Double)) == [
        f"plan.when: nested too deep: at most {MAX_CONDITION_DEPTH} conditions inside each other are allowed; "
        "make a predicate of it [too-large]"
    ]


@pytest.mark.parametrize(
    ("plan", "gives"),
    [
        (call(Double) >> Describe, Text),
        (parallel(Double, Describe), tuple[Number, Text]),
        (call(Double) >> when(field("n") > 1, Describe), Text | Number),
        (parallel(Double, when(is_large, Describe)), list[Number | Text]),
    ],
)
def test_what_a_plan_gives_has_a_type(plan: Plan, gives: object) -> None:
    assert check(plan, REGISTRY, request=Number).result == gives
