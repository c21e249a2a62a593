"""Finds the order and the delivery address that a request names; gives none where it isn't sure.

A wrong guess would act on the wrong order or send a parcel astray; none makes people ask.
"""

import re
from collections.abc import Iterator
from typing import Final

_ORDER: Final = re.compile(r"(?<![\w-])[A-Z]{1,4}-\d{3,10}(?![\w-])", re.IGNORECASE)

_INTRODUCED: Final = re.compile(r"\b(?:to|at|is|it's|be|address|use|now)\b:?\s+", re.IGNORECASE)
"""What an address follows in a plain sentence."""

_SET_OFF: Final = re.compile(r"[,:;?]\s+")
"""What it follows otherwise."""

_AFTER: Final = re.compile(
    r"[!?\n]|\.(?=\s|$)|[\s,;]+(?:instead|rather|please|thanks?|not|and|as|for|from|because|since|but|until|before|when|if"
    r"|so|now|asap)\b",
    re.IGNORECASE,
)
"""What it ends with: the end of the sentence, or words that are no part of an address."""

_HOUSE_NUMBER: Final = re.compile(r"\d+[a-z]?(?:[-/]\d+[a-z]?)?", re.IGNORECASE)

_STREET: Final = re.compile(
    r"street|st|road|rd|avenue|ave|lane|drive|close|court|way|square|row|place|gardens?|hill|quay|walk|crescent|terrace"
    r"|park|green",
    re.IGNORECASE,
)

_LONGEST: Final = 200
"""An address has no more characters, and of the text around one no more are looked at."""

_PART_OF_HOUSE: Final = re.compile(r"flat|apartment|apt|unit", re.IGNORECASE)

_OUT_OF_DATE: Final = re.compile(
    r"\b(?:old|wrong|previous|former)\s+(?:\w+\s+)?address(?:\s+(?:is|was|at))?[:,]?\s+$", re.IGNORECASE
)


def order_in(text: str) -> str | None:
    """Find the one order that is named; none where several are.

    Example:
        `Where is a-1001?` gives `A-1001`
    """
    return _only(match.group().upper() for match in _ORDER.finditer(text))


def address_in(text: str) -> str | None:
    """Find the one address that something should go to; none where several could be meant.

    Example:
        `Please send A-1003 to 12 Oak Street, Springfield instead` gives `12 Oak Street, Springfield`
    """
    introduced = _only(_addresses_after(_INTRODUCED, text))
    return introduced or _only(_addresses_after(_SET_OFF, text))


def _only(found: Iterator[str]) -> str | None:
    different = set(found)
    return different.pop() if len(different) == 1 else None


def _addresses_after(lead: re.Pattern[str], text: str) -> Iterator[str]:
    for match in lead.finditer(text):
        start = match.end()
        candidate = _AFTER.split(text[start : start + _LONGEST], maxsplit=1)[0].strip(" ,;:")
        if _is_address(candidate) and not _OUT_OF_DATE.search(text[max(0, start - _LONGEST) : start]):
            yield candidate


def _is_address(text: str) -> bool:
    words = text.split()
    if len(words) < 3:  # a house number, a street and at least a word more
        return False
    if _HOUSE_NUMBER.fullmatch(words[0].rstrip(",")):  # 12 Oak Street
        return words[1][0].isupper() or any(_STREET.fullmatch(word.strip(".,")) for word in words[2:5])
    street = text.split(",")[0].split()  # Hauptstrasse 12, Vienna; Flat 3, 90 Bond Street
    begins = street[0][0].isupper() or _PART_OF_HOUSE.fullmatch(street[0])
    return bool(begins and len(street) > 1 and _HOUSE_NUMBER.fullmatch(street[-1]))
