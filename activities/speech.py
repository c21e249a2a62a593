"""What a participant says, taken from a language model's answer. Pure."""

import json
import re
from typing import Final

from activities.plain import ELLIPSIS, name_of, plain_lines
from signals.assistant import ReplyRequest
from signals.participants import Participant

MAX_REPLY: Final = 1_500
"""The longest reply, in characters."""

NUMBER: Final = re.compile(r"(?:[A-Z]+-)?\d(?:[\d.,:-]*\d)?")
"""An amount, a date, an order's number."""


def spoken(text: str, request: ReplyRequest, *, broken_off: bool) -> str:
    """Take from a model's answer what its participant says.

    Args:
        text: The answer.
        request: What it answers.
        broken_off: Whether the model had to stop in the middle.
    """
    said = "\n".join(plain_lines(text))
    said = re.sub(rf"^{_called(request.speaker)}(?:{_in_role(request.speaker)})?: *", "", said, flags=re.IGNORECASE)
    for other in request.others:
        # A small model goes on with what others might say next.
        said = re.split(rf"^{_called(other)}{_in_role(other)}:", said, maxsplit=1, flags=re.MULTILINE)[0].strip()
    return finished(said, MAX_REPLY, broken_off=broken_off)


def finished(text: str, longest: int, *, broken_off: bool) -> str:
    """Have a text end with a sentence, before it begins to repeat itself, and in at most so many characters."""
    whole = _whole_sentences(text[:longest]) if broken_off or len(text) > longest else text
    return _without_repeats(whole)


def first_sentence(text: str, longest: int) -> str:
    """The beginning of a text: its first sentence, or as much of it as fits."""
    first = _sentences(text)[0]
    return first if len(first) <= longest else first[: longest - len(ELLIPSIS)] + ELLIPSIS


def grounded(text: str, request: ReplyRequest) -> str:
    """Leave out the sentences that name a number, or a thing by its number, that nobody gave.

    A small model makes such things up, or takes them from its examples.
    """
    facts = json.dumps(request.facts, ensure_ascii=False)
    told = "\n".join([request.topic, facts, request.summary or "", *(message.text for message in request.messages)])
    known = set(NUMBER.findall(told))
    return "".join(part for part in _sentences(text) if known.issuperset(NUMBER.findall(part))).strip()


def _called(who: Participant) -> str:
    return f"(?:{re.escape(name_of(who))}|{re.escape(who.id)})"


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
