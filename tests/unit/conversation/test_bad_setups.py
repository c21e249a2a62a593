"""Whatever is wrong with a setup, it is refused at the start, with the name of the field: each setting is tried."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, get_args

import pytest
from pydantic import BaseModel, ValidationError

from signals.participants import Participant
from signals.wire import one_line
from workflows.conversation.adaptation import Action, Rule
from workflows.conversation.bounds import Budget, Constraints, Guests, Rung, Summaries
from workflows.conversation.coordination import COORDINATION
from workflows.conversation.emergence import EMERGENCE
from workflows.conversation.observations import OBSERVATIONS
from workflows.conversation.routing import ROUTING
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.strategies import Family

Json = dict[str, Any]

HOST: Final = {"id": "ann", "kind": "human", "role": "host", "can": ["speak", "decide", "moderate"]}
GUEST: Final = {"id": "ben", "kind": "human", "role": "guest"}
ROBOT: Final = {"id": "robot", "kind": "ai", "role": "assistant", "name": "R", "model": "local"}
EVE: Final = {"id": "eve", "kind": "human", "role": "lead", "name": "Eve", "can": ["speak"]}

COORDINATIONS: Final[list[Json]] = [
    {"kind": "turn_based"},
    {"kind": "free_form"},
    {"kind": "moderated"},
    {"kind": "addressed", "otherwise": "back"},
    {"kind": "rules", "rules": {"host": ["guest"], "guest": ["assistant"], "assistant": ["host"]}, "first": "host"},
    {"kind": "bidding", "weights": {"ann": 2.0}, "words": {"guest": ["refund"]}, "waiting": 1, "named": 1, "eager": 1}
    | {"word": 1},
    {"kind": "ai_selected", "question": "Who?", "model": "local", "attempts": 2},
]

ROUTINGS: Final[list[Json]] = [
    {"kind": "broadcast"},
    {"kind": "addressed"},
    {"kind": "by_role", "hears": {"guest": ["host"]}},
    {"kind": "by_topic", "subscriptions": {"ann": ["delivery"]}},
]

CONDITIONS: Final[list[Json]] = [
    {"kind": "decision", "roles": ["host"]},
    {"kind": "consensus", "of": "people"},
    {"kind": "quorum", "count": 1, "of": "people", "roles": ["guest"], "refusals": 1},
    {"kind": "quorum", "share": 0.5},
    {"kind": "turns", "count": 5},
    {"kind": "silence", "seconds": 5},
    {"kind": "deadline", "seconds": 5},
    {"kind": "fact", "name": "price", "equals": 1},
    {"kind": "everyone_left", "role": "guest"},
    {"kind": "judge", "question": "So?", "every": 5, "model": "local"},
    {"kind": "all", "of": [{"kind": "turns", "count": 5}]},
    {"kind": "any", "of": [{"kind": "turns", "count": 5}]},
]

OBSERVED: Final[list[Json]] = [
    {"kind": "stalled", "seconds": 5},
    {"kind": "stalled", "turns": 5},
    {"kind": "dominates", "share": 0.5, "turns": 5},
    {"kind": "silent", "turns": 5, "roles": ["guest"]},
    {"kind": "circling", "turns": 5, "similarity": 0.5},
    {"kind": "disagreement", "votes": 1, "proposals": 4},
    {"kind": "budget", "share": 0.5},
]

ACTIONS: Final[list[Json]] = [
    {"do": "switch_coordination", "to": {"kind": "free_form"}},
    {"do": "nudge", "text": "Well?"},
    {"do": "add_participant", "participant": EVE},
    {"do": "drop_participant", "id": "ben"},
    {"do": "call_vote"},
    {"do": "summarise", "model": "local"},
    {"do": "ask_for_switch", "to": "workflow"},
]

RUNGS: Final[list[Json]] = [
    {"do": "remind", "after_seconds": 5},
    {"do": "bring_in", "after_seconds": 5, "role": "guest"},
    {"do": "bring_in", "after_seconds": 5, "participant": EVE},
    {"do": "give_up", "after_seconds": 5, "outcome": 1},
]


class Setting(NamedTuple):
    """Settings in their place in a setup."""

    place: str
    model: type[BaseModel]
    given: Json

    @property
    def name(self) -> str:
        return ".".join([self.place, *(str(self.given[tag]) for tag in ("kind", "do") if tag in self.given)])

    def in_setup(self, given: object) -> Json:
        """A setup with other settings in the place of these."""
        placed = given
        for part in reversed(self.place.split(".")):
            placed = [placed] if part.isdigit() else {**AROUND.get(part, {}), part: placed}
        assert isinstance(placed, dict)
        others = [*placed.pop("participants", []), HOST, GUEST, ROBOT][:3]
        return {"topic": "Lunch", "participants": others, "constraints": {"budget": {"tokens": 5}}, **placed}


AROUND: Final[dict[str, Json]] = {
    "when": {"then": {"do": "nudge"}},
    "then": {"when": {"kind": "dominates"}},
    "to": {"do": "switch_coordination"},
}
"""What has to stand beside a field."""


def _of_family(place: str, family: Family[Any], all_given: list[Json]) -> list[Setting]:
    return [Setting(place, type(family.parse(given)), given) for given in all_given]


def _of_union(place: str, union: object, tag: str, all_given: list[Json]) -> list[Setting]:
    models = {model.model_fields[tag].default: model for model in get_args(get_args(union)[0])}
    return [Setting(place, models[given[tag]], given) for given in all_given]


SETTINGS: Final = [
    *_of_family("coordination", COORDINATION, COORDINATIONS),
    *_of_family("adaptation.0.then.to", COORDINATION, COORDINATIONS),
    *_of_family("routing", ROUTING, ROUTINGS),
    *_of_family("emergence.0", EMERGENCE, CONDITIONS),
    *_of_family("emergence.0.of.0", EMERGENCE, CONDITIONS),
    *_of_family("adaptation.0.when", OBSERVATIONS, OBSERVED),
    *_of_union("adaptation.0.then", Action, "do", ACTIONS),
    *_of_union("constraints.ladder.0", Rung, "do", RUNGS),
    Setting("adaptation.0", Rule, {"when": OBSERVED[0], "then": ACTIONS[1], "most": 1, "pause": 1}),
    Setting("constraints.budget", Budget, {"tokens": 5, "cost": 0.5, "at_exhaustion": "ask"}),
    Setting("constraints", Constraints, {"timeout_seconds": 5, "max_turns": 5, "participant_limit": 5, "ai_row": 5}),
    Setting("guests", Guests, {"kinds": ["human"], "can": ["speak"]}),
    Setting("summary", Summaries, {"every": 10, "model": "local"}),
    Setting("participants.0", Participant, ROBOT),
]
AROUND["of"] = {"kind": "any"}


def told(setup: Json) -> str:
    """What a setup is told, as JSON brings it; nothing where it fits."""
    try:
        ConversationSetup.model_validate_json(json.dumps(setup))
    except ValidationError as error:
        # The models of a union are told apart by a tag, which pydantic puts between the fields' names.
        return re.sub(rf"\.({'|'.join(one['do'] for one in (*ACTIONS, *RUNGS))})\b", "", one_line(error))
    return ""


def fields(setting: Setting) -> Iterator[tuple[str, Json]]:
    """The fields of a model, with the JSON Schema of each, in which nothing is referred to."""
    schema = setting.model.model_json_schema()
    definitions = schema.get("$defs", {})
    for name, field in _resolved(schema, definitions)["properties"].items():
        yield name, _resolved(field, definitions)


def _resolved(schema: Json, definitions: Json) -> Json:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[1]]
    return {**schema, "anyOf": [_resolved(branch, definitions) for branch in schema.get("anyOf", [])]}


def misfits(schema: Json) -> Iterator[object]:
    """Values that a JSON Schema doesn't allow: just beyond what it does, and far from it."""
    for branch in schema["anyOf"]:
        yield from misfits(branch) if branch.get("type") != "null" else ()
    bounds: dict[str, Callable[[Any], object]] = {
        "minimum": lambda least: least - 1,
        "exclusiveMinimum": lambda least: least,
        "maximum": lambda most: most + 1,
        "minLength": lambda least: "x" * (least - 1),
        "maxLength": lambda most: "x" * (most + 1),
        "pattern": lambda _: "a\nb",
        "minItems": lambda _: [],
        "minProperties": lambda _: {},
        "enum": lambda _: "nonsense",
    }
    yield from (beyond(schema[bound]) for bound, beyond in bounds.items() if bound in schema)
    yield from OF_OTHER_TYPES.get(schema.get("type", ""), ())


