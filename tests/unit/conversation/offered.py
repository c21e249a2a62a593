"""What tests of fragments share: what is offered, and a conversation that may run it."""

from pydantic import JsonValue

from signals.errors import ErrorType
from signals.fragments import FragmentOffer
from signals.messages import Disposition, InvocationMode
from signals.participants import Participant, Permission
from tests.unit.conversation.talk import ANYTHING, Talk, ai, offer, person
from workflows.conversation.coordination import FreeForm

TEXT: dict[str, JsonValue] = {"type": "string", "minLength": 2}
COUNT: dict[str, JsonValue] = {"type": "integer", "minimum": 1}

SPEAK_AND_INVOKE = (Permission.SPEAK, Permission.INVOKE)

ANN = person("ann", *ANYTHING)
BEN = person("ben")
BOT = ai("bot", *SPEAK_AND_INVOKE)

BOOK = offer("Book", {"place": TEXT, "nights": COUNT})
PING = offer("Ping")

RECORDED, DUPLICATE = Disposition.RECORDED, Disposition.DUPLICATE
NOT_AVAILABLE = ErrorType.WORKFLOW_NOT_AVAILABLE

ASYNC, DETACHED = InvocationMode.ASYNCHRONOUS, InvocationMode.DETACHED


def talk(*participants: Participant, fragments: tuple[FragmentOffer, ...] = (BOOK, PING), **options: object) -> Talk:
    """A conversation of Ann and Ben, where nobody is named, that may run things."""
    return Talk(*(participants or (ANN, BEN)), fragments=fragments, **({"coordination": FreeForm()} | options))
