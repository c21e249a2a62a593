"""What somebody types, as the message that it means. Pure."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from pydantic import JsonValue, ValidationError

from signals.messages import (
    Close,
    Grant,
    Interrupt,
    InvocationMode,
    Invoke,
    Leave,
    Message,
    Propose,
    Subscribe,
    Turn,
    Vote,
)
from signals.wire import one_line

MODE: Final = "--mode"
_YES: Final = frozenset({"yes", "y", "approve"})
_NO: Final = frozenset({"no", "n", "refuse"})
_NUMBER: Final = re.compile(r"#?(\d{1,9})")
_NAMED: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_BARE: Final = re.compile(r"'[^']*'|\S+")


class Look(StrEnum):
    """What is only for who types it, and sent to nobody."""

    WHO = "who"
    PROPOSALS = "proposals"
    HELP = "help"
    QUIT = "quit"


class LineError(ValueError):
    """A line that means nothing; the text says why, and what to type."""


@dataclass(frozen=True)
class Author:
    """Who types a line."""

    speaker: str
    mark: str
    """The message's own id: sent twice, it counts once."""


@dataclass(frozen=True)
class Command:
    """What can follow a slash."""

    name: str
    usage: str
    about: str
    read: Callable[[str, Author], Message | Look]


def parse(line: str, author: Author) -> Message | Look | None:
    """Say what a line means; nothing, where it is blank.

    A line is a turn, `/NAME ...` a command, `//...` a turn that begins with a slash.

    Raises:
        LineError: It means nothing.
    """
    text = line.strip()
    if not text:
        return None
    try:
        if text.startswith("//"):
            return Turn(speaker=author.speaker, text=text[1:], id=author.mark)
        if not text.startswith("/"):
            return Turn(speaker=author.speaker, text=text, id=author.mark)
        name, rest = _word(text[1:])
        if name not in COMMANDS:
            raise LineError(f"there is no /{name}; /help shows what there is, // begins a turn with a slash")
        return COMMANDS[name].read(rest, author)
    except ValidationError as error:
        raise LineError(one_line(error)) from None


def _word(text: str) -> tuple[str, str]:
    """Take the first word off."""
    first, _, rest = text.strip().partition(" ")
    return first, rest.strip()


def _usage(name: str) -> NoReturn:
    raise LineError(f"type: {COMMANDS[name].usage}")


def _to(rest: str, author: Author) -> Message:
    names, text = _word(rest)
    if not text:
        _usage("to")
    to = tuple(name for name in names.split(",") if name)
    return Turn(speaker=author.speaker, text=text, to=to, id=author.mark)


def _reply(rest: str, author: Author) -> Message:
    number, text = _word(rest)
    found = _NUMBER.fullmatch(number)
    if not found or not text:
        _usage("reply")
    return Turn(speaker=author.speaker, text=text, in_reply_to=int(found[1]), id=author.mark)


def _topic(rest: str, author: Author) -> Message:
    topic, text = _word(rest)
    if not text:
        _usage("topic")
    return Turn(speaker=author.speaker, text=text, topic=topic, id=author.mark)


def _propose(rest: str, author: Author) -> Message:
    if not rest:
        _usage("propose")
    try:
        outcome, end = _decoded(rest)
    except ValueError as error:
        raise LineError(f'that is not JSON ({error}); text stands in quotes: /propose "tea"') from None
    after = rest[end:].strip()
    if after and not after.startswith("--"):
        raise LineError(f"the JSON ends before '{after[:30]}'; a comment follows after --")
    return Propose(speaker=author.speaker, outcome=outcome, comment=_comment(after))


def _comment(text: str) -> str | None:
    return text.removeprefix("--").strip() or None


def _vote(rest: str, author: Author) -> Message:
    number, rest = _word(rest)
    answer, comment = _word(rest)
    found = _NUMBER.fullmatch(number)
    if not found or answer.lower() not in _YES | _NO:
        _usage("vote")
    approve = answer.lower() in _YES
    return Vote(speaker=author.speaker, proposal=int(found[1]), approve=approve, comment=_comment(comment))


