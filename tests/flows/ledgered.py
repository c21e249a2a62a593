"""An extension whose steps write into a ledger, once each, and may be held up by a test in another process."""

import time
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow

from signals.wire import Wire
from workflows.compiled import compiled, step
from workflows.extensions import Extension


class Errand(Wire):
    """The input: where the ledger is, and which steps wait until the test has made the file of their name."""

    folder: str
    slow: tuple[str, ...] = ()


class Entry(Wire):
    """What is written."""

    errand: Errand
    what: str


@activity.defn
def enter(entry: Entry) -> str:
    """Write an entry; a second try finds what the first one wrote."""
    folder, key = Path(entry.errand.folder), activity.info().activity_id
    line = f"{key} {entry.what}\n"
    ledger = folder / "ledger"
    known = ledger.read_text() if ledger.exists() else ""
    if line not in known:
        ledger.write_text(known + line)
    while entry.what in entry.errand.slow and not (folder / entry.what).exists():
        activity.heartbeat()
        time.sleep(0.05)
    return entry.what


async def _enter(errand: Errand, what: str) -> str:
    return await workflow.execute_activity(
        enter,
        Entry(errand=errand, what=what),
        start_to_close_timeout=timedelta(minutes=1),
        heartbeat_timeout=timedelta(seconds=2),
    )


@compiled
class Errands:
    """Do one thing after the other."""

    @step
    async def first(self, request: Errand) -> str:
        """Do the first."""
        return await _enter(request, "first")

    @step
    async def second(self, request: Errand, first: str) -> str:
        """Do the second."""
        return await _enter(request, "second")

    @step(result=True)
    async def third(self, request: Errand, first: str, second: str) -> list[str]:
        """Do the third."""
        return [first, second, await _enter(request, "third")]


EXTENSION = Extension(workflows=(Errands,), activities=(enter,))
