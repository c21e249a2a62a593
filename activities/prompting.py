"""What a language model is told. Pure, but for reading the prompt files.

What people write, and what is known, comes from outside: it is cut to size, freed of what could pass for something
else, and only ever put into messages, never into the system prompt. There, one line that isn't indented is one
message, so that nobody can put words into another's mouth.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

from pydantic import JsonValue

from activities.plain import cut, name_of, one_line, plain_lines, size
from signals.assistant import Consultation, Grounds, ReplyRequest
from signals.conversation import MessageKind, Proposal, Recorded
from signals.participants import Participant

MAX_FACT: Final = 500
"""The longest thing that is known, in bytes of UTF-8."""

MAX_PROPOSAL: Final = 2_000
"""The longest outcome that is shown, in bytes of UTF-8."""

MAX_NAMED: Final = 5
"""Of how many that a message is for the names are given."""


class Bounds(NamedTuple):
    """How much of what comes from outside a prompt may hold, in bytes of UTF-8; a token is at least one."""

    facts: int
    """What is known, and the topic."""

    messages: int
    """The transcript: the latest messages are kept."""

    summary: int = 0
    """What the older messages come to."""

    proposals: int = 0
    """What may be voted on."""

    people: int = 0
    """Who is here, with their ids."""

    least_words: int = 0
    """What is known in fewer words is left out: a small model takes codes and single numbers for something else."""


class Said(NamedTuple):
    """One side's part in a dialogue."""

    own: bool
    """Whether the model said it (else it is said to the model)."""

    text: str


class Guidance(NamedTuple):
    """A prompt file: how to behave, then examples of it."""

    instructions: Template
    examples: tuple[Said, ...] = ()

    def beside(self, more: Template) -> "Guidance":
        """The same with more to go by."""
        return self._replace(instructions=Template(f"{self.instructions.template}\n\n{more.template}"))


class Prompt(NamedTuple):
    """What a model is asked with."""

    system: str
    dialogue: tuple[Said, ...]
    """Sides alternate; the last thing is said to the model."""


