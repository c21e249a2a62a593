import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from activities.scripts import Chosen, Spoken
from infra.config import Config, load_config
from infra.errors import SetupError

PROJECT_FILE = Path(__file__).parents[3] / "parley.toml"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("PARLEY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "parley.toml"


def refusal(path: Path | None = None) -> str:
    with pytest.raises(SetupError) as error:
        load_config(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_without_a_file_the_defaults_hold(here: Path) -> None:
    config = load_config()
    assert config.execution.hybrid.conversation_threshold == 0.7
    assert config.worker.task_queue == "parley"
    assert config.worker.sandbox
    assert config.support.database == "sqlite:///var/business.db"


def test_the_project_s_own_file_says_what_the_defaults_are(here: Path) -> None:
    assert load_config(PROJECT_FILE) == load_config()


def test_every_key_stands_in_the_project_s_file(here: Path) -> None:
    uncommented = re.sub(r"^# (?=\w+ = )", "", PROJECT_FILE.read_text(), flags=re.MULTILINE)
    assert keys(tomllib.loads(uncommented)) == keys(Config().model_dump())


def keys(table: Mapping[str, object]) -> dict[str, object]:
    return {key: keys(value) if isinstance(value, dict) else None for key, value in table.items()}


def test_the_file_here_is_read(here: Path) -> None:
    here.write_text('[worker]\ntask_queue = "mine"\n')
    assert load_config().worker.task_queue == "mine"


def test_the_file_that_the_environment_names_is_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = here.with_name("other.toml")
    other.write_text('[worker]\ntask_queue = "other"\n')
    monkeypatch.setenv("PARLEY_CONFIG", str(other))
    assert load_config().worker.task_queue == "other"


def test_the_environment_wins_over_the_file_key_by_key(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here.write_text('[worker]\ntask_queue = "mine"\nsandbox = true\n')
    monkeypatch.setenv("PARLEY_WORKER__SANDBOX", "false")
    monkeypatch.setenv("PARLEY_EXECUTION__HYBRID__CONVERSATION_THRESHOLD", "0.5")
    config = load_config()
    assert (config.worker.task_queue, config.worker.sandbox) == ("mine", False)
    assert config.execution.hybrid.conversation_threshold == 0.5


def test_an_unknown_key_is_refused_with_its_place_and_the_known_ones(here: Path) -> None:
    here.write_text("[execution.hybrid]\nthreshold = 0.5\n")
    assert refusal() == (
        "parley.toml:2: [execution.hybrid] threshold: unknown key; remove it, or use one of "
        "auto_switch, conversation_threshold, prefer_workflow"
    )


def test_an_unknown_table_is_refused_with_the_known_ones(here: Path) -> None:
    here.write_text("[worked]\nsandbox = true\n")
    known = ", ".join(sorted(Config.model_fields))
    assert refusal() == f"parley.toml:1: worked: unknown key; remove it, or use one of {known}"


def test_a_wrong_type_is_refused_with_its_place(here: Path) -> None:
    here.write_text('[worker]\nmax_cached_workflows = "many"\n')
    assert refusal().startswith("parley.toml:2: [worker] max_cached_workflows: Input should be a valid integer")


def test_a_value_out_of_bounds_is_refused_with_its_place_and_the_default(here: Path) -> None:
    here.write_text("[execution.hybrid]\nconversation_threshold = 1.5\n")
    assert refusal() == (
        "parley.toml:2: [execution.hybrid] conversation_threshold: Input should be less than or equal to 1; "
        "left out, it is 0.7"
    )


def test_all_that_is_wrong_is_said_at_once(here: Path) -> None:
    here.write_text("[worker]\nsandbox = 7\nthreads = 3\n")
    assert "sandbox" in refusal()
    assert "threads" in refusal()


def test_a_wrong_value_in_the_environment_names_the_variable(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_WORKER__SANDBOX", "perhaps")
    assert refusal().startswith("PARLEY_WORKER__SANDBOX: Input should be a valid boolean")


@pytest.mark.parametrize("name", ["PARLEY_WORKER__SANDBOXED", "PARLEY_WROKER__SANDBOX", "PARLEY_SANDBOX"])
def test_an_unknown_variable_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "false")
    assert refusal().startswith(f"{name}: unknown ")


def test_a_table_in_the_environment_that_is_not_json_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_WORKER", "no")
    assert 'field "worker"' in refusal()


@pytest.mark.parametrize(("table", "key"), [("encryption", "keys"), ("codec", "token")])
def test_a_secret_is_refused_in_the_file_and_not_shown(here: Path, table: str, key: str) -> None:
    here.write_text(f'[{table}]\n{key} = "sesame, open yourself"\n')
    variable = f"PARLEY_{table}__{key}".upper()
    assert refusal() == f"parley.toml: [{table}] {key}: secrets are no part of the file; set {variable}"


def test_a_secret_is_taken_from_the_environment(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_CODEC__TOKEN", "sesame, open yourself")
    token = load_config().codec.token
    assert token is not None
    assert token.get_secret_value() == "sesame, open yourself"


def test_what_is_not_toml_is_refused_with_its_line(here: Path) -> None:
    here.write_text("[worker]\nsandbox: no\n")
    assert re.match(r"parley.toml: .*line 2", refusal())


def test_a_missing_file_is_refused_where_it_was_asked_for(here: Path) -> None:
    assert refusal(here.with_name("none.toml")).endswith("none.toml: No such file or directory")


# Scripts


def test_scripts_are_read_from_the_file_and_from_json_in_the_environment(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.write_text(
        '[assistant.scripts]\ncalm = ["Yes.", { invoke = "OrderStatus", arguments = { order_id = "A-1" } }]\n'
    )
    calm = ("Yes.", Spoken(invoke="OrderStatus", arguments={"order_id": "A-1"}))
    assert load_config().assistant.scripts == {"calm": calm}
    monkeypatch.setenv("PARLEY_ASSISTANT__SCRIPTS", '{"wise": [{"choose": "ann"}, {"propose": null}]}')
    assert load_config().assistant.scripts == {"wise": (Chosen(choose="ann"), Spoken(propose=None)), "calm": calm}


def test_a_line_that_can_not_be_said_is_refused_with_its_place(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here.write_text('[assistant.scripts]\ncalm = ["Yes.", { says = "No." }]\n')
    assert refusal() == "parley.toml:2: [assistant.scripts.calm.1.reply] says: unknown key; remove it"
    here.write_text("[assistant.scripts]\ncalm = []\n")
    assert refusal() == "parley.toml:2: [assistant.scripts] calm: a script has a line at least"
    here.unlink()
    monkeypatch.setenv("PARLEY_ASSISTANT__SCRIPTS", '{"wise": [{"choose": 7}]}')
    assert refusal() == ("PARLEY_ASSISTANT__SCRIPTS: wise.0.choose.choose: Input should be a valid string")


# Addresses and task queues


@pytest.mark.parametrize("address", ["8080", "localhost:8080", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:-1"])
def test_what_is_no_address_is_refused_with_an_example(here: Path, address: str) -> None:
    here.write_text(f'[worker]\nhealth = "{address}"\n')
    assert refusal().startswith("parley.toml:2: [worker] health: an address is an IP address and a port")


@pytest.mark.parametrize("address", ["127.0.0.1:8080", "0.0.0.0:0", "[::1]:8080"])
def test_an_ip_address_and_a_port_are_an_address(here: Path, address: str) -> None:
    here.write_text(f'[telemetry]\nprometheus = "{address}"\n')
    assert load_config().telemetry.prometheus == address


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ("[worker.ai]\nmax_concurrent = 5", "limits of their own need a task_queue of their own"),
        ('[worker.ai]\ntask_queue = "parley"', "two task queues have the same name"),
        ('[worker.ai]\ntask_queue = "x"\n[worker.business]\ntask_queue = "x"', "two task queues have the same name"),
        ('[worker]\nserves = ["workflows", "ai"]', "who serves only one of ai and business needs a task_queue for it"),
    ],
)
def test_task_queues_that_would_get_in_each_other_s_way_are_refused(here: Path, tables: str, reason: str) -> None:
    here.write_text(tables)
    assert reason in refusal()


# What can't hold together


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[execution.conversation]\ndefault_coordination = "rules"\n',
            "parley.toml:2: [execution.conversation] default_coordination: 'rules' needs settings of its own; choose "
            "one of turn_based, free_form, moderated, addressed, bidding, ai_selected",
        ),
        (
            '[execution.conversation]\ndefault_coordination = "chaos"\n',
            "parley.toml:2: [execution.conversation] default_coordination: 'chaos' isn't known; choose one of "
            "turn_based, free_form, moderated, addressed, bidding, ai_selected",
        ),
        (
            "[execution.conversation]\ntimeout_minutes = 0.1\n",
            "parley.toml: [execution.transitions] transition_timeout_seconds: a change of mode may take longer than a "
            "conversation lasts (0.1 min); make it less",
        ),
        (
            '[execution]\ndefault_mode = "workflow"\nhybrid.prefer_workflow = false\n',
            "parley.toml:3: [execution.hybrid] prefer_workflow: conversations are preferred, but default_mode is "
            '"workflow"; choose "adaptive", or prefer_workflow = true',
        ),
    ],
)
def test_a_contradiction_is_refused_with_its_place_and_a_way_out(here: Path, text: str, told: str) -> None:
    here.write_text(text)
    assert refusal() == told


def test_a_way_of_taking_turns_that_an_extension_may_add_is_left_to_the_worker(here: Path) -> None:
    here.write_text('[execution.conversation]\ndefault_coordination = "lottery"\n[worker]\nextensions = ["mine"]\n')
    assert load_config().execution.conversation.default_coordination == "lottery"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("default_mode", '"chaos"', "'workflow', 'conversation', 'hybrid' or 'adaptive'; left out, it is \"adaptive\""),
        ("workflow.validation_level", '"none"', "'strict', 'standard' or 'lenient'; left out, it is \"strict\""),
        ("workflow.optimization", '"perhaps"', "valid boolean, unable to interpret input; left out, it is true"),
        ("workflow.checkpointing", "2", "valid boolean, unable to interpret input; left out, it is true"),
        (
            "conversation.default_coordination",
            '""',
            '[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$\'; left out, it is "turn_based"',
        ),
        ("conversation.participant_limit", "0", "greater than or equal to 1; left out, it is 50"),
        ("conversation.participant_limit", "201", "less than or equal to 200; left out, it is 50"),
        ("conversation.timeout_minutes", "0", "greater than 0; left out, it is 30"),
        ("conversation.timeout_minutes", "nan", "less than or equal to 5256000; left out, it is 30"),
        ("hybrid.prefer_workflow", "[]", "valid boolean; left out, it is true"),
        ("hybrid.conversation_threshold", "1.5", "less than or equal to 1; left out, it is 0.7"),
        ("hybrid.auto_switch", '"never"', "valid boolean, unable to interpret input; left out, it is true"),
        ("transitions.preserve_state", "{}", "valid boolean; left out, it is true"),
        ("transitions.transition_timeout_seconds", "0", "greater than 0; left out, it is 10"),
        (
            "transitions.fallback_mode",
            '"adaptive"',
            "'workflow', 'conversation' or 'hybrid'; left out, it is \"conversation\"",
        ),
    ],
)
def test_each_key_of_execution_takes_only_what_makes_sense(here: Path, key: str, value: str, reason: str) -> None:
    here.write_text(f"[execution]\n{key} = {value}\n")
    table, _, name = f"execution.{key}".rpartition(".")
    told = refusal()
    assert told.startswith(f"parley.toml:2: [{table}] {name}: Input should be ") or "String should match" in told
    assert told.endswith(reason)
