"""Who may ask a run for a conversation, and which of its points is opened for them."""

from signals.errors import ErrorType, Refusal
from signals.messages import RequestConversation
from workflows.compiled.demands import point_asked_for
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint, Explicit, OnDemand


def about() -> ConversationSetup:
    raise AssertionError("nothing is opened here")


SUPPORT = ConversationPoint("support", about, OnDemand("agent", "carol"))
ANYTHING = ConversationPoint("anything", about, OnDemand())
BY_ITSELF = ConversationPoint("by_itself", about, Explicit())


def asked(
    by: str, *points: ConversationPoint, point: str | None = None, role: str = "guest", taken: str = ""
) -> object:
    """The name of the point that is opened, or why none is."""
    message = RequestConversation(requestor=by, point=point)
    found = point_asked_for(message, points, {by, role}, lambda point: point.name in taken)
    return found.type if isinstance(found, Refusal) else found.name


def test_the_first_free_point_that_somebody_may_ask_for_is_opened() -> None:
    points = (BY_ITSELF, SUPPORT, ANYTHING)
    assert asked("carol", *points) == "support"
    assert asked("bob", *points, role="agent") == "support"
    assert asked("eve", *points) == "anything"
    assert asked("carol", *points, taken="support") == "anything"


def test_a_point_may_be_asked_for_by_its_name() -> None:
    assert asked("carol", SUPPORT, ANYTHING, point="anything") == "anything"


def test_what_opens_by_itself_or_is_not_there_can_not_be_asked_for() -> None:
    message = RequestConversation(requestor="carol", point="by_itself")
    reason = "no point 'by_itself' can be asked for now; ask for another mode by 'switch_mode'"
    refusal = Refusal(ErrorType.TRANSITION_NOT_ALLOWED, reason)
    assert point_asked_for(message, (BY_ITSELF, SUPPORT), {"carol"}, lambda _: False) == refusal
    assert asked("carol", BY_ITSELF) is ErrorType.TRANSITION_NOT_ALLOWED


def test_who_may_not_ask_is_told_so_also_where_the_point_is_taken() -> None:
    assert asked("eve", SUPPORT, taken="support") is ErrorType.NOT_PERMITTED


def test_a_point_that_is_taken_is_not_opened_again() -> None:
    assert asked("carol", SUPPORT, ANYTHING, taken="support anything") is ErrorType.TRANSITION_NOT_ALLOWED