OF_OTHER_TYPES: Final[dict[str, tuple[object, ...]]] = {
    "integer": ("many", [1], 1.5, float("nan"), float("inf")),
    "number": ("much", [1], float("nan"), float("inf")),
    "string": (7, ["x"]),
    "array": ("nonsense", 7),
    "object": ("nonsense", [1]),
    "boolean": ("perhaps", 7),
}


def test_every_strategy_condition_observation_action_and_rung_is_tried() -> None:
    tried = {setting.model for setting in SETTINGS}
    families: tuple[Family[Any], ...] = (COORDINATION, ROUTING, EMERGENCE, OBSERVATIONS)
    assert tried >= {
        one for family in families for one in family.known if one.__module__.startswith("workflows.conversation.")
    }
    assert tried >= {*get_args(get_args(Action)[0]), *get_args(get_args(Rung)[0])}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_settings_that_fit_are_taken_and_what_is_out_of_range_is_refused_with_its_name(setting: Setting) -> None:
    assert told(setting.in_setup(setting.given)) == ""
    for name, schema in fields(setting):
        for value in misfits(schema):
            refused = told(setting.in_setup({**setting.given, name: value}))
            assert refused.startswith(setting.place), f"{name} = {value!r:.50}"
            assert name in re.findall(r"\w+", refused), f"{name} = {value!r:.50}"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_that_there_is_not_is_refused_with_its_name(setting: Setting) -> None:
    assert "pace: Extra inputs are not permitted" in told(setting.in_setup({**setting.given, "pace": 1}))


