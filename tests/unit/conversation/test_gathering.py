"""What a fragment is given: arguments, what is known, and what people answer when they are asked for the rest."""

from signals.errors import ErrorType
from signals.fragments import Bound
from signals.messages import Disposition, Invoke
from tests.unit.conversation.offered import ANN, ASYNC, BEN, BOOK, BOT, COUNT, RECORDED, SPEAK_AND_INVOKE, TEXT, talk
from tests.unit.conversation.talk import ai, offer, person
from workflows.conversation import views


def test_required_context_is_taken_from_what_is_known_where_it_fits() -> None:
    one = talk(facts={"place": "Rome", "nights": 0, "note": "from the facts"})
    one.invoke("ann", "Book", nights=3)
    assert one.started == [("Book", {"place": "Rome", "nights": 3})]
    one.invoke("ann", "Book")
    assert one.told[-1] == "Book needs nights (a whole number); please answer message 3"


def test_an_argument_goes_before_what_is_known() -> None:
    one = talk(facts={"place": "Rome", "nights": 1})
    one.invoke("ann", "Book", place="Oslo")
    assert one.started == [("Book", {"place": "Oslo", "nights": 1})]


def test_what_is_missing_is_asked_for_and_the_answer_goes_on() -> None:
    one = talk()
    assert one.invoke("ann", "Book", nights=2) is RECORDED
    assert one.told == [
        'ann: asks for Book {"nights": 2}',
        "Book needs place (text); please answer message 2",
    ]
    [asked] = views.status(one.setup, one.state, one.now).invocations
    assert (asked.status, asked.missing, asked.seq) == ("asking", ("place",), 2)
    one.turn("ben", "What a day!")
    assert one.started == []
    one.turn("ben", "Rome", in_reply_to=2)
    assert one.started == [("Book", {"nights": 2, "place": "Rome"})]
    assert one.told[-1] == "Book has all that it needs"


def test_any_message_about_it_may_be_answered() -> None:
    one = talk()
    one.invoke("ann", "Book", nights=2)
    one.turn("ben", "Rome", in_reply_to=1)
    assert len(one.started) == 1


def test_an_answer_that_does_not_fit_is_told_and_asked_again() -> None:
    one = talk()
    one.invoke("ann", "Book", place="Rome")
    one.turn("ben", "many", in_reply_to=2)
    assert one.told[-1] == 'nights: "many" is not of type "integer"; Book needs nights, please answer again'
    one.turn("ben", "2", in_reply_to=4)
    assert one.started == [("Book", {"place": "Rome", "nights": 2})]


def test_several_are_answered_one_after_the_other_or_at_once() -> None:
    one = talk()
    one.invoke("ann", "Book")
    assert one.told[-1] == (
        "Book needs place (text), nights (a whole number); please answer message 2 "
        "(the first in plain text, or several as lines 'name: value')"
    )
    one.turn("ben", "Rome", in_reply_to=2)
    assert one.told[-1] == "Book has place; it still needs nights (a whole number); please answer message 4"
    one.turn("ann", "nights: 2\nnote: quiet", in_reply_to=4)
    assert one.started == [("Book", {"place": "Rome", "nights": 2, "note": "quiet"})]


def test_who_asked_may_correct_an_earlier_answer_while_something_is_missing() -> None:
    one = talk()
    one.invoke("ann", "Book")
    one.turn("ben", "Rome", in_reply_to=2)
    one.turn("ann", "place: Oslo", in_reply_to=2)
    one.turn("ben", "3", in_reply_to=4)
    assert one.started == [("Book", {"place": "Oslo", "nights": 3})]


def test_others_may_give_what_is_missing_and_nothing_else() -> None:
    one = talk()
    one.invoke("ann", "Book", place="Rome")
    one.turn("ben", '{"nights": 2, "place": "Oslo"}', in_reply_to=2)
    assert one.started == []
    assert one.told[-1].startswith("place: only who asked for Book can change it; ")


def test_asking_again_with_what_is_missing_goes_on_with_it() -> None:
    one = talk(ANN, BOT)
    one.invoke("ann", "Book")
    one.turn("ann", "Please book.")
    one.reply("bot", "", actions=[Invoke(speaker="bot", fragment="Book", arguments={"nights": 1})])
    one.turn("ann", "To Oslo.")
    one.reply("bot", "", actions=[Invoke(speaker="bot", fragment="Book", arguments={"place": "Oslo"}, mode=ASYNC)])
    assert one.started == [("Book", {"nights": 1, "place": "Oslo"})]
    assert [(i.number, i.speaker, i.mode, i.status) for i in one.state.invocations] == [
        (1, "ann", "synchronous", "asking"),
        (2, "bot", "asynchronous", "running"),
    ]


