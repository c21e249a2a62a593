"""`temporal parley check`: what a developer sees of their mistakes, and what a program does."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.command import parley

HEAD = """\
from temporalio import workflow

from signals.wire import Wire
from workflows.compiled import compiled, step


class Parcel(Wire):
    weight: int


"""

MISTAKEN = f"""\
import time
{HEAD}
def stamp() -> float:
    return time.time()


@compiled
class Ship:
    @step
    async def label(self, request: Parcel) -> str:
        return f"{{stamp()}}"

    @step(result=True)
    def sent(
        self,
        label: int,
    ) -> bool:
        return bool(label)
"""

IDLE = f"""\
{HEAD}
@compiled
class Ship:
    @step
    def label(self, request: Parcel) -> str:
        return "to Rome"

    @step(result=True)
    def sent(self, request: Parcel) -> bool:
        return True
"""

COMPOSED = f"""\
{HEAD}
@compiled
class Ship:
    @step(result=True)
    def sent(self, request: Parcel) -> bool:
        return True


from workflows.composition import call, composite


@composite
class Both:
    plan = call(Ship) >> call(Ship)
"""

NAMING = """\
from signals.support import PasswordResetRequest
from workflows.composition import call, composite


@composite
class Both:
    request = PasswordResetRequest
    result = object
    plan = call("{name}")
"""

CHOOSING = """\
from signals.support import PasswordResetRequest
from workflows.composition import choose, composite
from workflows.extensions import Extension
from workflows.support.password_reset import PasswordReset


def cheapest(request: PasswordResetRequest) -> str:
    return "PasswordReset"


@composite
class Either:
    plan = choose("cheapest", PasswordReset)


EXTENSION = Extension(workflows=(Either,), selectors=(cheapest,))
"""

BY_HAND = f"""\
import uuid
{HEAD}
@workflow.defn
class Ship:
    @workflow.run
    async def run(self, parcel: Parcel) -> str:
        return self._number()

    def _number(self) -> str:
        return uuid.uuid4().hex
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mistaken.py").write_text(MISTAKEN)
    (tmp_path / "idle.py").write_text(IDLE)
    (tmp_path / "by_hand.py").write_text(BY_HAND)
    return tmp_path


def test_nothing_is_wrong_with_the_project_s_workflows() -> None:
    done = parley("check")
    assert (done.status, done.errors) == (0, "")
    assert done.output.endswith("workflows checked: nothing wrong\n")


def test_the_temporal_command_line_runs_it() -> None:
    done = parley("check", "workflows.support.refund", through_temporal=True)
    assert (done.status, done.output) == (0, "1 workflow checked: nothing wrong\n")


def test_each_finding_shows_the_line_what_in_it_is_meant_and_the_remedy(folder: Path) -> None:
    done = parley("check", "mistaken", cwd=folder)
    assert done.status == 2
    assert done.output == (
        "error[type-mismatch] Ship.sent parameter 'label': it accepts int, but step 'label' gives str\n"
        "  --> mistaken.py:26\n"
        "26 |         label: int,\n"
        "   |         ^^^^^\n"
        "   = change one of the two annotations\n"
        "\n"
        "error[nondeterministic-clock] Ship.label: time.time() reads the clock (step 'label' calls stamp())\n"
        "  --> mistaken.py:14\n"
        "14 |     return time.time()\n"
        "   |            ^^^^^^^^^\n"
        "   = use workflow.now(), or workflow.time() for seconds\n"
        "\n"
        "1 workflow checked: 2 errors\n"
    )


@pytest.mark.parametrize("name", ["mistaken.py", "./mistaken.py", "{folder}/mistaken.py"])
def test_a_module_may_be_named_by_its_file(folder: Path, name: str) -> None:
    assert (
        parley("check", name.format(folder=folder), cwd=folder).output == parley("check", "mistaken", cwd=folder).output
    )


def test_a_file_elsewhere_is_found_too(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = parley("check", str(folder / "mistaken.py"), cwd=tmp_path_factory.mktemp("elsewhere"))
    assert f"--> {folder}/mistaken.py:26" in done.output


def test_a_package_is_checked_with_all_that_is_in_it(folder: Path) -> None:
    package = folder / "flows"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "mistaken.py").write_text(MISTAKEN)
    (package / "idle.py").write_text(IDLE.replace("Ship", "Idle"))
    done = parley("check", "flows", cwd=folder)
    assert (done.status, done.output.splitlines()[-1]) == (2, "2 workflows checked: 2 errors, 1 warning")


@pytest.mark.parametrize(("options", "status"), [((), 0), (("--strict",), 1)])
def test_warnings_alone_are_no_failure_unless_one_asks_for_it(
    folder: Path, options: tuple[str, ...], status: int
) -> None:
    done = parley("check", "idle", *options, cwd=folder)
    assert done.status == status
    assert done.output == (
        "warning[unused-step] Ship.label: nothing uses what it returns, so it is not run\n"
        "  --> idle.py:15\n"
        "15 |     def label(self, request: Parcel) -> str:\n"
        "   |         ^^^^^\n"
        "   = use its result, or let it return None if it is there for its effect\n"
        "\n"
        "1 workflow checked: 1 warning\n"
    )


