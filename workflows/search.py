"""Search attributes of runs and conversations; written only where the value has changed."""

import json
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from signals.names import SearchAttribute

MODE = SearchAttributeKey.for_keyword(SearchAttribute.MODE)
AWAITING = SearchAttributeKey.for_keyword_list(SearchAttribute.AWAITING)
STOP = SearchAttributeKey.for_keyword(SearchAttribute.STOP)
TRIGGER = SearchAttributeKey.for_keyword(SearchAttribute.TRIGGER)

MAX_BYTES: Final = 2048
"""The largest value of a search attribute, in bytes of JSON; the server ends a run that writes a larger one."""


def publish(
    *,
    mode: str | None = None,
    trigger: str | None = None,
    awaiting: Sequence[str] | None = None,
    stop: str | None = None,
) -> None:
    """Write what has changed, in one event; nothing if nothing has. What is not given stays as it is.

    Args:
        mode: The mode that the run is in.
        trigger: What moved it there; written only with the mode, so that it costs no event.
        awaiting: The people that a conversation waits for; as many of the first ones are listed as there is room for.
        stop: Why a conversation ended.
    """
    current = workflow.info().typed_search_attributes
    updates: list[SearchAttributeUpdate] = []  # type: ignore[type-arg]  # of mixed value types
    if mode is not None and current.get(MODE) != mode:
        updates.append(MODE.value_set(mode))
        if trigger is not None:
            updates.append(TRIGGER.value_set(trigger))
    if awaiting is not None and list(current.get(AWAITING) or ()) != (listed := _fitting(awaiting)):
        updates.append(AWAITING.value_set(listed) if listed else AWAITING.value_unset())
    if stop is not None and current.get(STOP) != stop:
        updates.append(STOP.value_set(stop))
    if updates:
        workflow.upsert_search_attributes(updates)


def _fitting(names: Sequence[str]) -> list[str]:
    sizes = accumulate((len(json.dumps(name)) + len(",") for name in names), initial=len("["))
    return [name for name, size in zip(names, list(sizes)[1:], strict=True) if size <= MAX_BYTES]
