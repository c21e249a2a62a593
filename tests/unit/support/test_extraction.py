"""What a request names is found; a guess is never made."""

import pytest

from activities.support.extraction import address_in, order_in


@pytest.mark.parametrize(
    ("text", "order_id"),
    [
        ("Where is my order A-1001?", "A-1001"),
        ("where is a-1001", "A-1001"),
        ("A-1001, a-1001!", "A-1001"),
        ("my order ABCD-1234567890.", "ABCD-1234567890"),
        ("Where are A-1001 and A-1002?", None),
        ("I have article AB-12 of model X-A-1001-7", None),
        ("call me on 0800-1001", None),
        ("nothing", None),
    ],
)
def test_the_one_order_that_is_named_is_found(text: str, order_id: str | None) -> None:
    assert order_in(text) == order_id


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Please send A-1003 to 12 Oak Street, Springfield instead", "12 Oak Street, Springfield"),
        ("please send a-1003 to 12 oak street, springfield", "12 oak street, springfield"),
        ("The correct address is 9 King Road, York. Thank you!", "9 King Road, York"),
        ("New address for A-1003: 2 Cedar Court, Reading", "2 Cedar Court, Reading"),
        ("My neighbour takes it in, 9 Quay Street, Galway, since I am away", "9 Quay Street, Galway"),
        ("Can it go to my office at 4 Bridge Street, Lyon?", "4 Bridge Street, Lyon"),
        ("it's 13 Mill Lane not 3 Mill Lane", "13 Mill Lane"),
        ("Send it to Hauptstrasse 12a, Vienna and tell me when", "Hauptstrasse 12a, Vienna"),
        ("It should be flat 3, 90 Bond Street, Brighton", "flat 3, 90 Bond Street, Brighton"),
        ("Change it from 3 Mill Lane, Bristol to 5 Hill Street, Bath", "5 Hill Street, Bath"),
        ("I used my old address, 3 Mill Lane, Bristol. It is 5 Hill Street, Bath", "5 Hill Street, Bath"),
    ],
)
def test_the_new_address_is_found(text: str, address: str) -> None:
    assert address_in(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "Please change my address",
        "Please send it to my office",
        "My old address is 3 Mill Lane, York",
        "I live at 5 Hill Street, Bath, but send it to 7 Rose Street, Leeds",
        "Bring it to Springfield on 12 March",
        "Come at 12 o'clock or it is 2 days late",
        "The house number is 12, not 21",
    ],
)
def test_no_address_is_guessed(text: str) -> None:
    assert address_in(text) is None
