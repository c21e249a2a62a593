"""The whole of a moderated conversation, held by people in terminals; what docs/panel.md shows of it is true."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from infra.devserver import DevServer
from signals.conversation import InvocationStatus, MessageKind, StopReason
from tests.workflows.panel import held, recording

PAGE = Path(__file__).parents[2] / "docs" / "panel.md"


def said(page: str) -> Iterable[str]:
    """The messages and the typed lines of a recording; what stands between them depends on who looks when."""
    return [line for line in page.splitlines() if re.match(r"(#\d|> |## )", line)]


@pytest.mark.timeout(300)
async def test_a_panel_is_held_from_three_terminals_and_its_recording_is_what_they_show() -> None:
    async with DevServer() as server, held(server) as (panel, result):
        assert (result.stop, result.outcome) == (StopReason.QUORUM, {"pay": False, "note": "wait until tomorrow"})
        assert result.decided_by == ("mona", "ann", "cat")
        [fragment] = result.invocations
        assert (fragment.speaker, fragment.status) == ("clerk", InvocationStatus.SUCCEEDED)
        kinds = [message.kind for message in result.last_messages]
        assert (kinds.count(MessageKind.TURN), kinds.count(MessageKind.VOTE)) == (6, 2)
        assert sorted(said(recording(panel, result))) == sorted(said(PAGE.read_text()))
