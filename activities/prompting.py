"""What a language model is told, and what is taken from its answer. Pure, but for reading the prompt files.

What people write, and what is known, comes from outside: it is cut to size, freed of what could pass for something
else, and only ever put into messages, never into the system prompt. There, one line that isn't indented is one
message, so that nobody can put words into another's mouth.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

from signals.assistant import ReplyRequest
from signals.conversation import Recorded
from signals.participants import Participant

MAX_REPLY: Final = 1_500
"""The longest reply, in characters."""

MAX_FACT: Final = 500
"""The longest thing that is known, in bytes of UTF-8."""

JOINERS: Final = "\u200c\u200d"
"""The invisible characters that writing in some languages needs; all others can only hide something."""

ELLIPSIS: Final = "…"

NUMBER: Final = re.compile(r"(?:[A-Z]+-)?\d(?:[\d.,:-]*\d)?")
"""An amount, a date, an order's number."""


class Bounds(NamedTuple):
    """How much of what comes from outside a prompt may hold, in bytes of UTF-8; a token is at least one."""

    facts: int
    """What is known, and the topic."""

    messages: int
    """The transcript: the latest messages are kept."""

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


class Prompt(NamedTuple):
    """What a model is asked with."""

    system: str
    dialogue: tuple[Said, ...]
    """Sides alternate; the last thing is said to the model."""


class PromptFiles:
    """The prompt files of a folder, read once.

    Examples follow the instructions behind lines of `---`; in each, the answer is what stands behind `> `.
    `small/NAME.md` is what a small model is told instead of `NAME.md`: less, and more by example.

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
    """Assemble what a model is asked with.

    Args:
        request: What the reply is grounded in.
        guidance: How to behave.
        nudge: What to say where the speaker itself said the last thing.
        bounds: How much of the request it may hold.
    """
    me = {"name": _name(request.speaker), "role": request.speaker.role}
    lines = _latest(request, bounds.messages)
    if not lines or lines[-1].own:
        lines.append(Said(False, nudge.safe_substitute(me)))
    dialogue = [
        Said(own, "\n".join(line.text for line in run)) for own, run in groupby(lines, key=lambda line: line.own)
    ]
    known = "\n".join(_known(request, bounds))
    dialogue[-1] = Said(False, f"{known}\n\n{dialogue[-1].text}" if known else dialogue[-1].text)
    return Prompt(guidance.instructions.safe_substitute(me), (*guidance.examples, *dialogue))


def _latest(request: ReplyRequest, most: int) -> list[Said]:
    """The latest messages that fit, oldest first; of the very last, its beginning at least."""
    names = {who.id: f"{_name(who)} ({who.role})" for who in request.others}
    kept: list[Said] = []
    for message in reversed(request.messages):
        own = message.speaker == request.speaker.id
        text = _line(message, "" if own else _opening(message, names))
        if _size(text) > most and kept:
            break
        kept.append(Said(own, _cut(text, most)))
        most -= _size(text)
    return kept[::-1]


def _opening(message: Recorded, names: Mapping[str, str]) -> str:
    # No name can be an asterisk: what the conversation itself says can't be said by anybody.
    return "* " if message.speaker is None else f"{names.get(message.speaker, message.speaker)}: "


def _line(message: Recorded, opening: str) -> str:
    return opening + "\n  ".join(_plain_lines(message.text))


def _known(request: ReplyRequest, bounds: Bounds) -> Iterator[str]:
    most = bounds.facts
    known = [("topic", request.topic), *request.facts.items()]
    if request.omitted:
        known.append(("earlier messages not shown", request.omitted))
    for key, value in known:
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if len(told.split()) < bounds.least_words:
            continue
        line = _cut(f"{_one_line(key)}: {_one_line(told)}", MAX_FACT)
        most -= _size(line)
        if most < 0:
            return
        yield line


def _name(who: Participant) -> str:
    return re.sub(r"[^\w .,'-]+", " ", _one_line(who.label)).strip() or who.id


def _one_line(text: str) -> str:
    return " ".join(_plain_lines(text))


def _plain_lines(text: str) -> list[str]:
    """Split text into lines that aren't blank, without what can't be seen."""
    lines = ("".join(char for char in line if _is_plain(char)).strip() for line in text.splitlines())
    return [line for line in lines if line]


def _is_plain(char: str) -> bool:
    return char in JOINERS or char == "\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}


def _size(text: str) -> int:
    return len(text.encode()) + 1


def _cut(text: str, most: int) -> str:
    data = text.encode()
    if len(data) < most:
        return text
    return data[: max(most - 1 - len(ELLIPSIS.encode()), 0)].decode(errors="ignore") + ELLIPSIS


def spoken(text: str, request: ReplyRequest, *, broken_off: bool) -> str:
    """Take from a model's answer what its participant says.

    Args:
        text: The answer.
        request: What it answers.
        broken_off: Whether the model had to stop in the middle.
    """
    said = "\n".join(_plain_lines(text))
    said = re.sub(rf"^{_called(request.speaker)}(?:{_in_role(request.speaker)})?: *", "", said, flags=re.IGNORECASE)
    for other in request.others:
        # A small model goes on with what others might say next.
        said = re.split(rf"^{_called(other)}{_in_role(other)}:", said, maxsplit=1, flags=re.MULTILINE)[0].strip()
    whole = _whole_sentences(said[:MAX_REPLY]) if broken_off or len(said) > MAX_REPLY else said
    return _without_repeats(whole)


def grounded(text: str, request: ReplyRequest) -> str:
    """Leave out the sentences that name a number, or a thing by its number, that the request doesn't have.

    A small model makes such things up, or takes them from its examples.
    """
    told = "\n".join(
        [request.topic, json.dumps(request.facts, ensure_ascii=False), *(message.text for message in request.messages)]
    )
    known = set(NUMBER.findall(told))
    return "".join(part for part in _sentences(text) if known.issuperset(NUMBER.findall(part))).strip()


def _called(who: Participant) -> str:
    return f"(?:{re.escape(_name(who))}|{re.escape(who.id)})"


def _in_role(who: Participant) -> str:
    return rf" ?\({re.escape(who.role)}\)"


def _without_repeats(text: str) -> str:
    # A small model goes round in circles; what it says a second time is where it should have stopped.
    sentences = _sentences(text)
    seen: set[str] = set()
    for index, sentence in enumerate(sentences):
        if sentence.strip() in seen:
            return "".join(sentences[:index])
        seen.add(sentence.strip())
    return text


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?…])(?=\s)", text)


def _whole_sentences(text: str) -> str:
    ends = [match.end() for match in re.finditer(r"[.!?…](?=\s|$)", text)]
    return text[: ends[-1]] if ends else text
