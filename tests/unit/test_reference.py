"""What there is to send, to ask, to set and to see can be found: in the reference, or on a page that it links to."""

import argparse
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from markdown_it import MarkdownIt
from pydantic import BaseModel
from temporalio import workflow

from infra.backlog import AGE, WAITING
from infra.chat.lines import COMMANDS
from infra.cli.main import command_line
from signals import modes, settings
from signals.conversation import MessageKind, StopReason
from signals.errors import ErrorType
from signals.fragments import Bound, FragmentOffer
from signals.messages import Disposition, InvocationMode
from signals.names import SearchAttribute
from signals.participants import Participant, Permission, Speaks
from workflows import counts
from workflows.composition.conditions import Op
from workflows.conversation.bounds import Constraints, Exhausted, OutOfTurn
from workflows.conversation.coordination import COORDINATION
from workflows.conversation.emergence import EMERGENCE
from workflows.conversation.observations import OBSERVATIONS
from workflows.conversation.routing import ROUTING
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.strategies import Family, Strategy
from workflows.library import WORKFLOWS
from workflows.pipeline.errors import PipelineError
from workflows.support.errors import SupportError

ROOT: Final = Path(__file__).parents[2]
REFERENCE: Final = ROOT / "docs" / "reference.md"
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

ENUMS: Final[tuple[type[StrEnum], ...]] = (
    *(ErrorType, PipelineError, SupportError, SearchAttribute, Permission, Speaks, StopReason, MessageKind),
    *(Disposition, InvocationMode, Bound, OutOfTurn, Exhausted, Op, settings.ValidationLevel),
    *(modes.Mode, modes.Paradigm, modes.Trigger, modes.Handler),
)

FAMILIES: Final = (COORDINATION, ROUTING, EMERGENCE, OBSERVATIONS)

MODELS: Final = (ConversationSetup, Constraints, Participant, FragmentOffer, settings.TransitionSettings)


@cache
def named() -> frozenset[str]:
    """Every word of the code in the text of the reference, and of the pages that it links to."""
    text = REFERENCE.read_text()
    pages = {target for target, _ in links(REFERENCE) if target.suffix == ".md"}
    text += "".join(page.read_text() for page in pages)
    spans = [
        piece.content
        for token in MarkdownIt().enable("table").parse(text)
        for piece in token.children or ()
        if piece.type == "code_inline"
    ]
    return frozenset(word for span in spans for word in re.findall(r"--[a-z-]+|/?\w+", span))


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Where a page's links lead within the project: the file, and the heading in it."""
    for token in MarkdownIt().enable("table").parse(page.read_text()):
        for piece in token.children or ():
            where = str(piece.attrs.get("href", ""))
            if where and "://" not in where:
                file, _, heading = where.partition("#")
                yield (page.parent / file).resolve() if file else page, heading


@cache
def headings(page: Path) -> frozenset[str]:
    """The names by which a page's headings are linked to, as forges make them."""
    tokens = MarkdownIt().parse(page.read_text())
    texts = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return frozenset(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts)


def missing(*names: str) -> list[str]:
    return sorted(set(names) - named())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: Path(str(page)).name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = [
        f"{file.relative_to(ROOT)}#{heading}"
        for file, heading in links(page)
        if not file.exists() or (heading and heading not in headings(file))
    ]
    assert broken == []


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: Path(str(page)).name)
def test_every_page_is_linked_to_from_the_first(page: Path) -> None:
    assert page in {file for file, _ in links(ROOT / "README.md")}


def test_the_tests_that_the_guarantees_name_are_there() -> None:
    tests = re.findall(r"`(tests/[\w/.]+)`", (ROOT / "docs" / "guarantees.md").read_text())
    assert tests
    assert [test for test in tests if not (ROOT / test).exists()] == []


@pytest.mark.parametrize("enum", ENUMS)
def test_every_word_of_a_closed_set_is_there(enum: type[StrEnum]) -> None:
    assert missing(*enum) == []


@pytest.mark.parametrize("family", FAMILIES, ids=["coordination", "routing", "emergence", "observations"])
def test_every_strategy_is_there(family: Family[Strategy]) -> None:
    own = [one for one in family.known if one.__module__.startswith("workflows.")]  # other tests add others
    assert own
    assert missing(*(one.model_fields["kind"].default for one in own)) == []


@pytest.mark.parametrize("model", MODELS)
def test_every_field_is_there(model: type[BaseModel]) -> None:
    assert missing(*model.model_fields) == []


@pytest.mark.parametrize("flow", WORKFLOWS)
def test_every_workflow_type_is_there_with_all_that_it_takes_and_answers(flow: type) -> None:
    known = workflow._Definition.must_from_class(flow)
    handlers = [*known.signals, *known.queries, *known.updates]
    assert missing(known.name or "", *(name for name in handlers if name)) == []


def test_every_metric_is_there() -> None:
    metrics = [metric for metric in vars(counts).values() if isinstance(metric, counts.Metric)]
    assert metrics
    assert missing(WAITING, AGE, *(f"{one.name}_{'seconds' if one.timed else 'total'}" for one in metrics)) == []


def test_every_command_is_there_with_its_options() -> None:
    told = dict(commands(command_line()))
    assert told
    assert {name: lacking for name, words in told.items() if (lacking := missing(*words))} == {}


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, list[str]]]:
    """Every command below one, with its own name and its options."""
    for action in parser._actions:  # argparse has no public way to them
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                options = [option for own in inner._actions for option in own.option_strings if option.startswith("--")]
                yield inner.prog, [name, *options]
                yield from commands(inner)


def test_everything_that_can_be_typed_in_the_chat_is_there() -> None:
    assert missing(*(f"/{name}" for name in COMMANDS)) == []