def strangers(value: object) -> Iterator[object]:
    """The same settings, each time with one name in them of somebody who doesn't take part."""
    match value:
        case str() if value in NAMED:
            yield "nobody"
        case list():
            for index, part in enumerate(value):
                yield from ([*value[:index], other, *value[index + 1 :]] for other in strangers(part))
        case dict():
            for key, part in value.items():
                rest = {other: one for other, one in value.items() if other != key}
                yield from ({other: part, **rest} for other in strangers(key))
                yield from ({**value, key: other} for other in strangers(part))


NAMED: Final = {"ann", "ben", "robot", "host", "guest", "assistant"}


@pytest.mark.parametrize("setting", SETTINGS[:-1], ids=lambda setting: setting.name)
def test_who_does_not_take_part_is_not_named_in_any_setting(setting: Setting) -> None:
    for name, value in setting.given.items():
        for other in strangers(value):
            refused = told(setting.in_setup({**setting.given, name: other})).removeprefix("input: ")
            assert refused.startswith(f"{setting.place}.{name}"), f"{name} = {other!r}"


def test_names_are_tried_in_all_settings_that_have_some() -> None:
    having = {f"{one.name}.{name}" for one in SETTINGS for name, value in one.given.items() if [*strangers(value)]}
    assert {name for name in having if not name.startswith("adaptation.0.then.to")} == {
        "adaptation.0.then.drop_participant.id",
        "adaptation.0.when.silent.roles",
        "constraints.ladder.0.bring_in.role",
        "coordination.bidding.weights",
        "coordination.bidding.words",
        "coordination.rules.first",
        "coordination.rules.rules",
        "emergence.0.decision.roles",
        "emergence.0.everyone_left.role",
        "emergence.0.of.0.decision.roles",
        "emergence.0.of.0.everyone_left.role",
        "emergence.0.of.0.quorum.roles",
        "emergence.0.quorum.roles",
        "participants.0.ai.id",
        "participants.0.ai.role",
        "routing.by_role.hears",
        "routing.by_topic.subscriptions",
    }


MUTE: Final = {"id": "mia", "kind": "human", "role": "clerk", "can": []}
TALKER: Final = {"id": "tom", "kind": "human", "role": "talker"}


def ladder(*rungs: Json) -> Json:
    return {"constraints": {"ladder": rungs}}