def test_an_answer_that_was_held_is_taken_when_it_is_recorded() -> None:
    one = talk(ANN, BEN, coordination={"kind": "turn_based"})
    one.invoke("ann", "Book", nights=1)
    assert one.turn("ben", "Rome", in_reply_to=2) is Disposition.HELD
    one.turn("ann", "Where to?")
    assert one.started == [("Book", {"nights": 1, "place": "Rome"})]


def test_a_private_answer_that_does_not_fit_is_told_to_nobody_else() -> None:
    one = talk(ANN, BEN, person("cat"), routing={"kind": "addressed"})
    one.invoke("ann", "Book", place="Rome")
    one.turn("ben", "secret", to=["ann"], in_reply_to=2)
    assert one.state.messages[-1].to == ("ben", "ann")
    assert all("secret" not in message.text for message in views.transcript(one.state, "cat").messages)


def test_what_becomes_known_meanwhile_is_not_asked_for_any_more() -> None:
    find = offer("Find", fact="place")
    one = talk(fragments=(BOOK, find))
    one.invoke("ann", "Book", nights=1)
    one.invoke("ann", "Find", mode=ASYNC)
    one.done(2, "Oslo")
    assert one.started == [("Find", {}), ("Book", {"nights": 1, "place": "Oslo"})]


def test_what_nobody_may_give_is_refused() -> None:
    pay = offer("Pay", {"by": TEXT, "account": TEXT}, bound={"by": Bound.PERSON, "account": Bound.FACT})
    one = talk(fragments=(pay,), facts={"account": "A-1", "by": "eve"})
    assert one.invoke("ann", "Pay", by="eve") is ErrorType.INVALID_INPUT
    assert one.reason == "arguments: by: nobody may give it, it is the person who asks"
    assert one.invoke("ann", "Pay", account="A-2") is ErrorType.INVALID_INPUT
    assert one.reason == "arguments: account: nobody may give it, it is what the conversation knows by this name"
    one.invoke("ann", "Pay")
    assert one.started == [("Pay", {"by": "ann", "account": "A-1"})]


def test_nobody_may_give_it_in_an_answer_either() -> None:
    pay = offer("Pay", {"sum": COUNT, "account": TEXT}, bound={"account": Bound.FACT})
    one = talk(fragments=(pay,), facts={"account": "A-1"})
    one.invoke("ann", "Pay")
    one.turn("ann", "sum: 5\naccount: A-2", in_reply_to=2)
    assert one.started == []
    assert "account: nobody may give it" in one.told[-1]


def test_what_only_facts_can_give_and_none_does_is_missing_for_good() -> None:
    one = talk(fragments=(offer("Pay", {"account": TEXT}, bound={"account": Bound.FACT}),))
    assert one.invoke("ann", "Pay") is ErrorType.MISSING_CONTEXT
    assert one.reason == (
        "Pay can't be run: it needs 'account', and the conversation knows nothing by this name that fits"
    )
    assert one.told == [f"ann asked for Pay (MissingContext): {one.reason}"]


def test_an_ai_participant_is_never_the_person_who_asks() -> None:
    pay = offer("Pay", {"by": TEXT}, bound={"by": Bound.PERSON})
    lend = offer("Lend", bound={"note": Bound.PERSON})
    one = talk(ANN, BOT, fragments=(pay, lend), facts={"by": "ann", "note": "ann"})
    one.turn("ann")
    one.reply("bot", "", actions=[Invoke(speaker="bot", fragment="Pay"), Invoke(speaker="bot", fragment="Lend")])
    assert one.started == [("Lend", {})]
    assert one.state.rejections.recent[-1].type is ErrorType.MISSING_CONTEXT


def test_what_is_done_in_a_person_s_name_they_alone_answer_for() -> None:
    pay = offer("Pay", {"sum": COUNT}, bound={"note": Bound.PERSON})
    one = talk(fragments=(pay,))
    one.invoke("ann", "Pay")
    one.turn("ben", "1000", in_reply_to=2)
    assert one.told[-1] == "Only ann can answer for Pay"
    one.turn("ann", "10", in_reply_to=2)
    assert one.started == [("Pay", {"sum": 10, "note": "ann"})]


def test_where_nobody_is_left_who_may_answer_it_is_given_up() -> None:
    pay = offer("Pay", {"sum": COUNT}, bound={"note": Bound.PERSON})
    one = talk(fragments=(pay,))
    one.invoke("ann", "Pay")
    one.leave("ann")
    assert one.told[-1] == "Pay is not run (MissingContext): it needs sum, and nobody here may answer"
    assert one.invocations == [(1, "failed")]


def test_where_no_person_is_there_what_is_missing_is_refused() -> None:
    one = talk(ai("one", *SPEAK_AND_INVOKE), ai("two"), coordination={"kind": "turn_based"})
    one.reply("one", "", actions=[Invoke(speaker="one", fragment="Book", arguments={"nights": 1})])
    assert one.state.rejections.recent[-1].type is ErrorType.MISSING_CONTEXT
    assert one.state.rejections.recent[-1].reason == "Book needs place, and nobody here may answer"
