"""`temporal parley config`: what is in force and where it comes from, and no secret."""

import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from infra.cli.config import masked
from tests.unit.cli.command import parley

FILE = """\
[worker]
task_queue = "mine"

[support]
database = "postgresql+psycopg://joe:hunter2@db/shop"
"""


def test_each_setting_is_printed_with_its_value_and_its_origin(tmp_path: Path) -> None:
    (tmp_path / "parley.toml").write_text(FILE)
    done = parley("config", cwd=tmp_path, through_temporal=True, environment={"PARLEY_WORKER__SANDBOX": "no"})
    assert (done.status, done.errors) == (0, "")
    rows = [line.split() for line in done.output.splitlines()]
    assert ["task_queue", '"mine"', "parley.toml:2"] in rows
    assert ["sandbox", "false", "PARLEY_WORKER__SANDBOX"] in rows
    assert ["timeout_minutes", "30.0", "default"] in rows
    assert ["[execution.transitions]"] in rows
    assert "hunter2" not in done.output


def test_programs_are_given_json(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text(FILE)
    done = parley("config", "--json", "--config", "other.toml", cwd=tmp_path)
    printed = json.loads(done.output)
    assert printed["worker.task_queue"] == {"value": "mine", "source": "file", "place": "other.toml:2"}
    assert printed["execution.default_mode"] == {"value": "adaptive", "source": "default", "place": None}
    assert printed["support.database"]["value"] == "postgresql+psycopg://joe:***@db/shop"


def test_whether_a_secret_is_set_is_all_that_is_told_of_it(tmp_path: Path) -> None:
    (tmp_path / "parley.toml").touch()
    secret = {"PARLEY_CODEC__TOKEN": "hunter2-hunter2-hunter2"}
    done = parley("config", "--json", cwd=tmp_path, environment=secret)
    printed = json.loads(done.output)
    assert printed["codec.token"] == {"value": "***", "source": "environment", "place": "PARLEY_CODEC__TOKEN"}
    assert printed["encryption.keys"] == {"value": None, "source": "default", "place": None}
    assert "hunter2" not in done.output


def test_settings_that_are_not_right_are_told_of_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "parley.toml").write_text("[execution.conversation]\nparticipant_limit = 0\n")
    done = parley("config", cwd=tmp_path)
    assert (done.status, done.output) == (2, "")
    assert done.errors == (
        "parley: parley.toml:2: [execution.conversation] participant_limit: Input should be greater than or equal to "
        "1; left out, it is 50\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("api_key", "sk-1", "***"),
        ("keys", ["k1", "k2"], ["***", "***"]),
        ("password", "", ""),
        ("headers", {"token": "t", "accept": "json"}, {"token": "***", "accept": "json"}),
        ("webhook", "https://joe:pw@example.com/a?b=c", "https://joe:***@example.com/a?b=c"),
        ("webhook", "https://token@example.com/", "https://***@example.com/"),
        ("webhook", "https://example.com/?a=b&access_token=t#x", "https://example.com/?a=b&access_token=***"),
        ("database", "sqlite:///var/business.db", "sqlite:///var/business.db"),
        ("monkey", 7, 7),
    ],
)
def test_what_is_secret_is_hidden(name: str, value: JsonValue, shown: JsonValue) -> None:
    assert masked(name, value) == shown
