"""The pictures of README and docs: there, small, and shown."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURES: Final = sorted((ROOT / "docs" / "pictures").glob("*"))
MOST: Final = 200_000
"""Bytes of a picture: who clones the project gets them all, in every version."""

_SHOWN: Final = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")


def shown() -> list[tuple[Path, str]]:
    """The pictures that pages show, each with what it says to who can't see it."""
    return [
        ((page.parent / where).resolve(), told) for page in PAGES for told, where in _SHOWN.findall(page.read_text())
    ]


def test_every_picture_that_a_page_shows_is_there_and_is_described() -> None:
    assert [picture.name for picture, told in shown() if not picture.is_file() or not told] == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: Path(str(path)).name)
def test_a_picture_is_small_and_shown(picture: Path) -> None:
    assert picture.stat().st_size < MOST
    assert picture in {path for path, _ in shown()}