class PromptFiles:
    """The prompt files of a folder, read once.

    Examples follow the instructions behind lines of `---`; in each, the answer is what stands behind `> `.
    `small/NAME.md` is what a small model is told instead of `NAME.md`: less, and more by example. What `parts/` has is
    told beside a guidance.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).with_suffix("").as_posix(): _guidance(path.read_text(encoding="utf-8"))
            for path in folder.rglob("*.md")
        }

    @property
    def nudge(self) -> Template:
        """What a model is told where nobody else said anything last."""
        return self._files["parts/nudge"].instructions

    @property
    def tools(self) -> Template:
        """What a model is told that has tools."""
        return self._files["parts/tools"].instructions

    def find(self, name: str, *, small: bool) -> Guidance | None:
        """Look a guidance up.

        Args:
            name: The file's name, without its ending.
            small: Whether it is for a small model.
        """
        return (self._files.get(f"small/{name}") if small else None) or self._files.get(name)


def _guidance(text: str) -> Guidance:
    instructions, *examples = (block.strip() for block in text.split("\n---\n"))
    return Guidance(Template(instructions), tuple(_dialogue(examples)))


def _dialogue(examples: Sequence[str]) -> Iterator[Said]:
    for example in examples:
        told, _, answer = example.rpartition("\n> ")
        yield Said(False, told.strip())
        yield Said(True, answer)


def build_prompt(request: ReplyRequest, guidance: Guidance, nudge: Template, bounds: Bounds) -> Prompt:
    """Assemble what a model is asked with for a reply.

    Args:
        request: What the reply is grounded in.
        guidance: How to behave.
        nudge: What to say where the speaker itself said the last thing.
        bounds: How much of the request it may hold.
    """
    me = {"name": name_of(request.speaker), "role": request.speaker.role}
    lines = _latest(request, _names((request.speaker, *request.others)), bounds.messages, request.speaker.id)
    if not lines or lines[-1].own:
        lines.append(Said(False, nudge.safe_substitute(me)))
    dialogue = [
        Said(own, "\n".join(line.text for line in run)) for own, run in groupby(lines, key=lambda line: line.own)
    ]
    known = [
        *_known(request, bounds),
        *reversed([*_within(bounds.proposals, map(_proposal, reversed(request.proposals)))]),
        *_within(bounds.people, _people("here", (request.speaker, *request.others))),
        *_before(request, bounds),
    ]
    dialogue[-1] = Said(False, _blocks("\n".join(known), dialogue[-1].text))
    return Prompt(guidance.instructions.safe_substitute(me), (*guidance.examples, *dialogue))


def build_question(consultation: Consultation, guidance: Guidance, bounds: Bounds) -> Prompt:
    """Assemble what a model is asked with that isn't to reply.

    Args:
        consultation: The question, and what its answer is grounded in.
        guidance: How to answer.
        bounds: How much of the consultation it may hold.
    """
    known = [*_known(consultation, bounds), *_before(consultation, bounds)]
    said = _latest(consultation, _names(consultation.candidates), bounds.messages)
    asked = [
        *_within(bounds.people, _people("candidates", consultation.candidates)),
        f"question: {cut(one_line(consultation.question), MAX_PROPOSAL)}",
    ]
    blocks = ("\n".join(lines) for lines in (known, [line.text for line in said], asked))
    return Prompt(guidance.instructions.template, (*guidance.examples, Said(False, _blocks(*blocks))))


def _blocks(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)


def _names(people: Sequence[Participant]) -> dict[str, str]:
    return {who.id: f"{name_of(who)} ({who.role})" for who in people}


def _latest(grounds: Grounds, names: Mapping[str, str], most: int, me: str | None = None) -> list[Said]:
    """The latest messages that fit, oldest first; of the very last, its beginning at least."""
    kept: list[Said] = []
    for message in reversed(grounds.messages):
        # What it did is told to it: else it would say such a thing instead of doing it.
        own = me is not None and message.speaker == me and message.kind is MessageKind.TURN
        text = ("" if own else _opening(message, names)) + "\n  ".join(plain_lines(message.text))
        if size(text) > most and kept:
            break
        kept.append(Said(own, cut(text, most)))
        most -= size(text)
    return kept[::-1]


def _opening(message: Recorded, names: Mapping[str, str]) -> str:
    # No name can be an asterisk: what the conversation itself says can't be said by anybody.
    mark = _mark(message, names)
    if message.speaker is None:
        return f"* {mark}: " if mark else "* "
    return " ".join(part for part in (names.get(message.speaker, message.speaker), mark) if part) + ": "


def _mark(message: Recorded, names: Mapping[str, str]) -> str:
    """What a message is, in brackets: no name has any."""
    parts = []
    if message.kind is MessageKind.PROPOSAL:
        parts.append(f"proposal {message.proposal}")
    elif message.kind is MessageKind.VOTE:
        parts.append(f"vote on proposal {message.proposal}")
    elif message.kind is MessageKind.FRAGMENT:
        parts.append(f"run {message.fragment}")
    if message.to:
        to = [names.get(name, name) for name in message.to]
        parts.append(f"to {', '.join(to[:MAX_NAMED])}{' and others' * (len(to) > MAX_NAMED)} alone")
    return f"[{'; '.join(parts)}]" if parts else ""


def _known(grounds: Grounds, bounds: Bounds) -> Iterator[str]:
    known = (("topic", grounds.topic), *grounds.facts.items())
    told = ((key, value if isinstance(value, str) else _json(value)) for key, value in known)
    return _within(
        bounds.facts,
        (
            cut(f"{one_line(key)}: {one_line(value)}", MAX_FACT)
            for key, value in told
            if len(value.split()) >= bounds.least_words
        ),
    )


def _before(grounds: Grounds, bounds: Bounds) -> Iterator[str]:
    lines = []
    if grounds.omitted and not bounds.least_words:
        lines.append(f"earlier messages not shown: {grounds.omitted}")
    if grounds.summary:
        room = bounds.summary - sum(map(size, lines))
        lines.append(cut(f"what they come to: {one_line(grounds.summary)}", max(room, 0)))
    return _within(bounds.summary, iter(lines))


def _proposal(proposal: Proposal) -> str:
    votes = "; ".join(
        f"{verb} by {', '.join(names)}"
        for verb, names in (("approved", proposal.approved_by), ("refused", proposal.refused_by))
        if names
    )
    opening = f"proposal {proposal.number} by {proposal.speaker}" + (f" ({votes})" if votes else "")
    return cut(f"{opening}: {one_line(_json(proposal.outcome))}", MAX_PROPOSAL)


def _people(title: str, people: Sequence[Participant]) -> Iterator[str]:
    if people:
        yield f"{title}:"
    for who in people:
        yield f"- {who.id}: {cut(name_of(who), 80)} ({who.role})"


def _within(most: int, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        most -= size(line)
        if most < 0:
            return
        yield line


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
