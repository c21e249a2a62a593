"""Scripts: what a simulated participant says and does, and what a simulated adviser answers, line by line. Pure.

The request itself says how many replies its speaker has given, so the same request always gives the same line,
whatever was said meanwhile and however little of it is shown; a reply that was interrupted is given again.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from signals.assistant import Action, Consultation, Finding, Purpose, Reply, ReplyRequest
from signals.messages import Grant, InvocationMode, Invoke, Propose, Vote
from signals.wire import Arguments, Identifier, Outcome, Text

SCRIPT: Final = "script:"
"""What the model string of a scripted participant begins with."""


class ScriptError(Exception):
    """There is no line to be said."""


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Ballot(_Line):
    """A vote."""

    proposal: int = Field(ge=1)
    approve: bool
    comment: Text | None = None


class Spoken(_Line):
    """A reply.

    Example:
        `{"say": "I look it up.", "invoke": "OrderStatus", "arguments": {"order_id": "A-1001"}}`
    """

    say: Text | None = None
    to: tuple[Identifier, ...] = Field(default=(), max_length=50)
    """Whom it is for; everybody where it is empty."""

    invoke: Identifier | None = None
    """The fragment to run."""

    arguments: Arguments = Field(default={})
    mode: InvocationMode | None = None
    propose: Outcome = None
    """The outcome to put forward; `null` is one too."""

    vote: Ballot | None = None
    grant: Identifier | None = None
    """Whom to give the floor."""

    hand_off: Identifier | None = None
    """The person who is to go on."""

    pass_: bool = Field(default=False, alias="pass")
    """Say nothing."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        given = self.model_fields_set
        if self.pass_ and given != {"pass_"}:
            raise ValueError("a line that passes has nothing else")
        if not self.pass_ and not given & {"say", "invoke", "propose", "vote", "grant", "hand_off"}:
            raise ValueError("give 'say', 'invoke', 'propose', 'vote', 'grant', 'hand_off' or \"pass\": true")
        if self.invoke is None and given & {"arguments", "mode"}:
            raise ValueError("'arguments' and 'mode' are for 'invoke'")
        return self

    def reply(self, speaker: str, model: str) -> Reply:
        """The reply that it is, by this speaker."""
        actions: list[Action] = []
        if self.invoke is not None:
            invoke = Invoke(speaker=speaker, fragment=self.invoke, arguments=self.arguments, mode=self.mode)
            actions.append(invoke)
        if "propose" in self.model_fields_set:
            actions.append(Propose(speaker=speaker, outcome=self.propose))
        if self.vote is not None:
            actions.append(Vote(speaker=speaker, **self.vote.model_dump()))
        if self.grant is not None:
            actions.append(Grant(speaker=speaker, to=self.grant))
        return Reply(text=self.say or "", to=self.to, actions=tuple(actions), hand_off=self.hand_off, model=model)


class Chosen(_Line):
    """An answer to who is to speak next.

    Example:
        `{"choose": "ann"}`
    """

    purpose: ClassVar = Purpose.CHOOSE

    choose: str = Field(max_length=200)
    """Anything: a wrong answer is one too."""

    def finding(self, model: str) -> Finding:
        """The answer that it is."""
        return Finding(choice=self.choose, model=model)


class Judged(_Line):
    """An answer to whether something is so.

    Example:
        `{"judge": true, "reason": "they thank each other"}`
    """

    purpose: ClassVar = Purpose.JUDGE

    judge: bool
    reason: str = ""

    def finding(self, model: str) -> Finding:
        """The answer that it is."""
        return Finding(verdict=self.judge, text=self.reason, model=model)


class Summed(_Line):
    """An answer to what was said.

    Example:
        `{"summarise": "Alice wants her money back; Bob looks into it."}`
    """

    purpose: ClassVar = Purpose.SUMMARISE

    summarise: Text

    def finding(self, model: str) -> Finding:
        """The answer that it is."""
        return Finding(text=self.summarise, model=model)


def _sort_of(line: object) -> str:
    if isinstance(line, str):
        return "text"
    given = line if isinstance(line, dict) else type(line).model_fields if isinstance(line, BaseModel) else ()
    return next((purpose.value for purpose in Purpose if purpose.value in given), "reply")


Line = Annotated[
    Annotated[Text, Tag("text")]
    | Annotated[Spoken, Tag("reply")]
    | Annotated[Chosen, Tag("choose")]
    | Annotated[Judged, Tag("judge")]
    | Annotated[Summed, Tag("summarise")],
    Discriminator(_sort_of),
]
"""One line of a script; a text is what is said."""


def _not_empty(script: tuple[Line, ...]) -> tuple[Line, ...]:
    if not script:
        raise ValueError("a script has a line at least")
    return script


Script = Annotated[tuple[Line, ...], AfterValidator(_not_empty)]
"""The lines of a simulated participant or adviser, in their order."""


class Scripts:
    """Speaks and answers from scripts.

    A script's replies are given from the first on, and from the start again after the last; so are its answers, those
    of each purpose for themselves.

    Args:
        scripts: The scripts, by name.
    """

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self._scripts = {
            name: [Spoken(say=line) if isinstance(line, str) else line for line in lines]
            for name, lines in scripts.items()
        }

    def reply(self, model: str, request: ReplyRequest) -> Reply:
        """The speaker's next reply.

        Raises:
            ScriptError: There is no such script, or it has no replies.
        """
        lines = [line for line in self._find(model) if isinstance(line, Spoken)]
        return _nth(lines, request.replies, model, "replies").reply(request.speaker.id, model)

    def answer(self, model: str, consultation: Consultation) -> Finding:
        """The answer to a question.

        Raises:
            ScriptError: There is no such script, or it has no answers of this purpose.
        """
        purpose = consultation.purpose
        lines = [line for line in self._find(model) if not isinstance(line, Spoken) and line.purpose is purpose]
        return _nth(lines, consultation.number - 1, model, f"answers to {purpose.value!r}").finding(model)

    def _find(self, model: str) -> list[Spoken | Chosen | Judged | Summed]:
        lines = self._scripts.get(model.removeprefix(SCRIPT))
        if lines is None:
            raise ScriptError(f"{model}: there is no such script; known are: {', '.join(self._scripts) or 'none'}")
        return lines


L = TypeVar("L")


def _nth(lines: Sequence[L], number: int, model: str, sort: str) -> L:
    if not lines:
        raise ScriptError(f"{model}: the script has no {sort}")
    return lines[number % len(lines)]
