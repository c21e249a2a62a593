"""`temporal parley schema`: what other languages and editors check messages and settings by."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from pydantic import JsonValue

from infra.cli.schema import CONFIG, known_models, schema_of
from tests.unit.cli.command import parley

ROOT = Path(__file__).parents[3]
WRITTEN = ROOT / "docs" / "schema"


def test_a_model_s_schema_is_printed() -> None:
    done = parley("schema", "Vote")
    assert (done.status, done.errors) == (0, "")
    assert json.loads(done.output) == schema_of(known_models()["Vote"])


HOST = {"id": "a", "kind": "human", "role": "host", "can": ["speak", "decide"]}


@pytest.mark.parametrize(
    ("name", "fits", "misfits"),
    [
        ("Turn", {"speaker": "alice", "text": "Hello", "id": "m-17"}, {"speaker": "alice", "txt": "Hello"}),
        ("Leave", {"speaker": "alice"}, {"speaker": "alice in wonderland"}),
        ("ConversationSetup", {"topic": "Lunch?", "participants": [HOST]}, {"topic": "Lunch?", "participants": []}),
    ],
)
def test_a_schema_tells_what_fits(name: str, fits: JsonValue, misfits: JsonValue) -> None:
    checker = jsonschema.Draft202012Validator(schema_of(known_models()[name]))
    assert checker.is_valid(fits)
    assert not checker.is_valid(misfits)


def test_the_settings_file_fits_its_schema() -> None:
    checker = jsonschema.Draft202012Validator(schema_of(known_models()[CONFIG]))
    settings = tomllib.loads((ROOT / "parley.toml").read_text())
    assert [error.message for error in checker.iter_errors(settings)] == []
    assert not checker.is_valid({"wroker": {}})


@pytest.mark.parametrize("name", known_models())
def test_every_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(known_models()[name]))


def test_all_of_them_are_printed_by_name() -> None:
    assert list(json.loads(parley("schema").output)) == list(known_models())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Vte", "there is no model 'Vte'; did you mean Vote?"),
        (
            "Decision",
            "there is no model 'Decision'; did you mean RunDecision or support.Decision or emergence.Decision?",
        ),
    ],
)
def test_an_unknown_name_is_told_of_in_one_line(name: str, told: str) -> None:
    done = parley("schema", name)
    assert (done.status, done.output, done.errors) == (2, "", f"parley: {told}\n")


def test_a_folder_that_can_t_be_made_is_told_of_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    done = parley("schema", "Vote", "--out", "taken/schema", cwd=tmp_path)
    assert (done.status, done.errors) == (2, "parley: taken/schema: Not a directory\n")


def test_the_documentation_has_all_of_them_as_they_are(tmp_path: Path) -> None:
    assert parley("schema", "--out", str(tmp_path)).status == 0
    made = {file.name: file.read_text() for file in tmp_path.iterdir()}
    there = {file.name: file.read_text() for file in WRITTEN.iterdir()}
    stale = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
    assert stale == [], f"rm -r docs/schema; temporal-parley schema --out {WRITTEN.relative_to(ROOT)}"