def rule(when: Json, then: Json) -> Json:
    return {"adaptation": [{"when": when, "then": then}]}


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        # Nobody is able to
        ({"participants": [MUTE], "guests": None}, "participants: nobody may speak"),
        (
            {"participants": [{**ROBOT, "speaks": "addressed"}], "guests": None},
            "participants: nobody speaks first; each waits to be addressed or asked",
        ),
        ({"participants": [TALKER, {**ROBOT, "speaks": "asked"}]}, "participants.1.speaks: nobody may ask"),
        ({"participants": [TALKER], "coordination": {"kind": "moderated"}}, "coordination.kind: nobody may grant"),
        ({"participants": [TALKER], "emergence": [{"kind": "decision"}]}, "emergence.0.kind: nobody may decide"),
        ({"participants": [ROBOT], "emergence": [{"kind": "consensus"}]}, "emergence.0.of: nobody of these may vote"),
        (
            {"participants": [ROBOT], "emergence": [{"kind": "quorum", "count": 1}]},
            "emergence.0.of: nobody of these may vote",
        ),
        (
            {"participants": [TALKER], "constraints": {"budget": {"tokens": 1, "at_exhaustion": "ask"}}},
            "constraints.budget.at_exhaustion: 'ask' needs a person to ask",
        ),
        # Rules that lead nowhere
        (
            {"participants": [HOST, MUTE], "coordination": {"kind": "rules", "rules": {"host": ["clerk"]}}},
            "coordination.rules.host: it leads nowhere: nobody of the role 'clerk' may speak",
        ),
        ({"coordination": {"kind": "rules", "rules": {"host": []}}}, "coordination.rules.host: it leads nowhere"),
        (
            {"coordination": {"kind": "rules", "rules": {"host": ["guest"]}}},
            "coordination.rules: nothing follows the role 'assistant'",
        ),
        (
            {"participants": [HOST, MUTE], **ladder({"do": "bring_in", "after_seconds": 1, "role": "clerk"})},
            "constraints.ladder.0.role: nobody of the role 'clerk' may speak",
        ),
        (
            ladder({"do": "bring_in", "after_seconds": 1, "participant": MUTE}),
            "constraints.ladder.0.participant.can: who is to answer needs the permission 'speak'",
        ),
        (
            ladder({"do": "bring_in", "after_seconds": 1, "participant": {**TALKER, "id": "ben"}}),
            "constraints.ladder.0.participant.id: 'ben' is somebody else",
        ),
        (ladder(RUNGS[3], {**RUNGS[0], "after_seconds": 9}), "constraints: ladder: nothing comes after 'give_up'"),
        (ladder(RUNGS[0], {**RUNGS[0], "after_seconds": 1}), "constraints: ladder: give its rungs in the order"),
        (
            {"outcome": {"type": "string"}, **ladder(RUNGS[3])},
            "constraints.ladder.0.outcome: outcome: 1 is not of type",
        ),
        (
            rule(OBSERVED[2], {"do": "add_participant", "participant": {**EVE, "id": "ben"}}),
            "adaptation.0.then.participant.id: 'ben' is somebody else",
        ),
        (rule(OBSERVED[0], {"do": "drop_participant"}), "adaptation.0.then.id: 'stalled' names nobody"),
        # What can never be
        ({"emergence": [{"kind": "quorum", "count": 3}]}, "emergence.0.count: 3 are more than the 2 who may vote"),
        (
            {"emergence": [{"kind": "quorum", "count": 1, "refusals": 3}]},
            "emergence.0.refusals: 3 are more than the 2 who may vote",
        ),
        ({"emergence": [{"kind": "quorum"}]}, "emergence.0: give either 'count' or 'share'"),
        ({"window": 10, "summary": {"every": 11}}, "summary.every: 11 messages are more than window (10) keeps"),
        (
            {"window": 10, **rule({"kind": "circling", "turns": 10}, {"do": "nudge"})},
            "adaptation.0.when.turns: 10 turns and what they repeat are more than window (10) keeps",
        ),
        (
            {"window": 10, **rule({"kind": "dominates", "turns": 21}, {"do": "nudge"})},
            "adaptation.0.when.turns: half of 21 turns are more than window (10) keeps",
        ),
        (
            {
                "constraints": {"participant_limit": 5},
                **rule({"kind": "disagreement", "votes": 3}, {"do": "nudge"}),
            },
            "adaptation.0.when.votes: 3 for and 3 against are more than may be here (5)",
        ),
        (rule({"kind": "budget", "share": 0.3}, {"do": "nudge"}), "adaptation.0.when.kind: there is no budget"),
        (rule({"kind": "stalled"}, {"do": "nudge"}), "adaptation.0.when: give either 'seconds' or 'turns'"),
        ({"constraints": {"budget": {}}}, "constraints.budget: give 'tokens', 'cost' or both"),
    ],
)
def test_a_setup_that_can_come_to_nothing_is_refused_with_the_name_of_the_field(options: Json, fault: str) -> None:
    given = {"topic": "Lunch", "participants": [HOST, GUEST, ROBOT], "emergence": [{"kind": "turns", "count": 5}]}
    assert told({**given, **options}).removeprefix("input: ").startswith(fault)


@pytest.mark.parametrize(
    "options",
    [
        {"participants": [{**ROBOT, "speaks": "addressed"}]},
        {"window": 5},
        ladder({"do": "bring_in", "after_seconds": 1, "participant": EVE}, {**RUNGS[1], "role": "lead"}),
        {
            **rule(OBSERVED[0], {"do": "add_participant", "participant": EVE}),
            "emergence": [{"kind": "everyone_left", "role": "lead"}],
        },
    ],
    ids=["guests may speak first", "a window too small for a default rule", "brought in before", "added by a rule"],
)
def test_what_may_yet_come_to_something_is_taken(options: Json) -> None:
    given = {"topic": "Lunch", "participants": [HOST, GUEST, ROBOT], "emergence": [{"kind": "turns", "count": 5}]}
    assert told({**given, **options}) == ""
