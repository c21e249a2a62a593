"""Search attributes of runs and conversations; written only where the value has changed."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from signals.names import SearchAttribute

MODE = SearchAttributeKey.for_keyword(SearchAttribute.MODE)
AWAITING = SearchAttributeKey.for_keyword_list(SearchAttribute.AWAITING)
STOP = SearchAttributeKey.for_keyword(SearchAttribute.STOP)


def publish(*, mode: str | None = None, awaiting: Sequence[str] | None = None, stop: str | None = None) -> None:
    """Write what has changed, in one event; nothing if nothing has. What is not given stays as it is."""
    current = workflow.info().typed_search_attributes
    updates: list[SearchAttributeUpdate] = []  # type: ignore[type-arg]  # of mixed value types
    if mode is not None and current.get(MODE) != mode:
        updates.append(MODE.value_set(mode))
    if awaiting is not None and list(current.get(AWAITING) or ()) != list(awaiting):
        updates.append(AWAITING.value_set(list(awaiting)) if awaiting else AWAITING.value_unset())
    if stop is not None and current.get(STOP) != stop:
        updates.append(STOP.value_set(stop))
    if updates:
        workflow.upsert_search_attributes(updates)
