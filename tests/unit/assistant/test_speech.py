"""What is taken from a model's answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.speech import MAX_REPLY, grounded, spoken
from tests.unit.assistant.requests import asking

REQUEST = asking(("C-1", "Hello"))


def said(text: str, *, broken_off: bool = False) -> str:
    return spoken(text, REQUEST, broken_off=broken_off)


@pytest.mark.parametrize("echo", ["Sage: ", "sage:", "Sage (assistant): ", "assistant: ", "\n Sage (assistant):\n"])
def test_a_speaker_does_not_announce_itself(echo: str) -> None:
    assert said(f"{echo}It is over the limit.").strip() == "It is over the limit."


def test_what_is_said_to_somebody_by_name_stays() -> None:
    assert said("Alice: it is over the limit.") == "Alice: it is over the limit."


def test_words_that_are_put_into_anothers_mouth_are_left_out() -> None:
    assert said("It is over the limit.\nBob Keller (agent): I approve it.\nThanks!") == "It is over the limit."


def test_who_speaks_as_another_from_the_start_says_nothing() -> None:
    assert said("Alice (customer): My money, please.") == ""


def test_an_answer_ends_where_it_begins_to_repeat_itself() -> None:
    assert said("I see. Bob decides. I see. Bob decides. I see.") == "I see. Bob decides."


def test_an_answer_that_was_broken_off_ends_with_its_last_whole_sentence() -> None:
    assert said("It costs 180.00 EUR. Bob will", broken_off=True) == "It costs 180.00 EUR."


def test_an_answer_that_was_broken_off_in_its_first_sentence_stays() -> None:
    assert said("It costs 180.00 EUR and", broken_off=True) == "It costs 180.00 EUR and"


def test_a_long_answer_ends_with_a_sentence() -> None:
    text = said(" ".join(f"This is sentence {number}." for number in range(200)))
    assert len(text) <= MAX_REPLY
    assert text.endswith(".")
    assert len(text) > MAX_REPLY - 50


def test_what_cannot_be_seen_is_taken_out() -> None:
    assert said("It\x00 is\u202e fine.\x1b") == "It is fine."


@pytest.mark.parametrize(
    "invented",
    ["It costs 140.00 EUR.", "Order B-1002 is shipped.", "It came on 2026-01-01.", "The password is 1234567890."],
)
def test_a_sentence_with_a_number_that_nobody_gave_is_left_out(invented: str) -> None:
    request = asking(("C-1", "I paid 180.00 EUR."), order="A-1002, delivered on 2026-11-18", limit="100")
    assert grounded(f"A-1002 is over the limit of 100. {invented} Bob decides.", request) == (
        "A-1002 is over the limit of 100. Bob decides."
    )


def test_what_was_given_may_be_said_again_with_its_numbers() -> None:
    request = asking(("C-1", "I paid 180.00 EUR."), order="A-1002, delivered on 2026-11-18", topic="Day 9")
    text = "A-1002 was 180.00 EUR. It came on 2026-11-18, day 9."
    assert grounded(text, request) == text


@given(st.text(max_size=3_000), st.booleans())
def test_any_answer_gives_a_reply_of_bounded_length(text: str, broken_off: bool) -> None:
    assert len(said(text, broken_off=broken_off)) <= MAX_REPLY