def _invoke(rest: str, author: Author) -> Message:
    fragment, rest = _word(rest)
    if not fragment:
        _usage("invoke")
    arguments: dict[str, JsonValue] = {}
    mode: InvocationMode | None = None
    while rest:
        if rest.startswith(MODE):
            given, rest = _word(rest.removeprefix(MODE).lstrip("= "))
            mode = _mode(given)
            continue
        named = _NAMED.match(rest)
        if not named:
            raise LineError(f"'{rest.split()[0][:30]}' is no argument; type: {COMMANDS['invoke'].usage}")
        if named[1] in arguments:
            raise LineError(f"the argument '{named[1]}' is given twice")
        arguments[named[1]], rest = _value(rest[named.end() :])
    return Invoke(speaker=author.speaker, fragment=fragment, arguments=arguments, mode=mode, id=author.mark)


def _mode(text: str) -> InvocationMode:
    try:
        return InvocationMode(text)
    except ValueError:
        raise LineError(f"{MODE} is one of {', '.join(InvocationMode)}") from None


def _value(text: str) -> tuple[JsonValue, str]:
    """Take a value off: JSON if it is that, or else a word as it stands, or what is in single quotes."""
    try:
        value, end = _decoded(text)
    except ValueError:
        pass
    else:
        if not text[end : end + 1].strip():
            return value, text[end:].strip()
    found = _BARE.match(text)
    word = found[0] if found else ""
    quoted = len(word) > 1 and word[0] == word[-1] == "'"
    return (word[1:-1] if quoted else word), text[len(word) :].strip()


def _decoded(text: str) -> tuple[JsonValue, int]:
    """Take JSON off; with it, where it ends.

    Raises:
        ValueError: The text doesn't begin with JSON.
    """
    try:
        value: JsonValue
        value, end = _JSON.raw_decode(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    return value, end


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_JSON: Final = json.JSONDecoder(parse_constant=_no_constant)


def _grant(rest: str, author: Author) -> Message:
    to, more = _word(rest)
    if not to or more:
        _usage("grant")
    return Grant(speaker=author.speaker, to=to)


def _subscribe(rest: str, author: Author) -> Message:
    return Subscribe(speaker=author.speaker, topics=tuple(rest.replace(",", " ").split()))


def _look(look: Look) -> Callable[[str, Author], Look]:
    return lambda rest, author: look


COMMANDS: Final = {
    command.name: command
    for command in (
        Command("to", "/to ID[,ID] TEXT", "say something to some only", _to),
        Command("reply", "/reply NUMBER TEXT", "answer a message", _reply),
        Command("topic", "/topic NAME TEXT", "say something about a topic", _topic),
        Command("propose", "/propose JSON [-- COMMENT]", "put an outcome forward", _propose),
        Command("vote", "/vote NUMBER yes|no [-- COMMENT]", "approve or refuse a proposal", _vote),
        Command("invoke", f"/invoke FRAGMENT [NAME=VALUE ...] [{MODE} MODE]", "run a workflow fragment", _invoke),
        Command("grant", "/grant ID", "give somebody the floor", _grant),
        Command("subscribe", "/subscribe [TOPIC ...]", "be given the turns about these topics only", _subscribe),
        Command(
            "interrupt",
            "/interrupt",
            "stop the replies under way",
            lambda rest, author: Interrupt(speaker=author.speaker),
        ),
        Command(
            "leave",
            "/leave [REASON]",
            "leave the conversation",
            lambda rest, author: Leave(speaker=author.speaker, reason=rest or None),
        ),
        Command(
            "close",
            "/close [REASON]",
            "end the conversation without an outcome",
            lambda rest, author: Close(speaker=author.speaker, reason=rest or None),
        ),
        Command("who", "/who", "show who is there", _look(Look.WHO)),
        Command("proposals", "/proposals", "show what may be voted on", _look(Look.PROPOSALS)),
        Command("help", "/help", "show this", _look(Look.HELP)),
        Command("quit", "/quit", "leave the terminal, not the conversation", _look(Look.QUIT)),
    )
}
"""By name."""


def help_lines() -> list[str]:
    """Say what can be typed."""
    width = max(len(command.usage) for command in COMMANDS.values())
    return [f"   {command.usage.ljust(width)}  {command.about}" for command in COMMANDS.values()]