def test_a_workflow_written_by_hand_is_held_to_determinism(folder: Path) -> None:
    done = parley("check", "by_hand", cwd=folder)
    assert done.status == 2
    assert done.output.startswith(
        "error[nondeterministic-random] Ship: uuid.uuid4() is another one each time (run() calls _number())\n"
        "  --> by_hand.py:20\n"
    )


def test_a_composite_whose_types_don_t_meet_is_found(folder: Path) -> None:
    (folder / "composed.py").write_text(COMPOSED)
    done = parley("check", "composed", cwd=folder)
    assert done.status == 2
    assert done.output.startswith("error[type-mismatch] Both plan")
    assert (
        "  --> composed.py:24\n"
        "24 |     plan = call(Ship) >> call(Ship)\n"
        "   |     ^^^^\n"
    ) in done.output  # fmt: skip


@pytest.mark.parametrize(("name", "told"), [("PasswordReset", []), ("PaswordReset", ["unknown-workflow"])])
def test_workflows_that_a_plan_names_must_be_there(folder: Path, name: str, told: list[str]) -> None:
    (folder / "composed.py").write_text(NAMING.format(name=name))
    done = parley("check", "composed", "--json", cwd=folder)
    assert [finding["code"] for finding in json.loads(done.output)["findings"]] == told


def test_functions_of_an_extension_are_known_to_its_plans(folder: Path) -> None:
    (folder / "composed.py").write_text(CHOOSING)
    done = parley("check", "composed", cwd=folder)
    assert (done.status, done.output) == (0, "1 workflow checked: nothing wrong\n")


def test_extensions_of_the_settings_are_checked_with_the_project_s_workflows(folder: Path) -> None:
    (folder / "parley.toml").write_text('[worker]\nextensions = ["idle"]\n')
    done = parley("check", cwd=folder)
    assert "--> idle.py:15" in done.output


def test_settings_that_can_t_be_read_are_told_of_in_one_line(folder: Path) -> None:
    (folder / "parley.toml").write_text("[worker\n")
    done = parley("check", cwd=folder)
    assert (done.status, done.output) == (2, "")
    assert done.errors.startswith("parley: parley.toml: ")


def test_programs_get_json(folder: Path) -> None:
    done = parley("check", "idle", "--json", cwd=folder)
    told = json.loads(done.output)
    assert [(finding["code"], finding["severity"], finding["file"]) for finding in told["findings"]] == [
        ("unused-step", "warning", "idle.py")
    ]
    assert told["failures"] == []
    assert told["workflows"] == [
        {
            "workflow": "Ship",
            "about": "",
            "steps": [{"step": "label", "about": "", "needs": []}, {"step": "sent", "about": "", "needs": []}],
            "waves": [["sent"]],
            "on_demand": ["label"],
            "critical_path": ["sent"],
        }
    ]


def test_the_plan_says_what_waits_for_what() -> None:
    done = parley("check", "workflows.support.refund", "--plan")
    assert done.output == (
        "Refund: Give money back for an order, as far as the shop's policy or an agent allows.\n"
        "   1  order     at once\n"
        "      approval  at once\n"
        "   2  receipt   after approval\n"
        "   3  notice    after order, receipt\n"
        "   critical path: approval -> receipt -> notice (3 of 4 steps)\n"
        "\n"
        "1 workflow checked: nothing wrong\n"
    )


def test_the_plan_says_where_people_may_talk_and_what_only_that_needs() -> None:
    lines = parley("check", "workflows.support.customer_support", "--plan").output.splitlines()
    assert "   3  decision        after classification, selection; may talk: unknown" in lines
    assert "   -  agent           only if a conversation asks for it" in lines


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import nothing_of_the_kind", "ModuleNotFoundError: No module named 'nothing_of_the_kind' (broken.py:1)"),
        ("x = 1\ny = 1 / 0\n", "ZeroDivisionError: division by zero (broken.py:2)"),
        ("def (", "SyntaxError: "),
        ("raise SystemExit('not today')", "SystemExit: not today (broken.py:1)"),
    ],
    ids=["an import", "an error", "syntax", "an exit"],
)
def test_a_module_that_can_t_be_imported_is_told_of_in_one_line(folder: Path, source: str, told: str) -> None:
    (folder / "broken.py").write_text(source)
    done = parley("check", "broken", "idle", cwd=folder)
    assert (done.status, done.errors) == (2, "")
    assert f"error broken can't be imported: {told}" in done.output
    assert done.output.endswith("1 workflow checked: 1 error, 1 warning\n")


def test_a_module_that_is_not_there_is_told_of_in_one_line(folder: Path) -> None:
    done = parley("check", "nowhere", cwd=folder)
    told = "error nowhere can't be imported: ModuleNotFoundError: No module named 'nowhere'"
    assert (done.status, done.output) == (2, f"{told}\n\n0 workflows checked: 1 error\n")
