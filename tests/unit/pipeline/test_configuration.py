"""A project's pipeline is what its commit says, or what it has to be for its kind."""

import pytest
from temporalio.exceptions import ApplicationError

from activities.pipeline.configuration import BUILD, LINT, OWN, PROJECT, TEST, pipeline_of
from signals.checkouts import RunTestsRequest
from signals.pipeline import PipelineRequest
from workflows.pipeline.errors import PipelineError


def test_a_python_project_with_pytest_needs_to_say_nothing() -> None:
    plain = pipeline_of({}, ["cart.py", "test_cart.py"])
    assert (plain.build, plain.lint, plain.test, plain.deploy) == (BUILD, None, TEST, None)
    assert pipeline_of({PROJECT: "[tool.ruff]\nline-length = 100"}, [PROJECT, "tests"]).lint == LINT
    assert pipeline_of({PROJECT: "[tool.pytest.ini_options]"}, [PROJECT]).test == TEST


def test_what_a_project_says_is_taken_and_the_rest_is_recognised() -> None:
    said = '[tool.parley.pipeline]\nlead = "dana"\n[tool.parley.pipeline.deploy]\nkind = "releases"\ntarget = "x"'
    pipeline = pipeline_of({PROJECT: said}, [PROJECT, "tests"])
    assert (pipeline.lead, pipeline.test) == ("dana", TEST)


def test_where_a_stage_is_said_no_other_is_recognised() -> None:
    said = '[pipeline.test]\ncommand = ["make", "test"]'
    pipeline = pipeline_of({OWN: said, PROJECT: "[tool.parley.pipeline]\nlead = 'x'"}, ["tests"])
    assert pipeline.test is not None
    assert (pipeline.test.command, pipeline.build, pipeline.lead) == (("make", "test"), None, None)


@pytest.mark.parametrize(
    ("files", "kind", "told"),
    [
        ({}, PipelineError.NO_PIPELINE, "add [tool.parley.pipeline]"),
        ({PROJECT: "[tool.other]"}, PipelineError.NO_PIPELINE, "add [tool.parley.pipeline]"),
        ({PROJECT: "[tool"}, PipelineError.PIPELINE_INVALID, "pyproject.toml: "),
        (
            {OWN: "[pipeline.test]\ncmd = ['x']"},
            PipelineError.PIPELINE_INVALID,
            ".parley.toml [pipeline]: test.command",
        ),
        ({OWN: "[pipeline]\ntset = 1"}, PipelineError.PIPELINE_INVALID, "tset: Extra inputs are not permitted"),
        ({OWN: "[pipeline]\nlead = 'x'"}, PipelineError.PIPELINE_INVALID, "nothing to do"),
        ({OWN: "[pipeline.test]\ncommand = []"}, PipelineError.PIPELINE_INVALID, "test.command"),
        ({OWN: "[pipeline.test]\ncommand = ['']"}, PipelineError.PIPELINE_INVALID, "must name a program"),
        (
            {OWN: "[pipeline.test]\ncommand = ['x']\nfolder = '../y'"},
            PipelineError.PIPELINE_INVALID,
            "leaves the checkout",
        ),
        (
            {OWN: "[pipeline.test]\ncommand = ['x']\nreport = '/etc/x'"},
            PipelineError.PIPELINE_INVALID,
            "leaves the checkout",
        ),
        ({OWN: "a=" + "[" * 100_000}, PipelineError.PIPELINE_INVALID, ".parley.toml: "),
    ],
)
def test_what_can_t_be_used_is_refused_with_the_place(files: dict[str, str], kind: PipelineError, told: str) -> None:
    with pytest.raises(ApplicationError) as refused:
        pipeline_of(files, list(files))
    assert refused.value.type == kind
    assert told in refused.value.message


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("repository", "--upload-pack=evil", "pattern"),
        ("repository", "https://ann:secret@example.com/x.git", "give no password"),
        ("commit", "--all", "pattern"),
        ("commit", "main:file", "pattern"),
        ("author", "ann smith", "pattern"),
    ],
)
def test_a_request_that_git_could_misunderstand_is_refused(field: str, value: str, told: str) -> None:
    fine = {"repository": "/srv/git/shop.git", "commit": "main", "author": "ann"}
    PipelineRequest.model_validate(fine)
    with pytest.raises(ValueError, match=told):
        PipelineRequest.model_validate({**fine, field: value})


def test_who_names_tests_gives_the_command_no_options() -> None:
    fine = {"repository": "/srv/shop.git", "commit": "main", "tests": ["tests/test_cart.py::test_total[a-b]"]}
    RunTestsRequest.model_validate(fine)
    for word in ("--rootdir=/", "-p", ""):
        with pytest.raises(ValueError, match=r"tests\.0"):
            RunTestsRequest.model_validate({**fine, "tests": [word]})
