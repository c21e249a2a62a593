"""What may follow what somebody has typed so far. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from infra.chat.lines import COMMANDS, MODE
from infra.chat.view import as_json
from infra.printable import flat
from signals.conversation import MessageKind, Recorded, Status
from signals.messages import InvocationMode


@dataclass(frozen=True)
class Choice:
    """A way to go on."""

    text: str
    over: int
    """How many characters before the cursor it replaces."""

    about: str = ""


def choices(typed: str, status: Status, messages: Sequence[Recorded]) -> list[Choice]:
    """Say how a line may go on.

    Args:
        typed: The line, up to the cursor.
        status: Where the conversation stands.
        messages: Its latest messages.
    """
    if not typed.startswith("/") or typed.startswith("//"):
        return []
    words = typed.split(" ")
    if len(words) == 1:
        found = ((f"/{command.name}", command.about) for command in COMMANDS.values())
        return _beginning_with(words[0], found)
    return _arguments(words[0][1:], [word for word in words[1:-1] if word], words[-1], status, messages)


def _arguments(
    command: str, before: Sequence[str], last: str, status: Status, messages: Sequence[Recorded]
) -> list[Choice]:
    match command, len(before):
        case "to", 0:
            return _beginning_with(last.rpartition(",")[2], _people(status))
        case "grant", 0:
            return _beginning_with(last, _people(status))
        case "reply", 0:
            said = (m for m in reversed(messages) if m.kind is MessageKind.TURN)
            return _beginning_with(last, ((str(m.seq), flat(f"{m.speaker}: {m.text}", 60)) for m in said))
        case "vote", (0 | 1) as place:
            numbers = [(str(p.number), as_json(p.outcome)[:60]) for p in status.proposals]
            return _beginning_with(last, (numbers, [("yes", "approve"), ("no", "refuse")])[place])
        case ("topic", 0) | ("subscribe", _):
            return _beginning_with(last, ((t, "") for t in sorted({m.topic for m in messages if m.topic})))
        case "invoke", _:
            return _beginning_with(last, _of_invocation(before, status))
        case _:
            return []


def _of_invocation(before: Sequence[str], status: Status) -> Iterable[tuple[str, str]]:
    if not before:
        return [(fragment, "") for fragment in status.fragments]
    if before[-1] == MODE:
        return [(mode, "") for mode in InvocationMode]
    return [*_argument_names(before[0], before[1:], status), (MODE, "how it is run")]


def _people(status: Status) -> Iterator[tuple[str, str]]:
    return ((person.id, flat(f"{person.label}, {person.role}", 60)) for person in status.participants)


def _argument_names(fragment: str, given: Sequence[str], status: Status) -> Iterator[tuple[str, str]]:
    """The arguments that the fragment is known to take: those that it was given before, or asked for."""
    known = [
        name
        for invocation in status.invocations
        if invocation.fragment == fragment
        for name in (*invocation.missing, *invocation.arguments)
    ]
    taken = {word.partition("=")[0] for word in given}
    return ((f"{name}=", "") for name in dict.fromkeys(known) if name not in taken)


def _beginning_with(begun: str, found: Iterable[tuple[str, str]]) -> list[Choice]:
    return [Choice(text, len(begun), about) for text, about in found if text.lower().startswith(begun.lower())]
