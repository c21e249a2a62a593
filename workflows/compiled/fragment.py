"""Fragments: what a compiled workflow says of itself for conversations that may run it, and what the compiler finds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pydantic import ValidationError

from signals.fragments import Bound, FragmentOffer
from signals.messages import InvocationMode
from signals.wire import one_line
from workflows.compiled.types import UNWRITABLE, adapter, shown
from workflows.conversation.context import context_fault, fields_of, misfit
from workflows.conversation.outcomes import JsonSchema, schema_fault

MAX_ABOUT: Final = 1000

_MODEL: Final = "let the workflow's input be a pydantic model: people are asked for its fields"

_SOMEBODY: Final = "somebody"
"""Stands for any participant's id."""


@dataclass(frozen=True)
class Fragment:
    """Marks a compiled workflow as one that conversations may run: `@compiled(fragment=Fragment(...))`.

    What it needs is the workflow's input: fields without a default are taken from what is known, or asked for.

    Args:
        roles: Only these roles may ask for it; whoever holds the permission `invoke` where it is empty.
        modes: How it may be run; the first is used where nobody says.
        bound: The fields that nobody may give, and where they come from.
        fact: The name by which its result is known afterwards; the workflow's own where there is none.
        timeout: After so long it has failed; it may take as long as it likes where there is none.
    """

    roles: tuple[str, ...] = ()
    modes: tuple[InvocationMode, ...] = tuple(InvocationMode)
    bound: Mapping[str, Bound] = field(default_factory=dict)
    fact: str | None = None
    timeout: timedelta | None = None


def offer_of(
    workflow: str, about: str, fragment: Fragment, request: object, find: Callable[[str, str], None]
) -> FragmentOffer | None:
    """What conversations are offered; nothing where something is wrong with it, which is found.

    Args:
        workflow: The workflow type.
        about: What it does, in a line.
        fragment: How it is marked.
        request: The annotation of its input.
        find: Takes what is wrong, and the remedy.
    """
    try:
        context = adapter(request).json_schema()
    except UNWRITABLE:
        return None  # a finding about the step says so
    faults = list(_context_faults(request, context)) or list(_bound_faults(fragment, context))
    for message, remedy in faults:
        find(message, remedy)
    if faults:
        return None
    try:
        return FragmentOffer(
            name=workflow,
            about=about[:MAX_ABOUT],
            roles=fragment.roles,
            modes=fragment.modes,
            context=context,
            bound=dict(fragment.bound),
            fact=fragment.fact,
            timeout_seconds=fragment.timeout.total_seconds() if fragment.timeout is not None else None,
        )
    except ValidationError as error:
        find(one_line(error), "mend what it is marked with")
        return None


def _context_faults(request: object, context: JsonSchema) -> Iterator[tuple[str, str]]:
    if fault := schema_fault(context):
        yield f"its context can't be checked: {fault}", "write the constraint in another way"
    elif context_fault(context):
        yield f"its context can't be built: the input is {shown(request)}, which has no fields", _MODEL
    for name in fields_of(context):
        if _is_secret(context, name):
            message = f"its context can't be built: '{name}' is a secret, and all that is said is recorded"
            yield message, "look the secret up in a step's activity"


def _is_secret(context: JsonSchema, name: str) -> bool:
    return fields_of(context)[name].get("writeOnly") is True


def _bound_faults(fragment: Fragment, context: JsonSchema) -> Iterator[tuple[str, str]]:
    known = fields_of(context)
    for name, bound in fragment.bound.items():
        if name not in known:
            yield f"bound: its input has no field '{name}'", f"name one of: {', '.join(known) or 'none'}"
        elif bound is Bound.PERSON and misfit(context, {name: _SOMEBODY}):
            yield f"bound: '{name}' is not given by a participant's id", "let it be an Identifier, or bind it otherwise"
