"""`temporal parley diagram`: a workflow type as Mermaid, and as a picture."""

from pathlib import Path

import pytest

from tests.unit.cli.command import parley
from workflows.compiled.diagram import mermaid
from workflows.library import WORKFLOWS
from workflows.support.refund import Refund

PLAN = mermaid(Refund.plan)  # type: ignore[attr-defined]  # compiling adds it
NOWHERE = "nowhere can't be imported: ModuleNotFoundError: No module named 'nowhere'"
FLOW = """\
from workflows.compiled import compiled, step


@compiled
class Twice:
    @step(result=True)
    def doubled(self, request: int) -> int:
        return request * 2
"""
COMPOSITE = """

from workflows.composition import call, composite


@composite
class Fourfold:
    plan = call(Twice) >> call(Twice)
"""


def test_a_type_is_drawn_as_mermaid() -> None:
    done = parley("diagram", "Refund")
    assert (done.status, done.output, done.errors) == (0, PLAN, "")


def test_a_type_of_another_module_is_drawn_too(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    done = parley("diagram", "Twice", "--module", "flow", cwd=tmp_path)
    assert 'step_doubled["doubled"]' in done.output


def test_a_composite_is_drawn_too(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(f"{FLOW}{COMPOSITE}")
    done = parley("diagram", "Fourfold", "--module", "flow", cwd=tmp_path)
    assert done.output.startswith("flowchart TD\n    input([input])\n")
    assert done.output.count("Twice") == 2


def test_it_can_be_written_to_a_file(tmp_path: Path) -> None:
    done = parley("diagram", "Refund", "--out", "refund.mmd", cwd=tmp_path)
    assert (done.status, done.output) == (0, "")
    assert (tmp_path / "refund.mmd").read_text() == PLAN


def test_it_can_be_drawn_as_svg(tmp_path: Path) -> None:
    assert parley("diagram", "Refund", "--out", "refund.svg", cwd=tmp_path).status == 0
    picture = (tmp_path / "refund.svg").read_text()
    assert picture.startswith("<svg")
    assert "Pay it, once" in picture


def test_it_can_be_drawn_as_png(tmp_path: Path) -> None:
    assert parley("diagram", "Refund", "--out", "refund.png", cwd=tmp_path).status == 0
    assert (tmp_path / "refund.png").read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["Refnd"], f"there is no workflow type 'Refnd'; there are: {', '.join(cls.__name__ for cls in WORKFLOWS)}"),
        (["Conversation"], "'Conversation' has no plan to draw: it is neither compiled nor composed"),
        ([], "name a workflow type, or a run with --run"),
        (["Refund", "--out", "refund.gif"], "refund.gif: the name must end with .mmd, .svg or .png"),
        (["Refund", "--out", "no/where.mmd"], "no/where.mmd: No such file or directory"),
        (["Refund", "--module", "nowhere"], NOWHERE),
    ],
    ids=["unknown", "no steps", "no type", "no such picture", "no such folder", "no such module"],
)
def test_what_can_t_be_drawn_is_told_of_in_one_line(words: list[str], told: str, tmp_path: Path) -> None:
    done = parley("diagram", *words, cwd=tmp_path)
    assert (done.status, done.output, done.errors) == (2, "", f"parley: {told}\n")
