"""What support's fragments have in common: who may ask for them, and how they are run."""

from typing import Final

from signals.messages import InvocationMode

CUSTOMER: Final = "customer"
AGENT: Final = "agent"
ASSISTANT: Final = "assistant"

STAFF: Final = (AGENT, ASSISTANT)
"""The roles that act for the shop in a support conversation."""

WAITED_FOR: Final = (InvocationMode.SYNCHRONOUS, InvocationMode.ASYNCHRONOUS)
"""Somebody wants to know what came of it."""
